/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which node a build goes to: as a container would, by expressions, but to an earlier image of its
 * name where there is one, and to what its RUN steps need. Private to cluster/.
 */
#ifndef CLUSTER_BUILD_PLACE_H
#define CLUSTER_BUILD_PLACE_H

#include "cluster/build.h"

struct member;

/*
 * session_at: the node that the build's session is on; or NULL. ret_network_mode: what an engine
 * calls the request's network, in the arena. ERR_NO_NODE, ERR_INVALID; ERR_NOT_FOUND of a container.
 */
must_check struct error *build_place(struct cluster *c, const struct build_request *req,
				     struct engine *session_at, struct arena *arena,
				     struct member **ret, struct str *ret_network_mode);

/* A client's gRPC, of which nothing is known but the constraints. */
must_check struct error *build_place_grpc(struct cluster *c, const struct str_array *constraints,
					  struct member **ret);

#endif
