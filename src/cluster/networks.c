/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/networks.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/call.h"
#include "cluster/endpoints.h"
#include "cluster/fan.h"
#include "cluster/internal.h"
#include "cluster/object_place.h"
#include "cluster/objects.h"
#include "fiber/deadline.h"
#include "json/build.h"
#include "json/edit.h"

#define CHANGE_TIME (60 * SECOND)

bool network_is_joinable(const struct engine *e, const struct object *network)
{
	const struct engine_info *info = engine_info(e);

	if (map_get(engine_networks(e), network->key))
		return true;
	if (!info || !network->global)
		return false;
	return str_eq(network->scope, STR("swarm")) ? info->swarm_active : info->cluster_store;
}

/* A name that is being given. */
struct held_network {
	struct str name;
};

struct str held_network_key(const void *held)
{
	return ((const struct held_network *)held)->name;
}

struct network_create {
	struct cluster *c;
	struct api_version version;
	struct arena *arena;
	struct json body;
	struct str text;   /* the body for the engine */
	struct str driver; /* "" where none was asked for */
	bool overlay;
	bool is_config;		/* for others to be made from: it is no network itself */
	struct found config_on; /* copies of what it is made from; n is 0: of nothing */
	struct str config;	/* the engine's name for that */
	struct engine *on;	/* the node that the name asks for, a reference; or NULL */
	struct held_network held;
	bool holds;
	struct str project; /* claimed; or empty */
};

static void network_create_fini(struct network_create *n)
{
	if (n->holds)
		map_del(&n->c->network_names, n->held.name);
	if (!str_empty(n->project))
		claim_drop(n->c, n->project);
	engine_unref(n->on);
	found_fini(&n->config_on);
}

static struct error *name_taken(struct str name)
{
	return error_new(ERR_CONFLICT, "network with name %.*s already exists", STR_ARG(name));
}

/* A name that asks for its node may be on another one already: that is what it is for. */
static struct error *hold_name(struct network_create *n)
{
	struct str name = n->held.name;
	const struct slot *slot = object_index_named(&n->c->objects[OBJECT_NETWORK], name);

	if (network_is_built_in(name))
		return error_from_status(
			403, arena_printf(n->arena,
					  "operation is not permitted on predefined %.*s network ",
					  STR_ARG(name)));
	for (size_t i = 0; slot && i < slot->n; i++)
		if (!n->on || slot->copies[i].engine == n->on || slot->copies[i].object->global)
			return name_taken(name);
	if (map_get(&n->c->network_names, name))
		return name_taken(name);
	map_put(&n->c->network_names, &n->held);
	n->holds = true;
	return NULL;
}

static bool can_overlay(const struct engine *e, struct str driver)
{
	const struct engine_info *info = engine_info(e);

	(void)driver;
	return info->swarm_manager || info->cluster_store;
}

static bool any_can_overlay(const struct cluster *c)
{
	for (size_t i = 0; i < c->nodes.n; i++) {
		const struct sched_node *node = c->nodes.v[i];

		if (node->healthy && can_overlay(member_of_node(node)->engine, STR_NONE))
			return true;
	}
	return false;
}

/* An engine would take it as it is; here it is a node's name with an error in it. */
static struct error *check_name(struct str full)
{
	struct str node, name;

	if (!str_cut(full, '/', &node, &name))
		return NULL;
	return error_new(ERR_INVALID, "No such node: %.*s (in the network name %.*s)",
			 STR_ARG(node), STR_ARG(full));
}

/* --config-only and --config-from: a configuration is on its node alone, so what uses it is too. */
static struct error *read_config(struct network_create *n)
{
	struct json from = json_field(json_field(n->body, "ConfigFrom"), "Network");
	const struct object_index *x = &n->c->objects[OBJECT_NETWORK];

	n->is_config = json_is_true(json_field(n->body, "ConfigOnly"));
	if (str_empty(json_str(from)))
		return NULL;
	object_index_find_all(x, json_str(from), &n->config_on);
	if (!n->config_on.n)
		return error_new(ERR_NOT_FOUND, "configuration network \"%.*s\" does not exist",
				 STR_ARG(json_str(from)));
	n->config = arena_dup(n->arena, n->config_on.v[0].object->name);
	return NULL;
}

static bool is_plain(const struct network_create *n)
{
	return !n->is_config && !n->config_on.n;
}

static struct error *read_create(struct network_create *n, struct str body)
{
	struct cluster *c = n->c;
	struct str full;

	TRY(json_parse(body, n->arena, &n->body));
	if (json_type(n->body) != JSON_OBJECT)
		return error_new(ERR_INVALID, "the body is no JSON object");
	n->text = body;
	n->driver = json_str(json_field(n->body, "Driver"));
	full = json_str(json_field(n->body, "Name"));
	if (str_empty(full))
		return error_new(ERR_INVALID, "the body names no network");
	n->on = object_split_name(c, full, &n->held.name);
	if (!n->on)
		TRY(check_name(full));
	TRY(read_config(n));
	n->overlay = !n->is_config && str_eq(n->driver, STR("overlay"));
	if (str_empty(n->driver) && !n->on && is_plain(n))
		n->overlay = c->config.compat || any_can_overlay(c);
	return hold_name(n);
}

