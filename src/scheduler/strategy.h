/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strategy ranks the nodes that a container could go to. Each is a file strategy_<name>.c and a
 * row of the table in scheduler.c. For the scheduler's own files.
 */
#ifndef SCHEDULER_STRATEGY_H
#define SCHEDULER_STRATEGY_H

#include <stdint.h>

#include "scheduler/node.h"

/*
 * A node with the container placed on it, percent of its totals, rounded down; 100 for what was
 * not asked for.
 */
struct node_load {
	int64_t cpu, memory;
};

/* The lower score is the better node; then the lower tie. What is still equal is drawn by lot. */
struct rank {
	int64_t score, tie;
};

struct strategy_kind {
	const char *name;
	struct rank (*rank)(struct node_load after, const struct sched_node *node);
};

extern const struct strategy_kind strategy_spread, strategy_binpack, strategy_random;

#endif
