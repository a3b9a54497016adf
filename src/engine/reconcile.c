/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at all that is on the engine: containers whose list entry is known (but for its ages) are
 * taken as known, the others are inspected, a few at a time. What had news of its own since the
 * lists were asked for (an event, a refresh) is left alone: the lists may be older than that. Images
 * alone are looked at where a builder has made some and says nothing of them.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "engine/internal.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

#define INSPECTORS 4

struct reconcile {
	struct list link; /* in the engine's */
	struct engine *engine;
	struct arena arena;
	unsigned int epoch;
	bool inspect_all;
	struct json containers;
	struct json_iter next; /* of them; shared by the inspectors */
	struct vec found;      /* of struct container: new or different, references */
	int64_t found_bytes;   /* that they add to what is kept */
	bool swamped;	       /* more had news than is remembered */
	struct map listed;     /* of struct str: the ids of all of the kind at hand */
	struct map touched;    /* of ids as C strings: have had news since it began */
	struct error *err;     /* the first of the inspectors' */
};

static struct str touched_key(const void *item)
{
	return str_from(item);
}

static struct str listed_key(const void *item)
{
	return *(const struct str *)item;
}

static void touch(struct reconcile *r, struct str id)
{
	if (r->swamped || map_get(&r->touched, id))
		return;
	r->swamped = id.n > LIMIT_ENGINE_NAME || r->touched.n >= r->engine->config.news;
	if (!r->swamped)
		map_put(&r->touched, str_dup(id));
}

void refresh_touch(struct engine *e, struct str id)
{
	list_for_each(link, &e->reconciles)
		touch(list_item(link, struct reconcile, link), id);
}

/* What this one found is news to another that began at another time. */
static void touch_in_others(const struct reconcile *r, struct str id)
{
	list_for_each(link, &r->engine->reconciles)
		if (link != &r->link)
			touch(list_item(link, struct reconcile, link), id);
}

static void reconcile_init(struct reconcile *r, struct engine *e)
{
	r->engine = e;
	r->epoch = e->epoch;
	map_init(&r->listed, listed_key);
	map_init(&r->touched, touched_key);
	list_append(&e->reconciles, &r->link);
}

static void reconcile_fini(struct reconcile *r)
{
	char *id;

	list_remove(&r->link);
	for (size_t at = 0; (id = map_next(&r->touched, &at));)
		free(id);
	map_fini(&r->touched);
	map_fini(&r->listed);
	for (size_t i = 0; i < r->found.n; i++)
		container_unref(r->found.v[i]);
	vec_fini(&r->found);
	error_free(r->err);
	arena_fini(&r->arena);
}

static bool is_touched(const struct reconcile *r, struct str id)
{
	return map_get(&r->touched, id) != NULL;
}

/* What it found may be put into the tables. */
static struct error *check_current(const struct reconcile *r)
{
	TRY(engine_check_epoch(r->engine, r->epoch));
	if (r->swamped)
		return error_new(ERR_TOO_LARGE, "%.*s tells more news than can be followed",
				 STR_ARG(engine_addr(r->engine)));
	return NULL;
}

static bool is_known(const struct reconcile *r, struct json entry, struct str id)
{
	const struct container *c = map_get(&r->engine->containers, id);

	return c && !r->inspect_all && c->digest == container_entry_digest(entry);
}

static may_suspend struct error *inspect(struct reconcile *r, struct json entry, struct str id)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct engine *e = r->engine;
	struct json answer;
	struct container *c;
	struct error *err = engine_call_inspect_container(e, id, &arena, &answer);

	/* Gone since the list was made: as if it had not been in it. */
	if (error_is(err, ERR_NOT_FOUND)) {
		error_free(err);
		map_del(&r->listed, id);
		return NULL;
	}
	if (err)
		return err;
	TRY(container_new(e, entry, answer, engine_ip(e), e->info->cpus, &c));
	vec_push(&r->found, c);
	r->found_bytes += engine_adds(e, c);
	return engine_check_kept(e, r->found_bytes);
}