/* Sets a field in whatever case the client wrote it. */
static void set_field(struct json_edit *edit, struct json root, const char *key, struct str raw)
{
	struct json field = json_field(root, key);

	if (json_exists(field))
		json_edit_replace(edit, field, raw);
	else
		json_edit_add(edit, root, str_from(key), raw);
}

/* In a pool an overlay network is for containers: there are no services that could use it. */
static void write_body(struct network_create *n)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT, out = STRBUF_INIT;
	_cleanup_(strbuf_fini) struct strbuf config = STRBUF_INIT;
	struct json_edit *edit = json_edit_new(n->body, n->arena);

	json_quote(&name, n->held.name);
	json_edit_replace(edit, json_field(n->body, "Name"), strbuf_str(&name));
	if (n->config_on.n) {
		json_quote(&config, n->config);
		json_edit_replace(edit, json_field(json_field(n->body, "ConfigFrom"), "Network"),
				  strbuf_str(&config));
	}
	if (n->overlay && str_empty(n->driver))
		set_field(edit, n->body, "Driver", STR("\"overlay\""));
	if (n->overlay && !json_is_true(json_field(n->body, "Ingress")))
		set_field(edit, n->body, "Attachable", STR("true"));
	json_edit_apply(edit, &out);
	n->text = arena_dup(n->arena, strbuf_str(&out));
}

static bool has_driver(const struct engine *e, struct str driver)
{
	return engine_has_plugin(e, "Network", driver);
}

static struct error *choose_node(struct network_create *n, struct engine **ret)
{
	struct object_place what = {
		.body = n->body,
		.on = n->on,
		.driver = n->driver,
		.why = "the network driver is not there",
	};

	if (n->overlay) {
		what.can = can_overlay;
		what.why = "it is no manager of a swarm, and has no cluster store";
	} else if (!str_empty(n->driver) && !n->is_config) {
		what.can = has_driver;
	}
	if (n->config_on.n) {
		what.beside = &n->config_on;
		what.beside_why =
			arena_printf(n->arena, "network %.*s is not there", STR_ARG(n->config)).p;
	}
	TRY(object_place(n->c, &what, n->arena, ret));
	if (!n->overlay)
		n->project = object_project_claim(n->body, n->arena);
	if (!str_empty(n->project))
		claim_take(n->c, n->project, *ret);
	return NULL;
}

/*
 * Engines that share a cluster store have it from now on; nobody tells them apart from the store.
 */
static may_suspend void read_back_on_others(struct network_create *n, const struct engine *maker,
					    struct str id)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	const struct object *o = map_get(engine_networks(maker), id);

	if (!o || !str_eq(o->scope, STR("global")))
		return;
	cluster_healthy_engines(n->c, &engines);
	for (size_t i = 0; i < engines.n; i++)
		if (engines.v[i] != maker && engine_info(engines.v[i])->cluster_store)
			object_read_back(engines.v[i], OBJECT_NETWORK, id);
}

may_suspend struct error *cluster_create_network(struct cluster *c, struct api_version version,
						 struct str body, struct arena *arena,
						 struct str *ret_json)
{
	_cleanup_(network_create_fini) struct network_create n = { .c = c,
								   .version = version,
								   .arena = arena };
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(CHANGE_TIME);
	struct json root;
	struct str id;

	TRY(read_create(&n, body));
	write_body(&n);
	TRY(choose_node(&n, &e));
	TRY(call_engine_json(e, version, "POST", STR("/networks/create"), n.text, arena, ret_json));
	log_info("network created", LOG_STR("name", n.held.name), LOG_STR("node", engine_name(e)));
	TRY(error_as(ERR_PROTOCOL, json_parse(*ret_json, arena, &root)));
	id = json_get_str(root, "Id");
	object_read_back(e, OBJECT_NETWORK, id);
	read_back_on_others(&n, e, id);
	return NULL;
}

static void network_path(struct strbuf *path, struct str id, struct str query)
{
	strbuf_addf(path, "/networks/%.*s", STR_ARG(id));
	if (!str_empty(query))
		strbuf_addf(path, "?%.*s", STR_ARG(query));
}

static void healthy_engines_of(const struct found *f, struct engines *ret)
{
	*ret = (struct engines){ mem_realloc_array(NULL, f->n + 1, sizeof(*ret->v)), 0 };
	for (size_t i = 0; i < f->n; i++)
		if (engine_state(f->v[i].engine) == ENGINE_HEALTHY)
			ret->v[ret->n++] = engine_ref(f->v[i].engine);
}

/* Of those that answered the first by name: the same one at each request. NULL: none has. */
static const struct fan_job *first_answer(const struct fan *fan)
{
	const struct fan_job *first = NULL;

	for (size_t i = 0; i < fan->n; i++) {
		const struct fan_job *job = &fan->jobs[i];

		if (!job->err &&
		    (!first || str_cmp(engine_name(job->engine), engine_name(first->engine)) < 0))
			first = job;
	}
	return first;
}

