/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has happened already: the engines' own memory of their events (the last 256 of each) and the
 * pool's, merged by time. Where a live stream goes on behind it, nothing is missing or there twice.
 */
#ifndef CLUSTER_REPLAY_H
#define CLUSTER_REPLAY_H

#include "cluster/cluster.h"
#include "cluster/list.h"
#include "docker/filters.h"

struct replay;

/*
 * The events from `since` to `until` (unix ns, INT64_MIN and INT64_MAX: unbounded) that pass the
 * filters (borrowed). `live`: up to what a subscription that was made right before, without a park
 * between, will not have.
 */
struct replay *replay_new(struct cluster *c, int64_t since, int64_t until, bool live,
			  const struct filters *filters);
void replay_free(struct replay *r); /* NULL is fine */

/*
 * Asks every node at once. One that does not tell is an engine_events_lost event. ERR_TOO_LARGE
 * over LIMIT_EVENT_REPLAY; ERR_UNAVAILABLE where all replays together hold what they may.
 */
may_suspend must_check struct error *replay_collect(struct replay *r);
/* Then a line for each event, the oldest first. */
may_suspend must_check struct error *replay_emit(struct replay *r, emit_fn *emit, void *arg);

/* The lines of the subscription without those that the replay had: appends to out. */
void replay_filter_live(struct replay *r, struct str lines, struct strbuf *out);

DEFINE_CLEANUP(struct replay *, replay_free)

#endif
