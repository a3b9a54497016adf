/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes have an image, and what is done on all of those. The merged list is image_list.c;
 * pull.c and load.c bring images to the nodes.
 */
#include "cluster/images.h"

#include "base/log.h"
#include "base/mem.h"
#include "cluster/fan.h"
#include "cluster/internal.h"
#include "docker/ref.h"
#include "http/url.h"
#include "json/build.h"

struct error *cluster_no_such_image(struct str image)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct image_ref ref;

	if (!image_id_is(image)) {
		TRY(image_ref_parse(image, &arena, &ref));
		image = image_ref_familiar(&ref, &arena);
	}
	return error_new(ERR_NOT_FOUND, "No such image: %.*s", STR_ARG(image));
}

void cluster_image_nodes(const struct cluster *c, struct str image, struct engines *ret)
{
	const struct slot *slot = image_index_find(&c->images, image);
	size_t n = slot ? slot->n : 0;

	*ret = (struct engines){ mem_realloc_array(NULL, n + 1, sizeof(*ret->v)), 0 };
	for (size_t i = 0; i < n; i++) {
		struct engine *e = slot->copies[i].engine;

		if (engine_state(e) == ENGINE_HEALTHY)
			ret->v[ret->n++] = engine_ref(e);
	}
}

bool cluster_image_is_pullable(const struct cluster *c, struct str image)
{
	const struct slot *slot = image_index_find(&c->images, image);

	if (slot && image_index_is_id(slot))
		return false;
	for (size_t i = 0; slot && i < slot->n; i++)
		if (slot->copies[i].image->n_digests)
			return true;
	return false;
}

struct error *cluster_image_node(const struct cluster *c, struct str image, struct engine **ret)
{
	const struct slot *slot = image_index_find(&c->images, image);

	/* Of images that share a name the latest: what was just built is what its client means. */
	for (size_t i = slot ? slot->n : 0; i > 0; i--) {
		struct engine *e = slot->copies[i - 1].engine;

		if (engine_state(e) == ENGINE_HEALTHY) {
			*ret = engine_ref(e);
			return NULL;
		}
	}
	return cluster_no_such_image(image);
}

/* "busybox:1" of "busybox": all behind the name is a tag. */
static bool is_tag_of(struct str name, struct str repository)
{
	struct str tag = str_skip(name, repository.n);

	return str_starts(name, repository) && str_starts(tag, STR(":")) && !str_has_char(tag, '/');
}

static const struct slot *next_tag(const struct cluster *c, struct str repository, size_t *at)
{
	const struct slot *slot;

	while ((slot = map_next(&c->images.names, at)))
		if (is_tag_of(slot->key, repository))
			return slot;
	return NULL;
}

static bool has_every_tag(const struct cluster *c, struct str repository, const struct engine *e)
{
	const struct slot *slot;

	for (size_t at = 0; (slot = next_tag(c, repository, &at));)
		if (!slot_copy_on(slot, e))
			return false;
	return true;
}

struct error *cluster_repository_node(const struct cluster *c, struct str repository,
				      struct engine **ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct slot *first;
	struct image_ref ref;
	struct str name;
	size_t at = 0;

	TRY(image_ref_parse(repository, &arena, &ref));
	name = image_ref_familiar_name(&ref, &arena);
	first = next_tag(c, name, &at);
	if (!first)
		return cluster_no_such_image(repository);
	for (size_t i = 0; i < first->n; i++) {
		struct engine *e = first->copies[i].engine;

		if (engine_state(e) != ENGINE_HEALTHY || !has_every_tag(c, name, e))
			continue;
		*ret = engine_ref(e);
		return NULL;
	}
	return error_new(
		ERR_CONFLICT,
		"no node has all tags of %.*s: push them one by one, each from where it is",
		STR_ARG(repository));
}

/* "busybox" where that is a repository of the pool, named without tag or digest; else empty. */
static struct str repository_alone(const struct cluster *c, struct str image, struct arena *arena)
{
	struct image_ref ref;
	struct error *err;
	struct str name;

	if (image_id_is(image))
		return STR_NONE;
	err = image_ref_parse(image, arena, &ref);
	if (err) {
		error_free(err);
		return STR_NONE;
	}
	if (!str_empty(ref.tag) || !str_empty(ref.digest))
		return STR_NONE;
	name = image_ref_familiar_name(&ref, arena);
	return image_index_repo(&c->images, name) ? name : STR_NONE;
}

static int compare_names(const void *a, const void *b)
{
	const struct str *one = a, *other = b;

	return str_cmp(*one, *other);
}

static void add_name(struct vec *names, struct str name, struct arena *arena)
{
	struct str *copy = arena_new(arena, struct str);

	*copy = arena_dup(arena, name);
	vec_push(names, copy);
}

void cluster_saved_images(const struct cluster *c, struct str image, struct arena *arena,
			  struct vec *ret)
{
	_cleanup_(vec_fini) struct vec tags = VEC_INIT;
	struct str repository = repository_alone(c, image, arena);
	const struct slot *slot;

