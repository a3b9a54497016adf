/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/image_details.h"

#include <inttypes.h>

#include "cluster/fan.h"
#include "json/build.h"

static struct str detail_key(const void *item)
{
	return ((const struct image_detail *)item)->id;
}

static size_t count_available(struct json manifests)
{
	struct json_iter it = json_iter(manifests);
	struct json manifest;
	size_t n = 0;

	while (json_next(&it, NULL, &manifest))
		n += json_get_bool(manifest, "Available");
	return n;
}

static struct image_detail *detail_of(struct image_details *d, struct str id)
{
	struct image_detail *detail = map_get(&d->by_id, id);

	if (detail)
		return detail;
	detail = arena_new(&d->arena, struct image_detail);
	*detail = (struct image_detail){ .id = arena_dup(&d->arena, id), .shared_size = -1 };
	map_put(&d->by_id, detail);
	return detail;
}

static struct str users_key(const void *item)
{
	return ((const struct manifest_users *)item)->key;
}

static struct str key_of(struct str image_id, struct json manifest, struct arena *arena)
{
	return arena_printf(arena, "%.*s %.*s", STR_ARG(image_id),
			    STR_ARG(json_get_str(manifest, "ID")));
}

static struct manifest_users *users_of(struct image_details *d, struct str image_id,
				       struct json manifest)
{
	struct str key = key_of(image_id, manifest, &d->arena);
	struct manifest_users *users = map_get(&d->users, key);

	if (users)
		return users;
	users = arena_new(&d->arena, struct manifest_users);
	*users = (struct manifest_users){ .key = key };
	map_put(&d->users, users);
	return users;
}

static void take_users(struct image_details *d, struct str image_id, struct json manifests)
{
	struct json_iter it = json_iter(manifests), containers;
	struct json manifest, id;

	while (json_next(&it, NULL, &manifest)) {
		struct manifest_users *users = users_of(d, image_id, manifest);

		containers = json_iter(json_path(manifest, "ImageData.Containers"));
		while (json_next(&containers, NULL, &id)) {
			struct manifest_user *user = arena_new(&d->arena, struct manifest_user);

			user->next = users->first;
			user->container = arena_dup(&d->arena, json_str(id));
			users->first = user;
		}
	}
}

/* Of several nodes the one counts that shares, or has, the most. */
static void take_entry(void *details, struct json entry)
{
	struct image_details *d = details;
	struct image_detail *detail = detail_of(d, json_get_str(entry, "Id"));
	struct json manifests = json_get(entry, "Manifests");
	int64_t shared_size = json_get_i64(entry, "SharedSize", -1);
	size_t n;

	detail->shared_size = MAX(detail->shared_size, shared_size);
	if (json_type(manifests) != JSON_ARRAY)
		return;
	take_users(d, detail->id, manifests);
	n = count_available(manifests);
	if (!str_empty(detail->manifests) && n <= detail->n_available)
		return;
	detail->manifests = arena_dup(&d->arena, json_raw(manifests));
	detail->n_available = n;
}

may_suspend struct error *image_details_fetch(struct image_details *d, const struct cluster *c,
					      const struct image_query *q)
{
	if (!q->shared_size && !q->manifests)
		return NULL;
	map_init(&d->by_id, detail_key);
	map_init(&d->users, users_key);
	return fan_lists(c, API_VERSION_NEWEST,
			 arena_printf(&d->arena, "/images/json?all=1%s%s",
				      q->shared_size ? "&shared-size=1" : "",
				      q->manifests ? "&manifests=1" : ""),
			 FAN_LONG, "a node does not tell the details of its images", take_entry, d);
}

void image_details_fini(struct image_details *d)
{
	map_fini(&d->by_id);
	map_fini(&d->users);
	arena_fini(&d->arena);
}

/* A manifest that an engine lists twice has them once: what is written is what was read, at most. */
static void put_containers(struct manifest_users *users, struct json_out *o)
{
	json_begin_array(o);
	if (users && !users->told)
		for (const struct manifest_user *u = users->first; u; u = u->next)
			json_str_value(o, u->container);
	json_end_array(o);
	if (users)
		users->told = true;
}

/* An engine knows of its own containers only. */
static struct error *put_users(struct image_details *d, const struct image_detail *detail,
			       struct arena *arena, struct strbuf *out)
{
	struct json manifests, manifest;
	struct json_edit *edit;
	struct json_iter it;

	TRY(json_parse(detail->manifests, arena, &manifests));
	edit = json_edit_new(manifests, arena);
	it = json_iter(manifests);
	while (json_next(&it, NULL, &manifest)) {
		_cleanup_(strbuf_fini) struct strbuf ids = STRBUF_INIT;
		struct json image = json_get(manifest, "ImageData");
		struct json_out o = json_out(&ids);

		if (json_type(image) != JSON_OBJECT)
			continue;
		put_containers(map_get(&d->users, key_of(detail->id, manifest, arena)), &o);
		json_edit_set(edit, image, "Containers", arena_dup(arena, strbuf_str(&ids)));
	}
	json_edit_apply(edit, out);
	return NULL;
}

struct error *image_details_put(struct image_details *d, struct str id, struct json_edit *edit,
				struct json entry, struct arena *arena)
{
	const struct image_detail *detail = map_get(&d->by_id, id);
	_cleanup_(strbuf_fini) struct strbuf manifests = STRBUF_INIT;

	if (detail && detail->shared_size >= 0)
		json_edit_set(edit, entry, "SharedSize",
			      arena_printf(arena, "%" PRId64, detail->shared_size));
	if (!detail || str_empty(detail->manifests))
		return NULL;
	TRY(put_users(d, detail, arena, &manifests));
	json_edit_set(edit, entry, "Manifests", arena_dup(arena, strbuf_str(&manifests)));
	return NULL;
}