/* The members of each answer's Containers, each key once. */
static struct error *take_containers(const struct fan *fan, struct endpoints *endpoints,
				     struct arena *arena)
{
	struct json root;

	for (size_t i = 0; i < fan->n; i++) {
		if (fan->jobs[i].err)
			continue;
		TRY(error_as(ERR_PROTOCOL, json_parse(fan->jobs[i].body, arena, &root)));
		endpoints_take(endpoints, STR_NONE, json_get(root, "Containers"));
	}
	return NULL;
}

static struct error *merge(const struct fan *fan, const struct fan_job *base, struct str name,
			   struct arena *arena, struct str *ret_json)
{
	_cleanup_(endpoints_fini) struct endpoints endpoints = { 0 };
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct str text = base->body;

	TRY(object_rename_text(text, name, arena, &text));
	if (fan->n == 1) {
		*ret_json = arena_dup(arena, text);
		return NULL;
	}
	endpoints_init(&endpoints);
	TRY(take_containers(fan, &endpoints, arena));
	TRY(endpoints_write(&endpoints, STR_NONE, text, &out));
	*ret_json = arena_dup(arena, strbuf_str(&out));
	return NULL;
}

/* A node whose answer cannot be read is one that does not tell. */
static may_suspend struct error *check_json(struct fan_job *job)
{
	struct json root;

	return error_as(ERR_PROTOCOL, json_parse(job->body, &job->arena, &root));
}

static void log_missing(const struct fan *fan)
{
	for (size_t i = 0; i < fan->n; i++)
		if (fan->jobs[i].err)
			log_warn("a node does not tell who is in a network",
				 LOG_STR("node", engine_name(fan->jobs[i].engine)),
				 LOG_ERR(fan->jobs[i].err));
}

/* An engine that does not find it, as of another scope, says so of the id that it was asked for. */
static may_suspend struct error *no_answer(struct fan *fan, const struct found_copy *live,
					   struct str ref)
{
	struct error *err = fan_error(fan, ERR_CANCELLED);

	object_read_back(live->engine, OBJECT_NETWORK, live->object->key);
	if (!error_is(err, ERR_NOT_FOUND))
		return err;
	error_free(err);
	return object_unknown(OBJECT_NETWORK, ref);
}

may_suspend struct error *cluster_inspect_network(struct cluster *c, struct str ref,
						  struct str query, struct api_version version,
						  struct arena *arena, struct str *ret_json)
{
	const struct object_index *x = &c->objects[OBJECT_NETWORK];
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	_cleanup_(fan_fini) struct fan fan = {
		.version = version,
		.method = "GET",
		.time = ENGINE_CALL_TIME,
		.on_answer = check_json,
	};
	bool built_in = network_is_built_in(ref);
	const struct found_copy *live;
	const struct fan_job *base;
	struct str name = ref;

	if (built_in)
		object_index_find_all(x, ref, &f);
	else
		TRY(object_index_find(x, ref, &f));
	if (!f.n)
		return object_unknown(OBJECT_NETWORK, ref);
	TRY(object_live_copy(&f, &live));
	if (!built_in)
		name = object_pool_name(c, live->engine, live->object, arena);
	network_path(&path, built_in ? ref : live->object->key, query);
	fan.path = strbuf_str(&path);
	healthy_engines_of(&f, &engines);
	TRY(fan_call(&fan, &engines));
	base = first_answer(&fan);
	if (!base)
		return no_answer(&fan, live, ref);
	log_missing(&fan);
	return merge(&fan, base, name, arena, ret_json);
}

/* A swarm's network is a manager's to remove; which nodes have it is known only to themselves. */
static struct error *choose_remover(const struct found *f, const struct found_copy **ret)
{
	TRY(object_live_copy(f, ret));
	for (size_t i = 0; i < f->n; i++) {
		const struct engine *e = f->v[i].engine;

		if (engine_state(e) == ENGINE_HEALTHY && engine_info(e)->swarm_manager) {
			*ret = &f->v[i];
			return NULL;
		}
	}
	return NULL;
}

may_suspend struct error *cluster_remove_network(struct cluster *c, struct str ref,
						 struct api_version version)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(CHANGE_TIME);
	const struct found_copy *on;
	struct str nothing;
	struct error *err;

	if (network_is_built_in(ref))
		return error_from_status(
			403,
			arena_printf(&arena, "%.*s is a pre-defined network and cannot be removed",
				     STR_ARG(ref)));
	TRY(object_index_find(&c->objects[OBJECT_NETWORK], ref, &f));
	TRY(choose_remover(&f, &on));
	network_path(&path, on->object->key, STR_NONE);
	err = call_engine(on->engine, version, "DELETE", strbuf_str(&path), &arena, &nothing);
	if (error_is(err, ERR_NOT_FOUND))
		object_read_back(on->engine, OBJECT_NETWORK, on->object->key);
	if (err)
		return err;
	/* A worker of a swarm lets go of it a moment later. */
	for (size_t i = 0; i < f.n; i++)
		engine_forget_object(f.v[i].engine, OBJECT_NETWORK, f.v[i].object->key);
	return NULL;
}
