/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A create request as placement sees it, and the one atomic step of it: choose and reserve.
 * Private to cluster/.
 */
#ifndef CLUSTER_PLACEMENT_H
#define CLUSTER_PLACEMENT_H

#include "cluster/internal.h"
#include "cluster/place.h"

/* One request on its way. What it points at is in the arena, or the caller's. */
struct placement {
	struct cluster *c;
	const struct create_request *req;
	struct arena *arena;
	struct container_config config;
	struct sched_request sched;
	struct str name;      /* without its node, */
	struct engine *named; /* which is this one; a reference, or NULL: it names none */
	struct str swarm_id;
	int64_t cores;	     /* nano-CPUs that were asked for through CpuShares; 0: none */
	int64_t share_cores; /* nano-CPUs that CpuShares are to become; 0: they stay */
	/* What it names (containers, volumes, networks) is not on every node. */
	bool is_drawn;
	bool is_successor; /* it was boarded as if the container whose place it takes were gone */
	struct flight flight;
	/* An engine was asked to make the container, and whether it did is not known. */
	bool unanswered;
	struct str id;	/* of the container that it made; or empty */
	bool is_unread; /* which is not in the tables yet */
	/* What the engine knows under another name than the user wrote ("node-1/db"). */
	struct config_rename *renames, *volume_renames, *network_renames;
	size_t n_renames, n_volume_renames, n_network_renames;
};

/* Reads p->req into the rest; c, req and arena are set. ERR_INVALID. */
must_check struct error *placement_read(struct placement *p);
void placement_fini(struct placement *p); /* gives back what it holds */

/* Chooses a node and reserves on it: p->flight has boarded. Nothing else runs in between. */
must_check struct error *placement_board(struct placement *p);
/* The same on the given nodes alone; `why` tells of the others in a refusal. */
must_check struct error *placement_board_among(struct placement *p, const struct engines *engines,
					       const char *why);

/*
 * Where this client has just pulled or built the image, if it fits there. Else anywhere, and
 * *ret_made_at is a new reference to where that was; it stays as it is where all is well.
 */
must_check struct error *placement_board_first(struct placement *p, struct engine **ret_made_at);
/*
 * Why each of the cluster's nodes does not take it, STR_NONE where it does. Where `among` is not
 * NULL, `why` is the reason of all others.
 */
must_check struct error *placement_explain(struct placement *p, const struct engines *among,
					   const char *why, struct str *ret);

/* The node could not create it: gives the reservation back, and goes there last from now on. */
void placement_failed(struct placement *p);

/* What CpuShares are measured against to tell cores from a weight. */
int64_t placement_largest_node_cpus(const struct cluster *c);

#endif
