/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of an engine. Those of scope swarm are made on an engine that manages a swarm, and
 * come to the others of the simulation when a container there joins them.
 */
#include "sim/engine.h"

#include <stdlib.h>

#include "base/mem.h"
#include "docker/filters.h"
#include "sim/internal.h"

static const struct {
	const char *name, *driver;
} built_in[] = { { "bridge", "bridge" }, { "host", "host" }, { "none", "null" } };

static bool is_built_in(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
		if (str_eq(name, str_from(built_in[i].name)))
			return true;
	return false;
}

struct sim_network *fake_network_find(const struct sim_engine *e, struct str ref)
{
	struct sim_network *by_prefix = NULL;

	for (size_t i = 0; i < e->networks.n; i++) {
		struct sim_network *n = e->networks.v[i];

		if (str_eq(str_from(n->name), ref) || str_eq(str_from(n->id), ref))
			return n;
		if (!str_empty(ref) && str_starts(str_from(n->id), ref))
			by_prefix = n;
	}
	return by_prefix;
}

static struct sim_network *add(struct sim_engine *e, struct str name, struct str driver,
			       struct str labels)
{
	struct sim_network *n = mem_new(struct sim_network);

	*n = (struct sim_network){ .id = fake_draw_id(),
				   .name = str_dup(name),
				   .driver = str_dup(driver),
				   .labels = str_dup(str_empty(labels) ? STR("{}") : labels),
				   .scope = "local",
				   .created = fake_clock(e) };
	vec_push(&e->networks, n);
	return n;
}

void fake_networks_init(struct sim_engine *e)
{
	for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
		add(e, str_from(built_in[i].name), str_from(built_in[i].driver), STR_NONE);
}

static void network_free(struct sim_network *n)
{
	free(n->id);
	free(n->name);
	free(n->driver);
	free(n->labels);
	free(n);
}

void fake_networks_fini(struct sim_engine *e)
{
	while (e->networks.n)
		network_free(vec_pop(&e->networks));
	vec_fini(&e->networks);
}

static void network_event(struct sim_engine *e, const char *action, const struct sim_network *n,
			  const struct sim_container *c)
{
	const char *more = c ? sim_text(e->sim, ",\"container\":\"%s\"", c->id) : "";

	fake_event(e, "network", action, n->id, NULL,
		   sim_text(e->sim, "\"name\":\"%s\",\"type\":\"%s\"%s", n->name, n->driver, more));
}

static bool has_name(const struct sim_container *c, const char *name)
{
	for (size_t i = 0; i < c->networks.n; i++)
		if (strcmp(c->networks.v[i], name) == 0)
			return true;
	return false;
}

/* A swarm's network is brought along from where it was made. */
static struct sim_network *find_anywhere(struct sim_engine *e, struct str ref)
{
	struct sim_network *there = fake_network_find(e, ref), *copy;

	for (size_t i = 0; !there && e->swarm && i < e->sim->engines.n; i++) {
		const struct sim_engine *other = e->sim->engines.v[i];
		const struct sim_network *n = fake_network_find(other, ref);

		if (!n || strcmp(n->scope, "swarm") != 0)
			continue;
		copy = add(e, str_from(n->name), str_from(n->driver), str_from(n->labels));
		free(copy->id);
		copy->id = mem_strdup(n->id);
		copy->scope = "swarm";
		copy->attachable = n->attachable;
		network_event(e, "create", copy, NULL);
		there = copy;
	}
	return there;
}

static void join(struct sim_container *c, struct str ref)
{
	const char *name = arena_cstr(&c->arena, ref);
	struct sim_network *n = find_anywhere(c->engine, ref);

	if (n)
		name = arena_cstr(&c->arena, str_from(n->name));
	if (!has_name(c, name))
		vec_push(&c->networks, (void *)name);
}

/* What a new container names; the engine looks for it when it starts. */
void fake_networks_join(struct sim_container *c)
{
	struct str mode = json_str(json_field(json_field(c->config, "HostConfig"), "NetworkMode"));
	struct json endpoints =
		json_field(json_field(c->config, "NetworkingConfig"), "EndpointsConfig");
	struct json_iter it = json_iter(endpoints);
	struct json value;
	struct str name;

	if (str_starts(mode, STR("container:")))
		return;
	if (str_empty(mode) || str_eq(mode, STR("default")))
		mode = STR("bridge");
	join(c, mode);
	while (json_next(&it, &name, &value))
		if (!str_eq(name, STR("default")))
			join(c, name);
}

/* What a swarm's manager gave to another container stays that one's. */
static bool asks_for_address(const struct sim_container *c, const struct sim_network *n)
{
	struct json endpoints =
		json_field(json_field(c->config, "NetworkingConfig"), "EndpointsConfig");
	struct json endpoint = json_field(endpoints, n->name);

	return !str_empty(json_get_str(json_field(endpoint, "IPAMConfig"), "IPv4Address"));
}

