/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of all nodes and of the pool as one stream, to any number of subscribers. A slow one
 * holds up nobody: it is closed when more bytes wait for it than the config lets it be behind, or
 * when it is the one furthest behind and all together hold more than they may.
 */
#ifndef CLUSTER_EVENTS_H
#define CLUSTER_EVENTS_H

#include "base/error.h"
#include "base/strbuf.h"
#include "cluster/cluster.h"
#include "docker/filters.h"

struct subscription;

/*
 * Everything from now on that passes the filters (borrowed until it is closed), for this fiber,
 * which is cancelled when it falls too far behind.
 */
struct subscription *cluster_subscribe(struct cluster *c, const struct filters *filters);
void subscription_close(struct subscription *s); /* NULL is fine */

/*
 * Parks until there is some, then appends all that waits, a line each. ERR_CLOSED: the cluster
 * stops.
 */
may_suspend must_check struct error *subscription_next(struct subscription *s, struct strbuf *out);

DEFINE_CLEANUP(struct subscription *, subscription_close)

#endif