	if (str_empty(repository)) {
		add_name(ret, image, arena);
		return;
	}
	for (size_t at = 0; (slot = next_tag(c, repository, &at));)
		add_name(&tags, slot->key, arena);
	vec_sort(&tags, compare_names);
	for (size_t i = 0; i < tags.n; i++)
		vec_push(ret, tags.v[i]);
}

/* What changed is in the tables before the client hears of it; a failure is made good by events. */
static may_suspend void refresh(struct engine *e, struct str image)
{
	struct error *err = engine_refresh_image(e, image);

	if (err)
		log_debug("an image could not be read back", LOG_STR("node", engine_name(e)),
			  LOG_STR("image", image), LOG_ERR(err));
	error_free(err);
}

/* Which image had the name on this node, and by what is in the tables still has. */
static struct str former_image(const struct cluster *c, struct str name, struct str id,
			       const struct engine *e, struct arena *arena)
{
	const struct slot *slot = image_index_find(&c->images, name);

	for (size_t i = 0; slot && i < slot->n; i++)
		if (slot->copies[i].engine == e && !str_eq(slot->copies[i].image->id, id))
			return arena_dup(arena, slot->copies[i].image->id);
	return STR_NONE;
}

may_suspend void cluster_image_made(struct cluster *c, struct str client, struct str name,
				    struct str id, struct engine *e)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str former;

	refresh(e, id);
	if (str_empty(name))
		return;
	former = former_image(c, name, id, e, &arena);
	if (!str_empty(former))
		refresh(e, former);
	pull_target_built(c, client, name, e);
}

static void image_path(struct strbuf *path, struct str image, const char *rest, struct str query)
{
	strbuf_add(path, STR("/images/"));
	http_encode_path(path, image);
	strbuf_add(path, str_from(rest));
	if (!str_empty(query)) {
		strbuf_addc(path, '?');
		strbuf_add(path, query);
	}
}

may_suspend struct error *cluster_tag(struct cluster *c, struct str image, struct str query,
				      struct api_version version)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	_cleanup_(fan_fini) struct fan fan = { .version = version, .method = "POST" };

	cluster_image_nodes(c, image, &engines);
	if (!engines.n)
		return cluster_no_such_image(image);
	image_path(&path, image, "/tag", query);
	fan.path = strbuf_str(&path);
	TRY(fan_call(&fan, &engines));
	for (size_t i = 0; i < fan.n; i++)
		if (!fan.jobs[i].err)
			refresh(fan.jobs[i].engine, image);
	return fan_error(&fan, ERR_NOT_FOUND);
}

/* Adds one node's [{"Untagged":"x"},{"Deleted":"sha256:..."}] to the list, each line once. */
static may_suspend struct error *join_removed(struct fan_job *job, struct map *seen,
					      struct arena *arena, struct json_out *o)
{
	struct json root, item;
	struct json_iter it;

	TRY(error_as(ERR_PROTOCOL, json_parse(job->body, arena, &root)));
	it = json_iter(root);
	while (json_next(&it, NULL, &item)) {
		struct str *text = arena_new(arena, struct str);
		struct str deleted = json_get_str(item, "Deleted");

		*text = json_raw(item);
		if (!map_get(seen, *text)) {
			map_put(seen, text);
			json_raw_value(o, *text);
		}
		if (!str_empty(deleted))
			refresh(job->engine, deleted);
	}
	return NULL;
}

static struct str text_key(const void *item)
{
	return *(const struct str *)item;
}

/* An answer that cannot be read is its node's failure. */
static may_suspend void join_all_removed(struct fan *fan, struct arena *arena, struct str *ret_json)
{
	_cleanup_(map_fini) struct map seen = MAP_INIT(text_key);
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_out o = json_out(&out);

	json_begin_array(&o);
	for (size_t i = 0; i < fan->n; i++)
		if (!fan->jobs[i].err)
			fan->jobs[i].err = join_removed(&fan->jobs[i], &seen, arena, &o);
	json_end_array(&o);
	*ret_json = arena_dup(arena, strbuf_str(&out));
}

may_suspend struct error *cluster_remove_image(struct cluster *c, struct str image,
					       struct str query, struct api_version version,
					       struct arena *arena, struct str *ret_json)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	_cleanup_(fan_fini) struct fan fan = { .version = version,
					       .method = "DELETE",
					       .time = FAN_LONG };
	const struct slot *slot = image_index_find(&c->images, image);
	struct str *ids;

	cluster_image_nodes(c, image, &engines);
	if (!engines.n)
		return cluster_no_such_image(image);
	ids = arena_new_array(arena, struct str, engines.n);
	for (size_t i = 0; i < engines.n; i++)
		ids[i] = arena_dup(arena, slot_copy_on(slot, engines.v[i])->image->id);

	image_path(&path, image, "", query);
	fan.path = strbuf_str(&path);
	TRY(fan_call(&fan, &engines));
	for (size_t i = 0; i < fan.n; i++)
		refresh(fan.jobs[i].engine, ids[i]);
	join_all_removed(&fan, arena, ret_json);
	return fan_error(&fan, ERR_NOT_FOUND);
}
