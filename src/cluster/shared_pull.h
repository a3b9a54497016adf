/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pull of one image on one node for all who want it there with the same credentials and for
 * the same platform: clients that pull, and creates. It runs on a fiber of its own, so whoever
 * began it may leave; when the last one leaves, it is given up. One that tells nothing for a minute
 * is joined by nobody: it may hang for ever, and an engine joins its own pulls where they do not.
 */
#ifndef CLUSTER_SHARED_PULL_H
#define CLUSTER_SHARED_PULL_H

#include "base/strbuf.h"
#include "cluster/cluster.h"
#include "docker/version.h"

struct shared_pull;

struct pull_wanted {
	struct api_version version;
	struct str query; /* of POST /images/create */
	struct str image; /* "busybox:latest"; without a tag: all of them */
	struct str platform, registry_auth;
};

/* One reader more; the texts are copied. */
struct shared_pull *shared_pull_join(struct cluster *c, struct engine *e,
				     const struct pull_wanted *wanted);
may_suspend void shared_pull_leave(struct shared_pull *p); /* NULL is fine */

/*
 * Parks for the next line of progress behind *at (begin with 0), and sets it in *line. Who comes
 * late, or is slow, gets every state that a layer had, and of bars the last. When the pull is over
 * *ret_over is set, or its failure returned; the image is in the tables by then.
 */
may_suspend must_check struct error *shared_pull_next(struct shared_pull *p, uint64_t *at,
						      struct strbuf *line, bool *ret_over);

/*
 * For a create: one image, where it names no tag the latest, for its platform where the version has
 * that. The query is written here; the image is in the tables when it returns.
 */
may_suspend must_check struct error *pull_once(struct cluster *c, struct engine *e,
					       const struct pull_wanted *wanted);

static inline may_suspend void shared_pull_leavep(struct shared_pull **p)
{
	shared_pull_leave(*p);
}

#endif
