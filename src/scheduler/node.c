/* SPDX-License-Identifier: Apache-2.0 */
/* A node's labels: some ten of them, so that walking them beats anything cleverer. */
#include "scheduler/node.h"

struct str sched_node_label(const struct sched_node *n, struct str key)
{
	const struct sched_label *end = n->labels + n->n_labels;

	/* Lengths first, here: a placement does this some ten thousand times. */
	for (const struct sched_label *l = n->labels; l < end; l++)
		if (l->key.n == key.n && str_eq(l->key, key))
			return l->value;
	return STR_NONE;
}