struct error *fake_networks_check(const struct sim_container *c)
{
	for (size_t i = 0; i < c->networks.n; i++) {
		struct str name = str_from(c->networks.v[i]);
		const struct sim_network *n = fake_network_find(c->engine, name);

		if (!n)
			return fake_refuse(404, "network %.*s not found", STR_ARG(name));
		if (strcmp(n->scope, "swarm") == 0 && !n->attachable)
			return fake_refuse(403,
					   "Could not attach to network %s: rpc error: code = "
					   "PermissionDenied desc = network %s not manually "
					   "attachable",
					   n->name, n->name);
		if (strcmp(n->scope, "swarm") == 0 && asks_for_address(c, n))
			return fake_refuse(500, "attaching to network failed, make sure your "
						"network options are correct and check manager "
						"logs: context deadline exceeded");
	}
	return NULL;
}

void fake_networks_connected(struct sim_container *c)
{
	for (size_t i = 0; i < c->networks.n; i++) {
		struct sim_network *n = fake_network_find(c->engine, str_from(c->networks.v[i]));

		if (n)
			network_event(c->engine, "connect", n, c);
	}
}

/* With addresses while it runs. */
void fake_container_write_networks(const struct sim_container *c, struct json_out *o)
{
	json_key(o, "Networks");
	json_begin_object(o);
	for (size_t i = 0; i < c->networks.n; i++) {
		const struct sim_network *n =
			fake_network_find(c->engine, str_from(c->networks.v[i]));
		bool up = n && c->state == C_RUNNING;

		json_key_str(o, str_from(c->networks.v[i]));
		json_begin_object(o);
		json_put_raw(o, "IPAMConfig",
			     n && strcmp(n->scope, "swarm") == 0
				     ? STR("{\"IPv4Address\":\"10.0.1.7\"}")
				     : STR("null"));
		json_put_str(o, "NetworkID", n ? str_from(n->id) : STR(""));
		json_put_str(o, "EndpointID", up ? str_from(c->id) : STR(""));
		json_put_str(o, "IPAddress", up ? STR("172.17.0.2") : STR(""));
		json_end_object(o);
	}
	json_end_object(o);
}

static void write_members(const struct sim_engine *e, const struct sim_network *n,
			  struct json_out *o)
{
	json_key(o, "Containers");
	json_begin_object(o);
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		if (c->state != C_RUNNING || !has_name(c, n->name))
			continue;
		json_key_str(o, str_from(c->id));
		json_begin_object(o);
		json_put_str(o, "Name", str_from(c->name));
		json_put_str(o, "EndpointID", str_from(c->id));
		json_put_str(o, "IPv4Address", STR("172.17.0.2/16"));
		json_end_object(o);
	}
	json_end_object(o);
}

static void write_network(const struct sim_engine *e, const struct sim_network *n, bool members,
			  struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf created = STRBUF_INIT;

	time_format_rfc3339_nano(n->created, &created);
	json_begin_object(o);
	json_put_str(o, "Name", str_from(n->name));
	json_put_str(o, "Id", str_from(n->id));
	json_put_str(o, "Created", strbuf_str(&created));
	json_put_str(o, "Scope", str_from(n->scope));
	json_put_str(o, "Driver", str_from(n->driver));
	json_put_bool(o, "Internal", false);
	json_put_bool(o, "Attachable", n->attachable);
	if (members)
		write_members(e, n, o);
	else
		json_put_raw(o, "Containers", STR("{}"));
	json_put_raw(o, "Options", STR("{}"));
	json_put_raw(o, "Labels", str_from(n->labels));
	json_end_object(o);
}

may_suspend struct error *serve_network_list(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct filters filters;
	bool detailed =
		call->version.major && api_version_cmp(call->version, API_VERSION(1, 28)) < 0;

	TRY(fake_work(call, MILLISECOND));
	TRY(filters_parse(http_param(&call->in->url, "filters"), call->arena, &filters));
	json_begin_array(&o);
	for (size_t i = 0; i < call->e->networks.n; i++) {
		const struct sim_network *n = call->e->networks.v[i];

		if (filters_match_prefix(&filters, "id", str_from(n->id)))
			write_network(call->e, n, detailed, &o);
	}
	json_end_array(&o);
	return fake_reply(call, 200, &text);
}

static struct error *get_network(const struct sim_call *call, struct sim_network **ret)
{
	*ret = fake_network_find(call->e, call->name);
	return *ret ? NULL : fake_refuse(404, "network %.*s not found", STR_ARG(call->name));
}

may_suspend struct error *serve_network_inspect(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct sim_network *n;

	TRY(fake_work(call, MILLISECOND));
	TRY(get_network(call, &n));
	write_network(call->e, n, true, &o);
	return fake_reply(call, 200, &text);
}

static bool is_taken(const struct sim_engine *e, struct str name)
{
	for (size_t i = 0; i < e->networks.n; i++)
		if (str_eq(str_from(((const struct sim_network *)e->networks.v[i])->name), name))
			return true;
	return false;
}

