/* SPDX-License-Identifier: Apache-2.0 */
/* random: any node that has room. */
#include "scheduler/strategy.h"

static struct rank rank(struct node_load after, const struct sched_node *node)
{
	(void)after;
	(void)node;
	return (struct rank){ 0, 0 };
}

const struct strategy_kind strategy_random = { "random", rank };
