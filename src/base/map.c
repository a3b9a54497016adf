/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing with linear probing. A slot's tag is the low half of the key's hash, 0 where the
 * slot is empty; an item stands as near behind slot `tag mod cap` as there was room. Deleting moves
 * the items behind back, so that there are no tombstones, and growing needs no key.
 */
#include "base/map.h"

#include <assert.h>

#include "base/attr.h"
#include "base/mem.h"

enum { SMALLEST = 16 };

void map_init(struct map *m, map_key_fn *key)
{
	*m = (struct map){ .key = key };
}

void map_fini(struct map *m)
{
	map_clear(m);
}

void map_clear(struct map *m)
{
	free(m->tags);
	free(m->items);
	map_init(m, m->key);
}

static uint32_t tag_of(struct str key)
{
	uint32_t tag = (uint32_t)str_hash(key);

	return tag ? tag : 1;
}

/* The slot that holds the key, or the empty one where it would go. There always is an empty one. */
static size_t find_slot(const struct map *m, struct str key, uint32_t tag)
{
	size_t mask = m->cap - 1;
	size_t slot = tag & mask;

	while (m->tags[slot]) {
		if (m->tags[slot] == tag && str_eq(m->key(m->items[slot]), key))
			break;
		slot = (slot + 1) & mask;
	}
	return slot;
}

void *map_get(const struct map *m, struct str key)
{
	size_t slot;

	if (m->n == 0)
		return NULL;
	slot = find_slot(m, key, tag_of(key));
	return m->tags[slot] ? m->items[slot] : NULL;
}

static void grow(struct map *m)
{
	struct map old = *m;
	size_t mask;

	m->cap = MAX(old.cap * 2, (size_t)SMALLEST);
	assert(m->cap <= UINT32_MAX);
	mask = m->cap - 1;
	m->tags = mem_zalloc(m->cap * sizeof(*m->tags));
	m->items = mem_realloc_array(NULL, m->cap, sizeof(*m->items));

	for (size_t i = 0; i < old.cap; i++) {
		size_t slot = old.tags[i] & mask;

		if (!old.tags[i])
			continue;
		while (m->tags[slot])
			slot = (slot + 1) & mask;
		m->tags[slot] = old.tags[i];
		m->items[slot] = old.items[i];
	}
	free(old.tags);
	free(old.items);
}

void *map_put(struct map *m, void *item)
{
	struct str key = m->key(item);
	uint32_t tag = tag_of(key);
	void *replaced = NULL;
	size_t slot;

	/* At most 27 of 32 slots are taken. */
	if (m->n + 1 > m->cap / 32 * 27 + m->cap % 32 * 27 / 32)
		grow(m);
	slot = find_slot(m, key, tag);
	if (m->tags[slot])
		replaced = m->items[slot];
	else
		m->n++;
	m->tags[slot] = tag;
	m->items[slot] = item;
	return replaced;
}

/* Closes the gap: each item behind it that may stand there moves into it and leaves a new gap. */
static void close_gap(struct map *m, size_t gap)
{
	size_t mask = m->cap - 1;

	for (size_t slot = (gap + 1) & mask; m->tags[slot]; slot = (slot + 1) & mask) {
		size_t from_home = (slot - m->tags[slot]) & mask;

		if (from_home < ((slot - gap) & mask))
			continue;
		m->tags[gap] = m->tags[slot];
		m->items[gap] = m->items[slot];
		gap = slot;
	}
	m->tags[gap] = 0;
}

void *map_del(struct map *m, struct str key)
{
	void *item;
	size_t slot;

	if (m->n == 0)
		return NULL;
	slot = find_slot(m, key, tag_of(key));
	if (!m->tags[slot])
		return NULL;
	item = m->items[slot];
	close_gap(m, slot);
	m->n--;
	return item;
}

static size_t highest_empty(const struct map *m)
{
	size_t slot = m->cap - 1;

	while (m->tags[slot])
		slot--;
	return slot;
}

/*
 * The walk goes down, since deleting moves items down into slots that were visited already. The
 * run of items that goes over the end of the table is why it does not simply begin at the top: it
 * begins at the highest empty slot, goes down to slot 0, and then from the top to that empty slot.
 *
 * pos: 0 at first; slot + 1 before slot is looked at in the lower part, cap + 1 + slot in the
 * upper.
 */
void *map_next(const struct map *m, size_t *pos)
{
	size_t slot;

	if (m->cap == 0)
		return NULL;
	if (*pos == 0)
		*pos = highest_empty(m) + 1;

	while (*pos > 0 && *pos <= m->cap) {
		slot = *pos - 1;
		*pos = slot ? slot : 2 * m->cap;
		if (m->tags[slot])
			return m->items[slot];
	}
	slot = *pos - m->cap - 1;
	if (!m->tags[slot])
		return NULL;
	*pos -= 1;
	return m->items[slot];
}
