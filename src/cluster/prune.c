/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One prune on every node.
 */
#include "cluster/prune.h"

#include "base/log.h"
#include "base/map.h"
#include "base/sum.h"
#include "cluster/fan.h"
#include "cluster/internal.h"
#include "cluster/objects.h"
#include "docker/time_arg.h"
#include "http/url.h"
#include "json/build.h"

static may_suspend struct error *forget_containers(struct fan_job *job);
static may_suspend struct error *refresh_images(struct fan_job *job);
static may_suspend struct error *check_json(struct fan_job *job);
static may_suspend struct error *forget_volumes(struct fan_job *job);
static may_suspend struct error *forget_networks(struct fan_job *job);

static const struct prune_row {
	const char *path, *list;
	may_suspend struct error *(*on_answer)(struct fan_job *job);
	const char *empty; /* the list where nothing was deleted, as engines have it */
	bool named; /* the list is of names, which nodes may share and mean different things by */
	enum object_kind kind; /* of what is named */
} rows[] = {
	[PRUNE_CONTAINERS] = { "/containers/prune", "ContainersDeleted", forget_containers, "null",
			       false, 0 },
	[PRUNE_IMAGES] = { "/images/prune", "ImagesDeleted", refresh_images, "null", false, 0 },
	[PRUNE_BUILD_CACHE] = { "/build/prune", "CachesDeleted", check_json, "null", false, 0 },
	[PRUNE_VOLUMES] = { "/volumes/prune", "VolumesDeleted", forget_volumes, "[]", true,
			    OBJECT_VOLUME },
	[PRUNE_NETWORKS] = { "/networks/prune", "NetworksDeleted", forget_networks, "null", true,
			     OBJECT_NETWORK },
};

static struct str text_key(const void *item)
{
	return *(const struct str *)item;
}

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

static may_suspend struct error *forget_volumes(struct fan_job *job)
{
	struct json root, name;
	struct json_iter it;

	TRY(read_answer(job, &root));
	it = json_iter(json_get(root, "VolumesDeleted"));
	while (json_next(&it, NULL, &name))
		engine_forget_object(job->engine, OBJECT_VOLUME, json_str(name));
	return NULL;
}

/* Engines tell names here; each network of such a name is looked at anew. */
static may_suspend struct error *forget_networks(struct fan_job *job)
{
	_cleanup_(map_fini) struct map gone = MAP_INIT(text_key);
	_cleanup_(vec_fini) struct vec keys = VEC_INIT;
	struct json root, name;
	struct json_iter it;
	struct object *o;

	TRY(read_answer(job, &root));
	it = json_iter(json_get(root, "NetworksDeleted"));
	while (json_next(&it, NULL, &name)) {
		struct str *text = arena_new(&job->arena, struct str);

		*text = json_str(name);
		map_put(&gone, text);
	}
	for (size_t at = 0; (o = map_next(engine_networks(job->engine), &at));)
		if (map_get(&gone, o->name))
			vec_push(&keys, arena_cstr(&job->arena, o->key));
	for (size_t i = 0; i < keys.n; i++)
		object_read_back(job->engine, OBJECT_NETWORK, str_from(keys.v[i]));
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
	const struct cluster *c;
	const struct prune_row *row;
	struct arena *arena;
	struct map counts; /* of struct counted: names that nodes told */
	struct map seen;   /* of struct str: an image that several nodes had is told once */
	struct strbuf list;
	struct json_out out;
	size_t n;
	int64_t space;
};

struct counted {
	struct str name;
	unsigned int nodes;
};

static struct str counted_key(const void *item)
{
	return ((const struct counted *)item)->name;
}

static void pruned_init(struct pruned *p, const struct cluster *c, const struct prune_row *row,
			struct arena *arena)
{
	*p = (struct pruned){ .c = c, .row = row, .arena = arena };
	map_init(&p->counts, counted_key);
	map_init(&p->seen, text_key);
	p->out = json_out(&p->list);
}

static void pruned_fini(struct pruned *p)
{
	map_fini(&p->seen);
	map_fini(&p->counts);
	strbuf_fini(&p->list);
}

static struct error *count_names(struct pruned *p, struct fan_job *job)
{
	struct json root, item;
	struct json_iter it;

	TRY(read_answer(job, &root));
	it = json_iter(json_get(root, p->row->list));
	while (json_next(&it, NULL, &item)) {
		struct counted *one = map_get(&p->counts, json_str(item));

		if (!one) {
			one = arena_zalloc_array(p->arena, 1, sizeof(*one));
			one->name = json_str(item);
			map_put(&p->counts, one);
		}
		one->nodes++;
	}
	return NULL;
}

