/* SPDX-License-Identifier: Apache-2.0 */
/* A node's labels: some ten of them, so that walking them beats anything cleverer. */
#include "scheduler/node.h"

struct str sched_node_label(const struct sched_node *n, struct str key)
{
	for (size_t i = 0; i < n->n_labels; i++)
		if (str_eq(n->labels[i].key, key))
			return n->labels[i].value;
	return STR_NONE;
}
