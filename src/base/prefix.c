/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crit-bit tree (Bernstein): an inner node names the first bit in which the keys below it differ,
 * and has a child for each value of it. Pointers to inner nodes have their lowest bit set. A key
 * counts as followed by NUL bytes without end, which is why it must not hold any.
 */
#include "base/prefix.h"

#include <assert.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/slab.h"
#include "base/vec.h"

struct inner {
	void *child[2];
	uint32_t byte; /* which byte of the key ... */
	uint8_t bit;   /* ... and which bit of it, as a mask */
};

static_assert(sizeof(struct inner) == 24, "prefix.h promises 24 bytes");

void prefix_init(struct prefix_tree *t, map_key_fn *key)
{
	*t = (struct prefix_tree){ .key = key };
}

static struct inner *inner_of(void *p)
{
	return (uintptr_t)p & 1 ? (struct inner *)((char *)p - 1) : NULL;
}

static void *tagged(struct inner *node)
{
	return (char *)node + 1;
}

static uint8_t byte_at(struct str key, uint32_t i)
{
	return i < key.n ? (uint8_t)key.p[i] : 0;
}

static int side(const struct inner *node, struct str key)
{
	return (byte_at(key, node->byte) & node->bit) != 0;
}

void prefix_fini(struct prefix_tree *t)
{
	struct inner *node = inner_of(t->root);

	/* Turned as it goes: a node's inner left child is lifted above it until there is none. */
	while (node) {
		struct inner *left = inner_of(node->child[0]);
		struct inner *right = inner_of(node->child[1]);

		if (left) {
			node->child[0] = left->child[1];
			left->child[1] = tagged(node);
			node = left;
			continue;
		}
		slab_free(node, sizeof(*node));
		node = right;
	}
	prefix_init(t, t->key);
}

/* The only item that can have this key: the one that all its bits lead to. */
static void *closest(const struct prefix_tree *t, struct str key)
{
	void *p = t->root;

	for (struct inner *node = inner_of(p); node; node = inner_of(p))
		p = node->child[side(node, key)];
	return p;
}

void *prefix_get(const struct prefix_tree *t, struct str key)
{
	void *item = closest(t, key);

	return item && str_eq(t->key(item), key) ? item : NULL;
}

/* The link to whatever stands below the node for (byte, bit) on the key's path. */
static void **link_below(struct prefix_tree *t, struct str key, uint32_t byte, uint8_t bit)
{
	void **link = &t->root;

	for (struct inner *node = inner_of(*link); node; node = inner_of(*link)) {
		if (node->byte > byte || (node->byte == byte && node->bit < bit))
			break;
		link = &node->child[side(node, key)];
	}
	return link;
}

static void *replace_item(struct prefix_tree *t, struct str key, void *item)
{
	void **link = link_below(t, key, UINT32_MAX, 0);
	void *replaced = *link;

	*link = item;
	return replaced;
}

static uint8_t highest_bit(unsigned int x)
{
	return (uint8_t)(0x80u >> (__builtin_clz(x) - 24));
}

void *prefix_put(struct prefix_tree *t, void *item)
{
	void *near = t->root ? closest(t, t->key(item)) : NULL;
	struct str key = t->key(item), near_key;
	struct inner *node;
	uint32_t byte = 0;
	void **link;

	assert(((uintptr_t)item & 1) == 0 && key.n < UINT32_MAX && !str_has_char(key, '\0'));
	if (!near) {
		t->root = item;
		t->n = 1;
		return NULL;
	}
	near_key = t->key(near);
	if (str_eq(key, near_key))
		return replace_item(t, key, item);
	while (byte_at(key, byte) == byte_at(near_key, byte))
		byte++;

	node = slab_alloc(sizeof(*node));
	node->byte = byte;
	node->bit = highest_bit(byte_at(key, byte) ^ byte_at(near_key, byte));
	link = link_below(t, key, byte, node->bit);
	node->child[side(node, key)] = item;
	node->child[!side(node, key)] = *link;
	*link = tagged(node);
	t->n++;
	return NULL;
}

void *prefix_del(struct prefix_tree *t, struct str key)
{
	void **above = NULL, **link = &t->root;
	struct inner *parent = NULL;
	void *item;

	for (struct inner *node = inner_of(*link); node; node = inner_of(*link)) {
		above = link;
		parent = node;
		link = &node->child[side(node, key)];
	}
	item = *link;
	if (!item || !str_eq(t->key(item), key))
		return NULL;
	if (parent) {
		*above = parent->child[!side(parent, key)];
		slab_free(parent, sizeof(*parent));
	} else {
		t->root = NULL;
	}
	t->n--;
	return item;
}

/*
 * All items below p in order, up to max. What waits on the way is kept in a vec, not on our stack.
 */
static size_t collect(void *p, void **ret, size_t max)
{
	_cleanup_(vec_fini) struct vec waiting = VEC_INIT;
	struct inner *node;
	size_t n = 0;

	for (; p && n < max; p = vec_pop(&waiting)) {
		while ((node = inner_of(p))) {
			vec_push(&waiting, node->child[1]);
			p = node->child[0];
		}
		ret[n++] = p;
	}
	return n;
}

size_t prefix_find(const struct prefix_tree *t, struct str prefix, void **ret, size_t max)
{
	void *p = t->root, *any;
	struct inner *node;

	/*
	 * Below the last node that looks at a byte of the prefix, all items agree in these bytes.
	 */
	for (node = inner_of(p); node && node->byte < prefix.n; node = inner_of(p))
		p = node->child[side(node, prefix)];
	any = p;
	for (node = inner_of(any); node; node = inner_of(any))
		any = node->child[0];
	if (!any || !str_starts(t->key(any), prefix))
		return 0;
	return collect(p, ret, max);
}
