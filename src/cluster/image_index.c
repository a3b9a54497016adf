/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/image_index.h"

#include "base/arena.h"
#include "docker/ref.h"

#define ID_PREFIX STR("sha256:")

void image_index_init(struct image_index *x)
{
	prefix_init(&x->ids, slot_key);
	map_init(&x->names, slot_key);
	map_init(&x->repos, slot_key);
}

void image_index_fini(struct image_index *x)
{
	slot_tree_fini(&x->ids);
	slot_map_fini(&x->names);
	slot_map_fini(&x->repos);
}

static struct str repo_of(struct str tag)
{
	struct str repo, rest;

	str_rcut(tag, ':', &repo, &rest);
	return repo;
}

void image_index_add(struct image_index *x, struct engine *e, const struct image *img)
{
	slot_tree_add(&x->ids, str_strip_prefix(img->id, ID_PREFIX), e, img);
	for (size_t i = 0; i < img->n_tags; i++) {
		slot_map_add(&x->names, img->tags[i], e, img);
		slot_map_add(&x->repos, repo_of(img->tags[i]), e, img);
	}
	for (size_t i = 0; i < img->n_digests; i++)
		slot_map_add(&x->names, img->digests[i], e, img);
}

void image_index_remove(struct image_index *x, struct engine *e, const struct image *img)
{
	slot_tree_remove(&x->ids, str_strip_prefix(img->id, ID_PREFIX), e, img);
	for (size_t i = 0; i < img->n_tags; i++) {
		slot_map_remove(&x->names, img->tags[i], e, img);
		slot_map_remove(&x->repos, repo_of(img->tags[i]), e, img);
	}
	for (size_t i = 0; i < img->n_digests; i++)
		slot_map_remove(&x->names, img->digests[i], e, img);
}

static const struct slot *find_id(const struct image_index *x, struct str name)
{
	void *found[2];
	size_t n = prefix_find(&x->ids, str_strip_prefix(name, ID_PREFIX), found, 2);

	return n == 1 ? found[0] : NULL;
}

/* A tag wins over the beginning of an id, as on an engine: "cafe" is an image's name first. */
const struct slot *image_index_find(const struct image_index *x, struct str name)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct slot *slot;
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

bool image_index_is_id(const struct slot *slot)
{
	return str_eq(slot->key, str_strip_prefix(slot->copies[0].image->id, ID_PREFIX));
}

const struct slot *image_index_repo(const struct image_index *x, struct str repo)
{
	return map_get(&x->repos, repo);
}

const struct image *image_slot_on(const struct slot *slot, const struct engine *e)
{
	const struct copy *copy = slot_copy_on(slot, e);

	return copy ? copy->image : NULL;
}
