/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map of keys, in each a map of its values, in each a sorted array of the nodes that have it.
 * Most values are on a node or two, so the first stands in the value itself.
 */
#include "cluster/tally.h"

#include <assert.h>

#include "base/mem.h"

struct tally_key {
	struct map values;
	struct str name;
	char text[];
};

struct use {
	uint32_t node, n;
};

struct tally_value {
	uint32_t n, cap; /* uses; cap 0: there is the first alone */
	union {
		struct use first;
		struct use *uses; /* sorted by node */
	};
	uint32_t size;
	char text[];
};

static struct str key_name(const void *item)
{
	return ((const struct tally_key *)item)->name;
}

static struct str value_text(const void *item)
{
	const struct tally_value *v = item;

	return str_of(v->text, v->size);
}

void tally_init(struct tally *t)
{
	map_init(&t->keys, key_name);
}

static void value_free(struct tally_value *v)
{
	if (v->cap)
		free(v->uses);
	free(v);
}

static void key_free(struct tally_key *k)
{
	struct tally_value *v;

	for (size_t i = 0; (v = map_next(&k->values, &i));)
		value_free(v);
	map_fini(&k->values);
	free(k);
}

void tally_fini(struct tally *t)
{
	struct tally_key *k;

	for (size_t i = 0; (k = map_next(&t->keys, &i));)
		key_free(k);
	map_fini(&t->keys);
}

static struct tally_key *key_get(struct tally *t, struct str name)
{
	struct tally_key *k = map_get(&t->keys, name);

	if (k)
		return k;
	k = mem_alloc(sizeof(*k) + name.n);
	memcpy(k->text, name.n ? name.p : "", name.n);
	k->name = str_of(k->text, name.n);
	map_init(&k->values, value_text);
	map_put(&t->keys, k);
	return k;
}

static struct tally_value *value_get(struct tally_key *k, struct str text)
{
	struct tally_value *v = map_get(&k->values, text);

	if (v)
		return v;
	v = mem_alloc(sizeof(*v) + text.n);
	*v = (struct tally_value){ .size = (uint32_t)text.n };
	memcpy(v->text, text.n ? text.p : "", text.n);
	map_put(&k->values, v);
	return v;
}

static const struct use *uses_of(const struct tally_value *v)
{
	return v->cap ? v->uses : &v->first;
}

/* The first place whose node is not below `node`. */
static uint32_t lower_bound(const struct tally_value *v, uint32_t node)
{
	const struct use *uses = uses_of(v);
	uint32_t low = 0, high = v->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (uses[middle].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Room for one more; from here on the array is the value's own. */
static void uses_grow(struct tally_value *v)
{
	const struct use first = v->first;

	if (v->n < v->cap)
		return;
	if (v->cap) {
		v->cap += v->cap / 2;
		v->uses = mem_realloc_array(v->uses, v->cap, sizeof(*v->uses));
		return;
	}
	v->cap = 4;
	v->uses = mem_realloc_array(NULL, v->cap, sizeof(*v->uses));
	v->uses[0] = first;
}

void tally_add(struct tally *t, struct str key, struct str value, uint32_t node)
{
	struct tally_value *v = value_get(key_get(t, key), value);
	uint32_t at = lower_bound(v, node);
	struct use *uses = (struct use *)uses_of(v);

	if (at < v->n && uses[at].node == node) {
		uses[at].n++;
		return;
	}
	if (v->n == 0 && !v->cap) {
		v->first = (struct use){ node, 1 };
		v->n = 1;
		return;
	}
	uses_grow(v);
	memmove(v->uses + at + 1, v->uses + at, (v->n - at) * sizeof(*v->uses));
	v->uses[at] = (struct use){ node, 1 };
	v->n++;
}

static void value_drop(struct tally *t, struct tally_key *k, struct tally_value *v)
{
	map_del(&k->values, value_text(v));
	value_free(v);
	if (k->values.n)
		return;
	map_del(&t->keys, k->name);
	key_free(k);
}

void tally_remove(struct tally *t, struct str key, struct str value, uint32_t node)
{
	struct tally_key *k = map_get(&t->keys, key);
	struct tally_value *v = k ? map_get(&k->values, value) : NULL;
	uint32_t at;
	struct use *uses;

	assert(v);
	at = lower_bound(v, node);
	uses = (struct use *)uses_of(v);
	assert(at < v->n && uses[at].node == node);
	if (--uses[at].n)
		return;
	memmove(uses + at, uses + at + 1, (v->n - at - 1) * sizeof(*uses));
	if (--v->n == 0)
		value_drop(t, k, v);
}

const struct tally_value *tally_find(const struct tally *t, struct str key, struct str value)
{
	const struct tally_key *k = map_get(&t->keys, key);

	return k ? map_get(&k->values, value) : NULL;
}

uint32_t tally_count(const struct tally_value *v, uint32_t node)
{
	uint32_t at;

	if (!v)
		return 0;
	at = lower_bound(v, node);
	return at < v->n && uses_of(v)[at].node == node ? uses_of(v)[at].n : 0;
}

void tally_counts(const struct tally_value *v, uint32_t *to, size_t n)
{
	const struct use *uses = v ? uses_of(v) : NULL;

	for (uint32_t i = 0; v && i < v->n && uses[i].node < n; i++)
		to[uses[i].node] = uses[i].n;
}

uint32_t tally_groups(const struct tally *t, struct str key, uint32_t *to, size_t n)
{
	const struct tally_key *k = map_get(&t->keys, key);
	const struct tally_value *v;
	uint32_t number = 0;

	for (size_t i = 0; k && (v = map_next(&k->values, &i));) {
		const struct use *uses = uses_of(v);

		number++;
		for (uint32_t u = 0; u < v->n && uses[u].node < n; u++)
			to[uses[u].node] = number;
	}
	return number;
}

static void add_nodes(const struct tally_value *v, struct node_set *to)
{
	const struct use *uses = uses_of(v);

	for (uint32_t i = 0; i < v->n; i++)
		node_set_add(to, uses[i].node);
}

static void match_text(const struct tally_key *k, struct str text, struct node_set *to)
{
	const struct tally_value *v = map_get(&k->values, text);

	if (v)
		add_nodes(v, to);
}

/* "a|b": each part is looked up. */
static void match_parts(const struct tally_key *k, struct str text, struct node_set *to)
{
	struct str rest = text, part;

	while (str_next(&rest, '|', &part))
		match_text(k, part, to);
}

void tally_match(const struct tally *t, struct str key, struct match *match, match_test_fn *test,
		 struct node_set *to)
{
	const struct tally_key *k = map_get(&t->keys, key);
	const struct tally_value *v;

	if (!k)
		return;
	if (match->kind == MATCH_PLAIN && test == match_test) {
		match_text(k, match->text, to);
		return;
	}
	if (match->kind == MATCH_PLAIN && test == match_test_any) {
		match_parts(k, match->text, to);
		return;
	}
	for (size_t i = 0; !match->exceeded && (v = map_next(&k->values, &i));)
		if (test(match, value_text(v)))
			add_nodes(v, to);
}
