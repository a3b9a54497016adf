/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node as placement sees it: plain values that the cluster keeps current, one step for each
 * change, and a few look-ups that it answers. Nothing here is a list of containers.
 */
#ifndef SCHEDULER_NODE_H
#define SCHEDULER_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "docker/config.h"
#include "docker/devices.h"
#include "docker/platform.h"
#include "scheduler/match.h"

struct sched_label {
	struct str key, value;
};

struct sched_node;

/* Containers that have the label `key` with this value, or were made of the image `value`. */
struct sched_count {
	enum { COUNT_LABEL, COUNT_IMAGE } of;
	struct str key, value;
	const void *found; /* the answerer's, within one placement */
	bool known;
};

/*
 * Answered by the cluster's indexes. A match is looked up once for a placement, whatever the number
 * of nodes: its `found` is theirs to fill.
 */
struct sched_lookups {
	/* The name of the container (or creation in flight) that holds the port; STR_NONE: free. */
	struct str (*port_holder)(const struct sched_node *n, const struct host_port *port);
	/*
	 * The node's own label has a value that passes the test (match_test, match_test_any); key
	 * "node": its name or its id. Without the label: false.
	 */
	bool (*has_label)(const struct sched_node *n, struct str key, struct match *m,
			  match_test_fn *test);
	/* A container there whose id, or a name, matches. */
	bool (*has_container)(const struct sched_node *n, struct match *m);
	/* An image there whose id, repo:tag, or repo matches. */
	bool (*has_image)(const struct sched_node *n, struct match *m);
	/* Some container there has this label, with a value that matches. */
	bool (*has_container_label)(const struct sched_node *n, struct str key, struct match *m);
	/* How many there are, creations in flight included. */
	uint32_t (*count)(const struct sched_node *n, struct sched_count *what);
	/*
	 * Of all nodes at once, each at its number below `n_to`; `any` is any of them. `to` is
	 * zeroed. groups: what the values of the nodes' own label are numbered, from 1; answers the
	 * highest. counts: as count().
	 */
	uint32_t (*groups)(const struct sched_node *any, struct str label, uint32_t *to,
			   size_t n_to);
	void (*counts)(const struct sched_node *any, struct sched_count *what, uint32_t *to,
		       size_t n_to);
};

struct sched_node {
	/* What is read of each node for each placement comes first: one cache line. */
	const struct sched_lookups *lookups;
	uint32_t number; /* its bit in a node_set: small, its own among the nodes */
	bool healthy;
	uint8_t health;				     /* degree, 0 to 100 */
	int64_t nano_cpus, memory;		     /* totals, overcommit not counted */
	int64_t reserved_nano_cpus, reserved_memory; /* containers and creations in flight */
	int64_t slots;				     /* label containerslots; -1: no limit */
	uint32_t containers;			     /* as the reservations */
	uint32_t at; /* the scheduler's scratch: its place in the array given */

	struct str id, name, addr;
	const struct sched_label *labels; /* sorted by key, built-in ones included */
	size_t n_labels;
	struct platform platform;
	const struct devices *devices; /* NULL: it tells of none */
	const int64_t
		*reserved_devices; /* of each kind of them: containers and creations in flight */
};

/* Borrows the labels. What they say that is read often is read here. */
void sched_node_set_labels(struct sched_node *n, const struct sched_label *labels, size_t n_labels);
struct str sched_node_label(const struct sched_node *n, struct str key); /* STR_NONE: none */

#endif