static struct error *check_new(const struct sim_engine *e, struct str name, struct str driver)
{
	if (is_built_in(name))
		return fake_refuse(403, "operation is not permitted on predefined %.*s network ",
				   STR_ARG(name));
	if (is_taken(e, name))
		return fake_refuse(409, "network with name %.*s already exists", STR_ARG(name));
	if (str_eq(driver, STR("overlay")) && e->swarm != SWARM_MANAGER)
		return fake_refuse(503,
				   "This node is not a swarm manager. Use \"docker swarm init\" or "
				   "\"docker swarm join\" to connect this node to swarm and try "
				   "again.");
	return NULL;
}

may_suspend struct error *serve_network_create(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str name, driver;
	struct sim_network *n;
	struct json body, labels;

	TRY(fake_read_json(call, &body));
	TRY(fake_work(call, 20 * MILLISECOND));
	name = json_str(json_field(body, "Name"));
	driver = json_str(json_field(body, "Driver"));
	labels = json_field(body, "Labels");
	TRY(check_new(call->e, name, driver));
	n = add(call->e, name, str_empty(driver) ? STR("bridge") : driver,
		json_type(labels) == JSON_OBJECT ? json_raw(labels) : STR_NONE);
	n->attachable = json_is_true(json_field(body, "Attachable"));
	if (str_eq(driver, STR("overlay")))
		n->scope = "swarm";
	network_event(call->e, "create", n, NULL);
	strbuf_addf(&text, "{\"Id\":\"%s\",\"Warning\":\"\"}", n->id);
	return fake_reply(call, 201, &text);
}

static bool in_use(const struct sim_engine *e, const struct sim_network *n)
{
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		if (c->state == C_RUNNING && has_name(c, n->name))
			return true;
	}
	return false;
}

static void destroy(struct sim_engine *e, struct sim_network *n)
{
	const char *id = sim_text(e->sim, "%s", n->id);

	for (size_t i = 0; i < e->sim->engines.n; i++) {
		struct sim_engine *other = e->sim->engines.v[i];
		struct sim_network *copy = fake_network_find(other, str_from(id));

		if (!copy)
			continue;
		network_event(other, "destroy", copy, NULL);
		vec_remove(&other->networks, copy);
		network_free(copy);
	}
}

may_suspend struct error *serve_network_remove(struct sim_call *call)
{
	struct sim_network *n;

	TRY(fake_work(call, 10 * MILLISECOND));
	TRY(get_network(call, &n));
	if (is_built_in(str_from(n->name)))
		return fake_refuse(403, "%s is a pre-defined network and cannot be removed",
				   n->name);
	if (strcmp(n->scope, "swarm") == 0 && call->e->swarm != SWARM_MANAGER)
		return fake_refuse(400, "network %s can only be removed on a manager", n->name);
	if (in_use(call->e, n))
		return fake_refuse(403,
				   "error while removing network: network %s id %s has active "
				   "endpoints",
				   n->name, n->id);
	destroy(call->e, n);
	return fake_reply_empty(call, 204);
}

may_suspend struct error *serve_network_prune(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct sim_engine *e = call->e;
	struct json_out o = json_out(&text);

	TRY(fake_work(call, 5 * MILLISECOND));
	json_begin_object(&o);
	json_key(&o, "NetworksDeleted");
	json_begin_array(&o);
	for (size_t i = e->networks.n; i-- > 0;) {
		struct sim_network *n = e->networks.v[i];

		if (is_built_in(str_from(n->name)) || in_use(e, n) ||
		    (strcmp(n->scope, "swarm") == 0 && e->swarm != SWARM_MANAGER))
			continue;
		json_str_value(&o, str_from(n->name));
		destroy(e, n);
	}
	json_end_array(&o);
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

static may_suspend struct error *read_member(struct sim_call *call, struct sim_network **ret_n,
					     struct sim_container **ret)
{
	struct json body;

	TRY(fake_read_json(call, &body));
	TRY(fake_work(call, 5 * MILLISECOND));
	*ret_n = find_anywhere(call->e, call->name);
	TRY(get_network(call, ret_n));
	return fake_container_get(call->e, json_str(json_field(body, "Container")), ret);
}

may_suspend struct error *serve_network_connect(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	struct sim_network *n;

	TRY(read_member(call, &n, &c));
	if (has_name(c, n->name))
		return fake_refuse(403, "endpoint with name %s already exists in network %s",
				   c->name, n->name);
	join(c, str_from(n->name));
	network_event(call->e, "connect", n, c);
	return fake_reply_empty(call, 200);
}

may_suspend struct error *serve_network_disconnect(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	struct sim_network *n;
	size_t i = 0;

	TRY(read_member(call, &n, &c));
	while (i < c->networks.n && strcmp(c->networks.v[i], n->name) != 0)
		i++;
	if (i == c->networks.n)
		return fake_refuse(403, "container %s is not connected to network %s", c->id,
				   n->name);
	vec_remove(&c->networks, c->networks.v[i]);
	network_event(call->e, "disconnect", n, c);
	return fake_reply_empty(call, 200);
}

bool sim_has_network(const struct sim_engine *e, const char *name)
{
	return fake_network_find(e, str_from(name)) != NULL;
}
