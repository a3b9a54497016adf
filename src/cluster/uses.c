/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/uses.h"

#include "base/mem.h"
#include "cluster/internal.h"
#include "fiber/fiber.h"

/* What is global is in use wherever one container uses it; else the node belongs to the key. */
struct use {
	struct str key;
};

static struct str use_key(const void *item)
{
	return ((const struct use *)item)->key;
}

static struct str key_of(const struct engine *e, const struct object *o, struct arena *arena)
{
	return arena_printf(arena, "%s %.*s %.*s", object_kind_name(o->kind), STR_ARG(o->key),
			    STR_ARG(o->global ? STR("") : engine_addr(e)));
}

static void add(struct uses *u, const struct engine *e, const struct object *o)
{
	struct use *use;

	if (!o)
		return;
	use = arena_new(&u->arena, struct use);
	use->key = key_of(e, o, &u->arena);
	if (!map_get(&u->keys, use->key))
		map_put(&u->keys, use);
}

/* A stopped container mounts its volumes still; in its networks it has no endpoint. */
static void add_container(struct uses *u, const struct container *ct)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct engine *e = ct->engine;
	struct json root, item;
	struct json_iter it;
	struct error *err = json_parse(ct->entry, &arena, &root);

	if (err) {
		error_free(err);
		return;
	}
	it = json_iter(json_get(root, "Mounts"));
	while (json_next(&it, NULL, &item))
		if (json_str_eq(json_get(item, "Type"), STR("volume")))
			add(u, e, map_get(engine_volumes(e), json_get_str(item, "Name")));
	it = json_iter(json_path(root, "NetworkSettings.Networks"));
	while (json_next(&it, NULL, &item))
		if (!str_empty(json_get_str(item, "EndpointID")))
			add(u, e, map_get(engine_networks(e), json_get_str(item, "NetworkID")));
}

may_suspend struct error *uses_gather(struct uses *u, const struct cluster *c)
{
	_cleanup_(vec_fini) struct vec all = VEC_INIT;
	struct error *err = NULL;

	map_init(&u->keys, use_key);
	id_tree_find(&c->containers.ids, STR(""), SIZE_MAX, &all);
	/* Its engine may leave while we are parked: then nothing is there any more. */
	for (size_t i = 0; i < all.n; i++)
		engine_ref(container_ref(all.v[i])->engine);
	for (size_t i = 0; i < all.n; i++) {
		struct container *ct = all.v[i];
		struct engine *e = ct->engine;

		if (!err)
			add_container(u, ct);
		if (!err)
			err = fiber_pace();
		container_unref(ct);
		engine_unref(e);
	}
	return err;
}

void uses_fini(struct uses *u)
{
	map_fini(&u->keys);
	arena_fini(&u->arena);
}

bool uses_has(const struct uses *u, const struct engine *e, const struct object *o)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

	return map_get(&u->keys, key_of(e, o, &arena)) != NULL;
}
