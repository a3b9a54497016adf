/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One prune on every node. Volumes and networks are not here: theirs are about names of the pool.
 */
#include "cluster/prune.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/map.h"
#include "cluster/fan.h"
#include "json/build.h"

/* Image layers are deleted by the thousand; a node is given up sooner only when it is down. */
#define PRUNE_TIME (10 * MINUTE)

static may_suspend struct error *forget_containers(struct fan_job *job);
static may_suspend struct error *refresh_images(struct fan_job *job);
static may_suspend struct error *check_json(struct fan_job *job);

static const struct prune_row {
	const char *path, *list;
	may_suspend struct error *(*on_answer)(struct fan_job *job);
} rows[] = {
	[PRUNE_CONTAINERS] = { "/containers/prune", "ContainersDeleted", forget_containers },
	[PRUNE_IMAGES] = { "/images/prune", "ImagesDeleted", refresh_images },
	[PRUNE_BUILD_CACHE] = { "/build/prune", "CachesDeleted", check_json },
};

static struct error *read_answer(struct fan_job *job, struct json *ret)
{
	TRY(error_as(ERR_PROTOCOL, json_parse(job->body, &job->arena, ret)));
	if (json_type(*ret) != JSON_OBJECT)
		return error_new(ERR_PROTOCOL, "the answer is no JSON object");
	return NULL;
}

static may_suspend struct error *check_json(struct fan_job *job)
{
	struct json root;

	return read_answer(job, &root);
}

static may_suspend struct error *forget_containers(struct fan_job *job)
{
	struct json root, id;
	struct json_iter it;

	TRY(read_answer(job, &root));
	it = json_iter(json_get(root, "ContainersDeleted"));
	while (json_next(&it, NULL, &id))
		engine_forget_container(job->engine, json_str(id));
	return NULL;
}

/* An engine lists every layer that it deleted; only what we know as an image is looked up anew. */
static may_suspend void refresh_image(struct engine *e, struct str name, bool untagged)
{
	struct error *err;

	if (!untagged && !map_get(engine_images(e), name))
		return;
	err = engine_refresh_image(e, name);
	if (err)
		log_debug("a pruned image could not be read back", LOG_STR("node", engine_name(e)),
			  LOG_STR("image", name), LOG_ERR(err));
	error_free(err);
}

static may_suspend struct error *refresh_images(struct fan_job *job)
{
	struct json root, item;
	struct json_iter it;

	TRY(read_answer(job, &root));
	it = json_iter(json_get(root, "ImagesDeleted"));
	while (json_next(&it, NULL, &item)) {
		struct str deleted = json_get_str(item, "Deleted");
		struct str untagged = json_get_str(item, "Untagged");

		if (!str_empty(deleted))
			refresh_image(job->engine, deleted, false);
		else if (!str_empty(untagged))
			refresh_image(job->engine, untagged, true);
	}
	return NULL;
}

/* What all nodes deleted together. */
struct pruned {
	struct arena *arena;
	struct map seen; /* of struct str: an image that several nodes had is told once */
	struct strbuf list;
	struct json_out out;
	size_t n;
	int64_t space;
};

static struct str text_key(const void *item)
{
	return *(const struct str *)item;
}

static void pruned_init(struct pruned *p, struct arena *arena)
{
	*p = (struct pruned){ .arena = arena };
	map_init(&p->seen, text_key);
	p->out = json_out(&p->list);
}

static void pruned_fini(struct pruned *p)
{
	map_fini(&p->seen);
	strbuf_fini(&p->list);
}

static struct error *pruned_add(struct pruned *p, struct fan_job *job, const char *list)
{
	struct json root, item;
	struct json_iter it;

	TRY(read_answer(job, &root));
	p->space += json_get_i64(root, "SpaceReclaimed", 0);
	it = json_iter(json_get(root, list));
	while (json_next(&it, NULL, &item)) {
		struct str *text = arena_new(p->arena, struct str);

		*text = json_raw(item);
		if (map_get(&p->seen, *text))
			continue;
		map_put(&p->seen, text);
		json_raw_value(&p->out, *text);
		p->n++;
	}
	return NULL;
}

static struct error *join(struct fan *fan, const char *list, struct pruned *p)
{
	json_begin_array(&p->out);
	for (size_t i = 0; i < fan->n; i++)
		if (!fan->jobs[i].err)
			TRY(pruned_add(p, &fan->jobs[i], list));
	json_end_array(&p->out);
	return NULL;
}

/* An engine that deleted nothing says null. */
static struct str write_answer(const struct pruned *p, const char *list)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	json_begin_object(&o);
	json_put_raw(&o, list, p->n ? strbuf_str(&p->list) : STR("null"));
	json_put_i64(&o, "SpaceReclaimed", p->space);
	json_end_object(&o);
	strbuf_addc(&text, '\n');
	return arena_dup(p->arena, strbuf_str(&text));
}

static void choose_nodes(const struct cluster *c, const struct filters *filters,
			 struct engines *ret)
{
	size_t kept = 0;

	cluster_healthy_engines(c, ret);
	for (size_t i = 0; i < ret->n; i++) {
		if (filters_match_exact(filters, "node", engine_name(ret->v[i])))
			ret->v[kept++] = ret->v[i];
		else
			engine_unref(ret->v[i]);
	}
	ret->n = kept;
}

/* Engines before API 1.31 have no build cache to prune: that is no failure beside those that do. */
static struct error *failures(struct fan *fan, const struct pruned *p, enum prune_what what)
{
	enum error_kind forgive = what == PRUNE_BUILD_CACHE ? ERR_NOT_FOUND : ERR_CANCELLED;
	bool several = fan->n > 1;
	struct error *err = fan_error(fan, forgive), *rest;

	if (!err || !several)
		return err;
	rest = error_new(ERR_ENGINE, "the other nodes deleted %zu and freed %lld bytes", p->n,
			 (long long)p->space);
	return error_join(err, rest);
}

may_suspend struct error *cluster_prune(struct cluster *c, const struct prune_request *req,
					struct arena *arena, struct str *ret_json)
{
	const struct prune_row *row = &rows[req->what];
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(pruned_fini) struct pruned pruned = { 0 };
	_cleanup_(fan_fini) struct fan fan = {
		.version = req->version,
		.method = "POST",
		.path = str_from(row->path),
		.time = PRUNE_TIME,
		.on_answer = row->on_answer,
	};

	choose_nodes(c, req->filters, &engines);
	if (!engines.n)
		return error_new(ERR_NO_NODE, "No healthy node available in the cluster");
	if (!str_empty(req->query))
		fan.path = arena_printf(arena, "%s?%.*s", row->path, STR_ARG(req->query));
	pruned_init(&pruned, arena);
	TRY(fan_call(&fan, &engines));
	TRY(join(&fan, row->list, &pruned));
	*ret_json = write_answer(&pruned, row->list);
	return failures(&fan, &pruned, req->what);
}
