/* SPDX-License-Identifier: Apache-2.0 */
/* A node's labels: some ten of them, so that walking them beats anything cleverer. */
#include "scheduler/node.h"

#include "base/attr.h"

struct str sched_node_label(const struct sched_node *n, struct str key)
{
	const struct sched_label *end = n->labels + n->n_labels;

	/* Lengths first, here: a placement does this some ten thousand times. */
	for (const struct sched_label *l = n->labels; l < end; l++)
		if (l->key.n == key.n && str_eq(l->key, key))
			return l->value;
	return STR_NONE;
}

void sched_node_set_labels(struct sched_node *n, const struct sched_label *labels, size_t n_labels)
{
	struct str slots;

	n->labels = labels;
	n->n_labels = n_labels;

	/* What is no number sets no limit. */
	slots = sched_node_label(n, STR("containerslots"));
	if (!slots.p || !str_to_i64(slots, &n->slots))
		n->slots = -1;
	else
		n->slots = MAX(0, n->slots);
}
