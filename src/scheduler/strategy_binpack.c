/* SPDX-License-Identifier: Apache-2.0 */
/* binpack: the fullest node that has room, so that others stay empty for what is large. */
#include "scheduler/strategy.h"

static struct rank rank(struct node_load after, const struct sched_node *node)
{
	return (struct rank){ -(after.cpu + after.memory + 10 * (int64_t)node->health),
			      -(int64_t)node->containers };
}

const struct strategy_kind strategy_binpack = { "binpack", rank };