static may_suspend struct error *take_entry(struct reconcile *r, struct json entry)
{
	struct str *id = arena_new(&r->arena, struct str);

	*id = json_get_str(entry, "Id");
	map_put(&r->listed, id);
	if (is_known(r, entry, *id) || is_touched(r, *id))
		return fiber_pace();
	return inspect(r, entry, *id);
}

static may_suspend void inspector_main(void *arg)
{
	struct reconcile *r = arg;
	struct error *err = NULL;
	struct json entry;

	while (!err && !r->err && json_next(&r->next, NULL, &entry))
		err = take_entry(r, entry);
	error_keep(&r->err, err);
}

static may_suspend struct error *inspect_new(struct reconcile *r)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	r->next = json_iter(r->containers);
	for (int i = 0; i < INSPECTORS; i++)
		group_go(&g, "engine-inspect", inspector_main, r);
	TRY(group_wait(&g));
	return take(r->err);
}

static may_suspend struct error *publish_found(struct reconcile *r)
{
	struct container *c;

	while ((c = vec_pop(&r->found))) {
		if (is_touched(r, c->id))
			container_unref(c);
		else
			engine_put_container(r->engine, c);
		TRY(fiber_pace());
		TRY(check_current(r));
	}
	return NULL;
}

static void remove_unlisted_containers(struct reconcile *r)
{
	struct engine *e = r->engine;
	struct container *c;

	for (size_t at = 0; (c = map_next(&e->containers, &at));)
		if (!map_get(&r->listed, c->id) && !is_touched(r, c->id))
			engine_remove_container(e, c->id);
}

static struct error *not_a_list(const struct engine *e, const char *of)
{
	return error_new(ERR_PROTOCOL, "%.*s: the list of %s is no array", STR_ARG(engine_addr(e)),
			 of);
}

static may_suspend struct error *reconcile_containers(struct reconcile *r)
{
	struct engine *e = r->engine;

	TRY(engine_call_list_containers(e, STR(""), &r->arena, &r->containers));
	if (json_type(r->containers) != JSON_ARRAY)
		return not_a_list(e, "containers");
	TRY(inspect_new(r));
	TRY(check_current(r));
	TRY(publish_found(r));
	remove_unlisted_containers(r);
	return NULL;
}

/* Takes the reference. */
static void take_image(struct reconcile *r, struct image *i)
{
	struct engine *e = r->engine;
	const struct image *known = map_get(&e->images, i->id);

	if (is_touched(r, i->id)) {
		image_unref(i);
		return;
	}
	touch_in_others(r, i->id);
	if (known && str_eq(known->entry, i->entry))
		image_unref(i);
	else
		engine_put_image(e, i);
}

static void remove_unlisted_images(struct reconcile *r)
{
	struct engine *e = r->engine;
	struct image *i;

	for (size_t at = 0; (i = map_next(&e->images, &at));)
		if (!map_get(&r->listed, i->id) && !is_touched(r, i->id)) {
			touch_in_others(r, i->id);
			engine_remove_image(e, i->id);
		}
}

static may_suspend struct error *reconcile_images(struct reconcile *r)
{
	struct engine *e = r->engine;
	struct json images, entry;
	struct json_iter it;
	struct image *i;

	TRY(engine_call_list_images(e, &r->arena, &images));
	TRY(check_current(r));
	if (json_type(images) != JSON_ARRAY)
		return not_a_list(e, "images");
	map_clear(&r->listed);
	it = json_iter(images);
	while (json_next(&it, NULL, &entry)) {
		struct str *id = arena_new(&r->arena, struct str);

		TRY(image_new_from_list(entry, &i));
		*id = json_get_str(entry, "Id");
		map_put(&r->listed, id);
		take_image(r, i);
		TRY(fiber_pace());
		TRY(check_current(r));
	}
	remove_unlisted_images(r);
	return NULL;
}

