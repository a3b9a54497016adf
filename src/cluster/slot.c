/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct str slot_key(const void *slot)
{
	return ((const struct slot *)slot)->key;
}

static struct slot *slot_new(struct str key)
{
	struct slot *slot = mem_new(struct slot);

	slot->text = str_dup(key);
	slot->key = str_of(slot->text, key.n);
	return slot;
}

static void slot_free(struct slot *slot)
{
	free(slot->copies);
	free(slot->text);
	free(slot);
}

static void add_copy(struct slot *slot, struct engine *e, const void *item)
{
	if (slot->n == slot->cap) {
		slot->cap = slot->cap ? 2 * slot->cap : 2;
		slot->copies = mem_realloc_array(slot->copies, slot->cap, sizeof(*slot->copies));
	}
	slot->copies[slot->n++] = (struct copy){ .engine = e, .item = item };
}

/* True where it was the last copy: the slot is empty now. */
static bool remove_copy(struct slot *slot, const struct engine *e, const void *item)
{
	for (size_t i = 0; i < slot->n; i++) {
		if (slot->copies[i].engine != e || slot->copies[i].item != item)
			continue;
		slot->n--;
		memmove(&slot->copies[i], &slot->copies[i + 1],
			(slot->n - i) * sizeof(*slot->copies));
		break;
	}
	return slot->n == 0;
}

void slot_map_add(struct map *slots, struct str key, struct engine *e, const void *item)
{
	struct slot *slot = map_get(slots, key);

	if (!slot) {
		slot = slot_new(key);
		map_put(slots, slot);
	}
	add_copy(slot, e, item);
}

void slot_map_remove(struct map *slots, struct str key, struct engine *e, const void *item)
{
	struct slot *slot = map_get(slots, key);

	if (!slot || !remove_copy(slot, e, item))
		return;
	map_del(slots, key);
	slot_free(slot);
}

void slot_map_fini(struct map *slots)
{
	struct slot *slot;

	for (size_t i = 0; (slot = map_next(slots, &i));)
		slot_free(slot);
	map_fini(slots);
}

void slot_tree_add(struct prefix_tree *slots, struct str key, struct engine *e, const void *item)
{
	struct slot *slot = prefix_get(slots, key);

	if (!slot) {
		slot = slot_new(key);
		prefix_put(slots, slot);
	}
	add_copy(slot, e, item);
}

void slot_tree_remove(struct prefix_tree *slots, struct str key, struct engine *e, const void *item)
{
	struct slot *slot = prefix_get(slots, key);

	if (!slot || !remove_copy(slot, e, item))
		return;
	prefix_del(slots, key);
	slot_free(slot);
}

void slot_tree_fini(struct prefix_tree *slots)
{
	void *found;

	while (prefix_find(slots, STR(""), &found, 1)) {
		struct slot *slot = found;

		prefix_del(slots, slot->key);
		slot_free(slot);
	}
	prefix_fini(slots);
}

const struct copy *slot_copy_on(const struct slot *slot, const struct engine *e)
{
	for (size_t i = 0; slot && i < slot->n; i++)
		if (slot->copies[i].engine == e)
			return &slot->copies[i];
	return NULL;
}
