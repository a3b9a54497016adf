/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/volumes.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/call.h"
#include "cluster/fan.h"
#include "cluster/internal.h"
#include "cluster/object_place.h"
#include "cluster/objects.h"
#include "fiber/deadline.h"
#include "http/url.h"
#include "json/build.h"
#include "json/edit.h"

#define CHANGE_TIME (5 * MINUTE) /* a driver may have to fetch what the volume is made of */

static struct str volume_path(struct str name, const char *rest, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_add(&path, STR("/volumes/"));
	http_encode_path(&path, name);
	strbuf_add(&path, str_from(rest));
	return arena_dup(arena, strbuf_str(&path));
}

struct volume_create {
	struct cluster *c;
	struct api_version version;
	struct arena *arena;
	struct json body;
	struct str text; /* the body for the engine: the name without its node */
	struct str name; /* "" where the engine draws one */
	struct str driver;
	struct engine *on; /* the node that the name asks for, a reference; or NULL */
	bool claimed;
	struct str project; /* likewise claimed; or empty */
};

static void volume_create_fini(struct volume_create *v)
{
	if (v->claimed)
		claim_drop(v->c, v->name);
	if (!str_empty(v->project))
		claim_drop(v->c, v->project);
	engine_unref(v->on);
}

static struct error *read_create(struct volume_create *v, struct str body)
{
	struct str full;

	if (str_empty(str_trim(body)))
		body = STR("{}");
	TRY(json_parse(body, v->arena, &v->body));
	if (json_type(v->body) != JSON_OBJECT)
		return error_new(ERR_INVALID, "the body is no JSON object");
	v->text = body;
	v->driver = json_str(json_field(v->body, "Driver"));
	full = json_str(json_field(v->body, "Name"));
	v->on = object_split_name(v->c, full, &v->name);
	if (!str_eq(v->name, full)) {
		_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT, out = STRBUF_INIT;
		struct json_edit *edit = json_edit_new(v->body, v->arena);

		json_quote(&name, v->name);
		json_edit_replace(edit, json_field(v->body, "Name"), strbuf_str(&name));
		json_edit_apply(edit, &out);
		v->text = arena_dup(v->arena, strbuf_str(&out));
	}
	return NULL;
}

static int compare_names(const struct engine *a, const struct engine *b)
{
	return str_cmp(engine_name(a), engine_name(b));
}

/* Where it is already; of several nodes always the same one that is well. NULL: nowhere. */
static struct error *find_existing(const struct volume_create *v, struct engine **ret)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	const struct found_copy *live, *best = NULL;

	*ret = NULL;
	if (str_empty(v->name))
		return NULL;
	object_index_find_all(&v->c->objects[OBJECT_VOLUME], v->name, &f);
	for (size_t i = 0; i < f.n; i++) {
		const struct found_copy *one = &f.v[i];

		if (v->on ? one->engine != v->on : engine_state(one->engine) != ENGINE_HEALTHY)
			continue;
		if (!best || compare_names(one->engine, best->engine) < 0)
			best = one;
	}
	if (best)
		*ret = engine_ref(best->engine);
	else if (f.n && !v->on)
		return object_live_copy(&f, &live);
	return NULL;
}

static bool has_driver(const struct engine *e, struct str driver)
{
	return engine_has_plugin(e, "Volume", driver);
}

static bool is_local(struct str driver)
{
	return str_empty(driver) || str_eq(driver, STR("local"));
}

/* In one step that cannot park: where it is, where somebody makes it, or where it is to be made. */
static struct error *choose_node(struct volume_create *v, struct engine **ret)
{
	struct engine *claimed = claim_engine(v->c, v->name);
	struct object_place what = {
		.body = v->body,
		.on = v->on,
		.can = is_local(v->driver) ? NULL : has_driver,
		.driver = v->driver,
		.why = "the volume driver is not there",
	};

	TRY(find_existing(v, ret));
	if (*ret)
		return NULL;
	if (claimed && (!v->on || v->on == claimed))
		*ret = engine_ref(claimed);
	else
		TRY(object_place(v->c, &what, v->arena, ret));
	if (!str_empty(v->name)) {
		claim_take(v->c, v->name, *ret);
		v->claimed = true;
	}
	if (is_local(v->driver)) {
		v->project = object_project_claim(v->body, v->arena);
		if (!str_empty(v->project))
			claim_take(v->c, v->project, *ret);
	}
	return NULL;
}

/* The answer under the pool's name, with the volume in the tables. */
static may_suspend struct error *enter(struct volume_create *v, struct engine *e, struct str reply,
				       struct str *ret_json)
{
	const struct object *o;
	struct json root;
	struct str name;

	TRY(error_as(ERR_PROTOCOL, json_parse(reply, v->arena, &root)));
	name = json_get_str(root, "Name");
	object_read_back(e, OBJECT_VOLUME, name);
	o = map_get(engine_volumes(e), name);
	if (o)
		name = object_pool_name(v->c, e, o, v->arena);
	return object_rename_text(reply, name, v->arena, ret_json);
}

static may_suspend struct error *create_on_one(struct volume_create *v, struct str *ret_json)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	struct str reply;

	TRY(choose_node(v, &e));
	TRY(call_engine_json(e, v->version, "POST", STR("/volumes/create"), v->text, v->arena,
			     &reply));
	log_info("volume created", LOG_STR("name", v->name), LOG_STR("node", engine_name(e)));
	return enter(v, e, reply, ret_json);
}