/* Takes the reference. */
static void take_object(struct reconcile *r, struct object *o)
{
	struct engine *e = r->engine;
	const struct object *known = map_get(&e->objects[o->kind], o->key);

	if (is_touched(r, o->key) || (known && str_eq(known->entry, o->entry)))
		object_unref(o);
	else
		engine_put_object(e, o);
}

static void remove_unlisted_objects(struct reconcile *r, enum object_kind kind)
{
	struct engine *e = r->engine;
	struct object *o;

	for (size_t at = 0; (o = map_next(&e->objects[kind], &at));)
		if (!map_get(&r->listed, o->key) && !is_touched(r, o->key))
			engine_remove_object(e, kind, o->key);
}

static may_suspend struct error *list_objects(struct reconcile *r, enum object_kind kind,
					      struct json *ret)
{
	if (kind == OBJECT_VOLUME)
		return engine_call_list_volumes(r->engine, &r->arena, ret);
	return engine_call_list_networks(r->engine, STR(""), &r->arena, ret);
}

static may_suspend struct error *reconcile_objects(struct reconcile *r, enum object_kind kind)
{
	struct json list, entry;
	struct json_iter it;
	struct object *o;

	TRY(list_objects(r, kind, &list));
	TRY(check_current(r));
	/* Go writes a slice that has nothing in it as null. */
	if (json_type(list) != JSON_ARRAY && json_type(list) != JSON_NULL)
		return not_a_list(r->engine, kind == OBJECT_VOLUME ? "volumes" : "networks");
	map_clear(&r->listed);
	it = json_iter(list);
	while (json_next(&it, NULL, &entry)) {
		struct str *key = arena_new(&r->arena, struct str);

		TRY(object_new(kind, entry, &o));
		*key = arena_dup(&r->arena, o->key);
		map_put(&r->listed, key);
		take_object(r, o);
		TRY(fiber_pace());
		TRY(check_current(r));
	}
	remove_unlisted_objects(r, kind);
	return NULL;
}

may_suspend struct error *reconcile(struct engine *e)
{
	_cleanup_(reconcile_fini) struct reconcile r = { .inspect_all = e->inspect_all };
	int64_t began = clock_now();

	reconcile_init(&r, e);
	e->inspect_all = false;

	struct error *err = reconcile_containers(&r);

	if (!err)
		err = reconcile_images(&r);
	if (!err)
		err = reconcile_objects(&r, OBJECT_VOLUME);
	if (!err)
		err = reconcile_objects(&r, OBJECT_NETWORK);
	if (err && r.inspect_all)
		e->inspect_all = true;
	if (!err)
		e->looked_at = MAX(e->looked_at, began);
	if (!err && r.inspect_all)
		e->inspected_at = began;
	return err;
}

may_suspend struct error *reconcile_images_alone(struct engine *e)
{
	_cleanup_(reconcile_fini) struct reconcile r = { 0 };

	reconcile_init(&r, e);
	return reconcile_images(&r);
}

may_suspend struct error *reconcile_info(struct engine *e)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(engine_info_unrefp) struct engine_info *info = NULL;
	unsigned int epoch = e->epoch;
	int64_t before = clock_wall();
	struct str text;

	TRY(engine_call_info(e, &arena, &text));
	TRY(engine_check_epoch(e, epoch));
	/* An engine changes its version only by a restart, which breaks the stream: see rejoin. */
	TRY(engine_info_read(engine_addr(e), text, e->info->version, before, clock_wall(), &info));
	if (str_eq(info->id, engine_id(e))) {
		engine_take_info(e, take(info));
		return NULL;
	}
	e->replaced = true;
	health_wake(e);
	return error_new(ERR_UNAVAILABLE, "another engine answers at %.*s",
			 STR_ARG(engine_addr(e)));
}
