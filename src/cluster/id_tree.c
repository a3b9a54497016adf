/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/id_tree.h"

#include <stdlib.h>

#include "base/mem.h"

void id_tree_init(struct id_tree *t, map_key_fn *key)
{
	prefix_init(&t->first, key);
	t->twins = (struct vec)VEC_INIT;
}

void id_tree_fini(struct id_tree *t)
{
	prefix_fini(&t->first);
	vec_fini(&t->twins);
}

void id_tree_add(struct id_tree *t, struct container *ct)
{
	if (id_tree_one(t, t->first.key(ct)))
		vec_push(&t->twins, ct);
	else
		prefix_put(&t->first, ct);
}

/* A twin takes the place of the first. */
void id_tree_remove(struct id_tree *t, struct container *ct)
{
	struct str id = t->first.key(ct);

	if (vec_remove(&t->twins, ct))
		return;
	prefix_del(&t->first, id);
	for (size_t i = 0; i < t->twins.n; i++) {
		struct container *twin = t->twins.v[i];

		if (!str_eq(t->first.key(twin), id))
			continue;
		prefix_put(&t->first, twin);
		vec_remove_swap(&t->twins, i);
		return;
	}
}

struct container *id_tree_one(const struct id_tree *t, struct str id)
{
	return prefix_get(&t->first, id);
}

void id_tree_get(const struct id_tree *t, struct str id, struct vec *ret)
{
	struct container *first = id_tree_one(t, id);

	if (!first)
		return;
	vec_push(ret, first);
	for (size_t i = 0; i < t->twins.n; i++)
		if (str_eq(t->first.key(t->twins.v[i]), id))
			vec_push(ret, t->twins.v[i]);
}

bool id_tree_find(const struct id_tree *t, struct str prefix, size_t most_ids, struct vec *ret)
{
	size_t max = MIN(most_ids, t->first.n) + 1;
	_cleanup_(mem_freep) void **found = mem_realloc_array(NULL, max, sizeof(*found));
	size_t n = prefix_find(&t->first, prefix, found, max);

	for (size_t i = 0; i < MIN(n, most_ids); i++)
		vec_push(ret, found[i]);
	for (size_t i = 0; n && i < t->twins.n; i++)
		if (str_starts(t->first.key(t->twins.v[i]), prefix))
			vec_push(ret, t->twins.v[i]);
	return n > most_ids;
}
