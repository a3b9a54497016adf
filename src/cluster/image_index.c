/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/image_index.h"

#include "base/arena.h"
#include "base/mem.h"
#include "docker/ref.h"

#define ID_PREFIX STR("sha256:")

static struct str slot_key(const void *item)
{
	return ((const struct image_slot *)item)->key;
}

void image_index_init(struct image_index *x)
{
	prefix_init(&x->ids, slot_key);
	map_init(&x->names, slot_key);
}

static struct image_slot *slot_new(struct str key)
{
	struct image_slot *slot = mem_new(struct image_slot);

	slot->text = str_dup(key);
	slot->key = str_of(slot->text, key.n);
	return slot;
}

static void slot_free(struct image_slot *slot)
{
	free(slot->copies);
	free(slot->text);
	free(slot);
}

static void slot_add(struct image_slot *slot, struct engine *e, const struct image *img)
{
	if (slot->n == slot->cap) {
		slot->cap = slot->cap ? 2 * slot->cap : 2;
		slot->copies = mem_realloc_array(slot->copies, slot->cap, sizeof(*slot->copies));
	}
	slot->copies[slot->n++] = (struct image_copy){ e, img };
}

/* True where it was the last copy: the slot is empty now. */
static bool slot_remove(struct image_slot *slot, const struct engine *e, const struct image *img)
{
	for (size_t i = 0; i < slot->n; i++) {
		if (slot->copies[i].engine != e || slot->copies[i].image != img)
			continue;
		slot->copies[i] = slot->copies[--slot->n];
		break;
	}
	return slot->n == 0;
}

void image_index_fini(struct image_index *x)
{
	struct image_slot *slot;
	void *found;

	while (prefix_find(&x->ids, STR(""), &found, 1)) {
		slot = found;
		prefix_del(&x->ids, slot->key);
		slot_free(slot);
	}
	for (size_t i = 0; (slot = map_next(&x->names, &i));)
		slot_free(slot);
	prefix_fini(&x->ids);
	map_fini(&x->names);
}

static void add_id(struct image_index *x, struct engine *e, const struct image *img)
{
	struct str key = str_strip_prefix(img->id, ID_PREFIX);
	struct image_slot *slot = prefix_get(&x->ids, key);

	if (!slot) {
		slot = slot_new(key);
		prefix_put(&x->ids, slot);
	}
	slot_add(slot, e, img);
}

static void add_name(struct image_index *x, struct engine *e, const struct image *img,
		     struct str name)
{
	struct image_slot *slot = map_get(&x->names, name);

	if (!slot) {
		slot = slot_new(name);
		map_put(&x->names, slot);
	}
	slot_add(slot, e, img);
}

void image_index_add(struct image_index *x, struct engine *e, const struct image *img)
{
	add_id(x, e, img);
	for (size_t i = 0; i < img->n_tags; i++)
		add_name(x, e, img, img->tags[i]);
	for (size_t i = 0; i < img->n_digests; i++)
		add_name(x, e, img, img->digests[i]);
}

static void remove_name(struct image_index *x, struct engine *e, const struct image *img,
			struct str name)
{
	struct image_slot *slot = map_get(&x->names, name);

	if (!slot || !slot_remove(slot, e, img))
		return;
	map_del(&x->names, name);
	slot_free(slot);
}

void image_index_remove(struct image_index *x, struct engine *e, const struct image *img)
{
	struct str key = str_strip_prefix(img->id, ID_PREFIX);
	struct image_slot *slot = prefix_get(&x->ids, key);

	if (slot && slot_remove(slot, e, img)) {
		prefix_del(&x->ids, key);
		slot_free(slot);
	}
	for (size_t i = 0; i < img->n_tags; i++)
		remove_name(x, e, img, img->tags[i]);
	for (size_t i = 0; i < img->n_digests; i++)
		remove_name(x, e, img, img->digests[i]);
}

static const struct image_slot *find_id(const struct image_index *x, struct str name)
{
	void *found[2];
	size_t n = prefix_find(&x->ids, str_strip_prefix(name, ID_PREFIX), found, 2);

	return n == 1 ? found[0] : NULL;
}

/* A tag wins over the beginning of an id, as on an engine: "cafe" is an image's name first. */
const struct image_slot *image_index_find(const struct image_index *x, struct str name)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct image_slot *slot;
	struct image_ref ref;
	struct error *err;

	if (image_id_is(name))
		return find_id(x, name);

	err = image_ref_parse(name, &arena, &ref);
	if (!err) {
		slot = map_get(&x->names, image_ref_familiar(&ref, &arena));
		if (slot)
			return slot;
	}
	error_free(err);
	return image_id_maybe(name) ? find_id(x, name) : NULL;
}

const struct image *image_slot_on(const struct image_slot *slot, const struct engine *e)
{
	for (size_t i = 0; slot && i < slot->n; i++)
		if (slot->copies[i].engine == e)
			return slot->copies[i].image;
	return NULL;
}
