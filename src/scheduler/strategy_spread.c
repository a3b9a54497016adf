/* SPDX-License-Identifier: Apache-2.0 */
/* spread: the node with the most to give, and the fewest containers. */
#include "scheduler/strategy.h"

static struct rank rank(struct node_load after, const struct sched_node *node)
{
	return (struct rank){ after.cpu + after.memory - 10 * (int64_t)node->health,
			      node->containers };
}

const struct strategy_kind strategy_spread = { "spread", rank };
