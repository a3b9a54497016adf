/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing an image from a node that has it to one that needs it: once for all creates that need it
 * there at the same time. Private to cluster/.
 */
#ifndef CLUSTER_CARRY_H
#define CLUSTER_CARRY_H

#include "cluster/cluster.h"
#include "docker/version.h"
#include "engine/engine.h"

struct carry_request {
	struct engine *from, *to; /* borrowed */
	struct str image;	  /* by any of its names; */
	struct str id;		  /* which `from` has by that name */
	struct api_version version;
};

/*
 * What the one saves the other loads, with nothing kept in between. When it returns the image is in
 * the tables of `to`. It goes on while somebody waits for it; whoever began it may leave. The error
 * names both nodes.
 */
may_suspend must_check struct error *carry_image(struct cluster *c,
						 const struct carry_request *req);

#endif