/* As the original Swarm did: with swarm.compat=1.2. */
static may_suspend struct error *create_on_all(struct volume_create *v, struct str *ret_json)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(fan_fini) struct fan fan = {
		.version = v->version,
		.method = "POST",
		.path = STR("/volumes/create"),
		.json = v->text,
	};
	bool made = false;

	cluster_healthy_engines(v->c, &engines);
	if (!engines.n)
		return error_new(ERR_NO_NODE, "No healthy node available in the cluster");
	TRY(fan_call(&fan, &engines));
	for (size_t i = 0; i < fan.n; i++) {
		if (fan.jobs[i].err)
			continue;
		object_read_back(fan.jobs[i].engine, OBJECT_VOLUME, v->name);
		/* One that cannot be read is its node's failure, and the next one is the answer. */
		if (!made)
			fan.jobs[i].err = enter(v, fan.jobs[i].engine,
						arena_dup(v->arena, fan.jobs[i].body), ret_json);
		made = made || !fan.jobs[i].err;
	}
	return fan_error(&fan, ERR_CANCELLED);
}

may_suspend struct error *cluster_create_volume(struct cluster *c, struct api_version version,
						struct str body, struct arena *arena,
						struct str *ret_json)
{
	_cleanup_(volume_create_fini) struct volume_create v = { .c = c,
								 .version = version,
								 .arena = arena };
	_cleanup_(deadline_end) struct deadline d = deadline_begin(CHANGE_TIME);

	TRY(read_create(&v, body));
	if (c->config.compat && !v.on && is_local(v.driver) && !str_empty(v.name))
		return create_on_all(&v, ret_json);
	return create_on_one(&v, ret_json);
}

/* With swarm.compat=1.2 one name is on every node, and any of them answers for it. */
static struct error *find(const struct cluster *c, struct str name, struct found *ret)
{
	const struct object_index *x = &c->objects[OBJECT_VOLUME];

	if (!c->config.compat)
		return object_index_find(x, name, ret);
	object_index_find_all(x, name, ret);
	return ret->n ? NULL : object_unknown(OBJECT_VOLUME, name);
}

may_suspend struct error *cluster_inspect_volume(struct cluster *c, struct str name,
						 struct api_version version, struct arena *arena,
						 struct str *ret_json)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	const struct found_copy *copy;
	struct error *err;
	struct str text;

	TRY(find(c, name, &f));
	TRY(object_live_copy(&f, &copy));
	err = call_engine(copy->engine, version, "GET", volume_path(copy->object->name, "", arena),
			  arena, &text);
	if (error_is(err, ERR_NOT_FOUND))
		object_read_back(copy->engine, OBJECT_VOLUME, copy->object->key);
	if (err)
		return err;
	return object_rename_text(text, object_pool_name(c, copy->engine, copy->object, arena),
				  arena, ret_json);
}

/* What is global is removed once, and gone everywhere. */
static may_suspend struct error *remove_global(const struct found *f, struct str path,
					       struct api_version version)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct found_copy *copy;
	struct str nothing;

	TRY(object_live_copy(f, &copy));
	TRY(call_engine(copy->engine, version, "DELETE", path, &arena, &nothing));
	for (size_t i = 0; i < f->n; i++)
		engine_forget_object(f->v[i].engine, OBJECT_VOLUME, f->v[i].object->key);
	return NULL;
}

static may_suspend struct error *forget_removed(struct fan_job *job)
{
	struct str name = *(const struct str *)job->fan->arg;

	engine_forget_object(job->engine, OBJECT_VOLUME, name);
	return NULL;
}

static may_suspend struct error *remove_copies(const struct found *f, struct str path,
					       struct api_version version)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	struct str name = f->v[0].object->name;
	_cleanup_(fan_fini) struct fan fan = {
		.version = version,
		.method = "DELETE",
		.path = path,
		.time = CHANGE_TIME,
		.on_answer = forget_removed,
		.arg = &name,
	};
	const struct found_copy *live;

	TRY(object_live_copy(f, &live));
	engines.v = mem_realloc_array(NULL, f->n, sizeof(*engines.v));
	for (size_t i = 0; i < f->n; i++)
		if (engine_state(f->v[i].engine) == ENGINE_HEALTHY)
			engines.v[engines.n++] = engine_ref(f->v[i].engine);
	TRY(fan_call(&fan, &engines));
	for (size_t i = 0; i < fan.n; i++)
		if (error_is(fan.jobs[i].err, ERR_NOT_FOUND))
			object_read_back(fan.jobs[i].engine, OBJECT_VOLUME, name);
	return fan_error(&fan, ERR_NOT_FOUND);
}

may_suspend struct error *cluster_remove_volume(struct cluster *c, struct str name, bool force,
						struct api_version version)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	struct error *err = find(c, name, &f);
	struct str path;

	if (force && error_is(err, ERR_NOT_FOUND)) {
		error_free(err);
		return NULL;
	}
	if (err)
		return err;
	path = volume_path(f.v[0].object->name, force ? "?force=1" : "", &arena);
	return f.v[0].object->global ? remove_global(&f, path, version)
				     : remove_copies(&f, path, version);
}
