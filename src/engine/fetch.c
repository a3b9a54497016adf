/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One container, image, volume or network asked of the engine anew, and put into its tables. When
 * that is done, and that it is not done twice at once, is refresh.c's affair.
 */
#include "engine/internal.h"

static bool is_gone(struct error **err)
{
	if (!error_is(*err, ERR_NOT_FOUND))
		return false;
	error_free(*err);
	*err = NULL;
	return true;
}

static struct json entry_of(struct json list, struct str id)
{
	struct json_iter it = json_iter(list);
	struct json entry;

	while (json_type(list) == JSON_ARRAY && json_next(&it, NULL, &entry))
		if (json_str_eq(json_get(entry, "Id"), id))
			return entry;
	return (struct json){ 0 };
}

/* NULL in *ret: it is gone. */
static may_suspend struct error *read_container(struct engine *e, struct str id,
						struct container **ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json list, entry, inspect;
	struct error *err;

	*ret = NULL;
	TRY(engine_call_list_containers(e, id, &arena, &list));
	entry = entry_of(list, id);
	if (!json_exists(entry))
		return NULL;
	err = engine_call_inspect_container(e, id, &arena, &inspect);
	if (is_gone(&err))
		return NULL;
	if (err)
		return err;
	TRY(container_new(e, entry, inspect, engine_ip(e), e->info->cpus, ret));
	return engine_check_kept(e, engine_adds(e, *ret));
}

may_suspend struct error *fetch_container(struct engine *e, struct str id, const bool *outdated)
{
	_cleanup_(container_unrefp) struct container *c = NULL;
	unsigned int epoch = e->epoch;

	TRY(read_container(e, id, &c));
	TRY(engine_check_epoch(e, epoch));
	if (*outdated)
		return NULL;
	refresh_touch(e, id);
	if (c)
		engine_put_container(e, take(c));
	else
		engine_remove_container(e, id);
	return NULL;
}

static bool has_tag(const struct image *i, struct str tag)
{
	for (uint32_t k = 0; k < i->n_tags; k++)
		if (str_eq(i->tags[k], tag))
			return true;
	return false;
}

/* Engines do not tell of the image that a tag was taken from. */
static void mark_former_owners(struct engine *e, struct str tag, struct str now)
{
	struct image *i;

	for (size_t at = 0; (i = map_next(&e->images, &at));)
		if (!str_eq(i->id, now) && has_tag(i, tag))
			refresh_mark_image(e, i->id);
}

static void publish_image(struct engine *e, struct image *i)
{
	struct image *before = map_get(&e->images, i->id);

	refresh_touch(e, i->id);
	for (uint32_t k = 0; k < i->n_tags; k++)
		if (!before || !has_tag(before, i->tags[k]))
			mark_former_owners(e, i->tags[k], i->id);
	/* Engines do not tell of what a build made on its way to an image. */
	if (!str_empty(i->parent) && !map_get(&e->images, i->parent))
		refresh_mark_image(e, i->parent);
	engine_put_image(e, image_ref(i));
}

may_suspend struct error *fetch_image(struct engine *e, struct str name, const bool *outdated)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(image_unrefp) struct image *i = NULL;
	unsigned int epoch = e->epoch;
	struct json inspect;
	struct error *err = engine_call_inspect_image(e, name, &arena, &inspect);
	bool gone = is_gone(&err);

	if (err)
		return err;
	if (!gone)
		TRY(image_new_from_inspect(inspect, &i));
	TRY(engine_check_epoch(e, epoch));
	if (*outdated)
		return NULL;
	refresh_touch(e, name);
	if (i)
		publish_image(e, i);
	else if (map_get(&e->images, name))
		engine_remove_image(e, name);
	else
		mark_former_owners(e, name, STR(""));
	return NULL;
}

/* Of a network its list tells, too: what inspect shows of its containers is nothing to keep. */
static may_suspend struct error *read_object(struct engine *e, enum object_kind kind,
					     struct str key, struct arena *arena, struct json *ret)
{
	struct json list;

	if (kind == OBJECT_VOLUME)
		return engine_call_inspect_volume(e, key, arena, ret);
	TRY(engine_call_list_networks(e, key, arena, &list));
	*ret = entry_of(list, key);
	return NULL;
}

may_suspend struct error *fetch_object(struct engine *e, enum object_kind kind, struct str key,
				       const bool *outdated)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(object_unrefp) struct object *o = NULL;
	unsigned int epoch = e->epoch;
	struct json entry = { 0 };
	struct error *err = read_object(e, kind, key, &arena, &entry);

	if (!is_gone(&err)) {
		TRY(err);
		if (json_exists(entry))
			TRY(object_new(kind, entry, &o));
	}
	TRY(engine_check_epoch(e, epoch));
	if (*outdated)
		return NULL;
	refresh_touch(e, key);
	if (o)
		engine_put_object(e, take(o));
	else
		engine_remove_object(e, kind, key);
	return NULL;
}