/* As the list showed it: node/name where several nodes have, or had, one of that name. */
static struct str told_name(const struct pruned *p, const struct fan_job *job, struct str name)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, quoted = STRBUF_INIT;
	const struct counted *one = map_get(&p->counts, name);

	if ((one && one->nodes > 1) || p->c->config.compat ||
	    object_index_named(&p->c->objects[p->row->kind], name))
		strbuf_addf(&text, "%.*s/", STR_ARG(engine_name(job->engine)));
	strbuf_add(&text, name);
	json_quote(&quoted, strbuf_str(&text));
	return arena_dup(p->arena, strbuf_str(&quoted));
}

static struct error *pruned_add(struct pruned *p, struct fan_job *job)
{
	struct json root, item;
	struct json_iter it;

	TRY(read_answer(job, &root));
	p->space = sum_capped(p->space, json_get_i64(root, "SpaceReclaimed", 0));
	it = json_iter(json_get(root, p->row->list));
	while (json_next(&it, NULL, &item)) {
		struct str *text = arena_new(p->arena, struct str);

		*text = p->row->named ? told_name(p, job, json_str(item)) : json_raw(item);
		if (map_get(&p->seen, *text))
			continue;
		map_put(&p->seen, text);
		json_raw_value(&p->out, *text);
		p->n++;
	}
	return NULL;
}

static struct error *join(struct fan *fan, struct pruned *p)
{
	for (size_t i = 0; p->row->named && i < fan->n; i++)
		if (!fan->jobs[i].err)
			TRY(count_names(p, &fan->jobs[i]));
	json_begin_array(&p->out);
	for (size_t i = 0; i < fan->n; i++)
		if (!fan->jobs[i].err)
			TRY(pruned_add(p, &fan->jobs[i]));
	json_end_array(&p->out);
	return NULL;
}

static struct str write_answer(const struct pruned *p)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	json_begin_object(&o);
	json_put_raw(&o, p->row->list, p->n ? strbuf_str(&p->list) : str_from(p->row->empty));
	if (p->row != &rows[PRUNE_NETWORKS])
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
	bool some = fan_any_succeeded(fan);
	struct error *err = fan_error(fan, forgive), *rest;

	if (!err || !some)
		return err;
	rest = error_new(ERR_ENGINE, "the other nodes deleted %zu and freed %lld bytes", p->n,
			 (long long)p->space);
	return error_join(err, rest);
}

/* The filters with each `until` as the engine's clock has it. */
static struct filters filters_for(const struct filters *all, const struct engine *e,
				  struct arena *arena)
{
	struct filter *v = arena_new_array(arena, struct filter, all->n);

	for (size_t i = 0; i < all->n; i++) {
		struct str *values = arena_new_array(arena, struct str, all->v[i].n);
		bool is_until = str_eq(all->v[i].key, STR("until"));

		v[i] = all->v[i];
		for (size_t k = 0; k < v[i].n; k++)
			values[k] = is_until ? time_arg_ahead(v[i].values[k], engine_skew(e), arena)
					     : v[i].values[k];
		v[i].values = values;
	}
	return (struct filters){ v, all->n };
}

/* As it came where it is the same to the engine: without our own filter, and by its clock. */
static struct str path_for(struct fan_job *job)
{
	const struct prune_request *req = job->fan->arg;
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct filters filters;

	strbuf_add(&path, job->fan->path);
	if (!filters_get(req->filters, "node") &&
	    !(filters_get(req->filters, "until") && engine_skew(job->engine))) {
		strbuf_addf(&path, "%s%.*s", str_empty(req->query) ? "" : "?", STR_ARG(req->query));
		return arena_dup(&job->arena, strbuf_str(&path));
	}
	filters = filters_for(req->filters, job->engine, &job->arena);
	strbuf_addf(&path, "?%.*s%sfilters=", STR_ARG(req->rest), str_empty(req->rest) ? "" : "&");
	http_encode_query(&path, filters_format(&filters, "node", &job->arena));
	return arena_dup(&job->arena, strbuf_str(&path));
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
		.time = FAN_LONG,
		.path_for = path_for,
		.on_answer = row->on_answer,
		.arg = req,
	};

	choose_nodes(c, req->filters, &engines);
	if (!engines.n)
		return error_new(ERR_NO_NODE, "No healthy node available in the cluster");
	pruned_init(&pruned, c, row, arena);
	TRY(fan_call(&fan, &engines));
	if (req->what == PRUNE_CONTAINERS)
		guards_await_buried(c);
	TRY(join(&fan, &pruned));
	*ret_json = write_answer(&pruned);
	return failures(&fan, &pruned, req->what);
}
