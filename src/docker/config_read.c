/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the body of a create as far as placement needs it. A field of a wrong type is left alone:
 * the engine refuses it in its own words. Fields are found as Go finds them, whatever their case;
 * keys of maps (labels, ports, networks) are exact.
 */
#include "docker/config_internal.h"

#include "base/limits.h"

const struct config_expr_kind config_expr_kinds[EXPR_KINDS] = {
	{ STR_INIT("constraint:"), LABEL_CONSTRAINTS },
	{ STR_INIT("affinity:"), LABEL_AFFINITIES },
	{ STR_INIT("whitelist:"), LABEL_WHITELISTS },
	{ STR_INIT("reschedule:"), LABEL_RESCHEDULE },
	{ STR_INIT("spread:"), LABEL_SPREADS },
	{ STR_INIT("limit:"), LABEL_LIMITS },
};

const struct config_expr_kind *config_expr_kind(struct str env)
{
	for (size_t i = 0; i < EXPR_KINDS; i++)
		if (str_starts(env, config_expr_kinds[i].env_prefix))
			return &config_expr_kinds[i];
	return NULL;
}

/* Strings found one by one, in the arena. */
struct str_list {
	struct str *v;
	size_t n, cap;
};

static void list_add(struct str_list *list, struct str s, struct arena *arena)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 4;
		struct str *v = arena_new_array(arena, struct str, cap);

		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
		list->cap = cap;
	}
	list->v[list->n++] = s;
}

static void list_add_new(struct str_list *list, struct str s, struct arena *arena)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], s))
			return;
	list_add(list, s, arena);
}

static struct str_array list_array(const struct str_list *list)
{
	return (struct str_array){ list->v, list->n };
}

static int64_t field_i64(struct json object, const char *key)
{
	int64_t n;

	return json_to_i64(json_field(object, key), &n) ? n : 0;
}

/* What HostConfig does not say an engine takes from the root, where API 1.17 had it. */
static int64_t resource(const struct container_config *c, const char *key)
{
	int64_t n = field_i64(json_field(c->root, "HostConfig"), key);

	return n ? n : field_i64(c->root, key);
}

/* "constraint:storage==ssd" in Env. */
static void exprs_of_env(struct json env, const struct config_expr_kind *kind,
			 struct str_list *list, struct arena *arena)
{
	struct json_iter it = json_iter(env);
	struct json item;

	if (json_type(env) != JSON_ARRAY)
		return;
	while (list->n <= LIMIT_LABEL_EXPRS && json_next(&it, NULL, &item)) {
		struct str s = json_str(item);

		if (config_expr_kind(s) == kind)
			list_add_new(list, str_skip(s, kind->env_prefix.n), arena);
	}
}

static must_check struct error *label_error(const char *label, struct str text)
{
	return error_new(ERR_INVALID,
			 "label %s takes a JSON array of strings, as in [\"storage==ssd\"]: %.*s",
			 label, STR_ARG(str_first(text, 256)));
}

static must_check struct error *exprs_of_label(struct json labels, const char *label,
					       struct str_list *list, struct arena *arena)
{
	struct json value = json_get(labels, label);
	struct str text = json_str(value);
	struct json array, item;
	struct json_iter it;

	if (json_type(value) != JSON_STRING)
		return NULL;

	_cleanup_(error_freep) struct error *err = json_parse(text, arena, &array);
	if (err || (json_type(array) != JSON_ARRAY && json_type(array) != JSON_NULL))
		return label_error(label, text);

	it = json_iter(array);
	while (list->n <= LIMIT_LABEL_EXPRS && json_next(&it, NULL, &item)) {
		if (json_type(item) != JSON_STRING)
			return label_error(label, text);
		list_add_new(list, json_str(item), arena);
	}
	return NULL;
}

static must_check struct error *read_exprs(struct container_config *c, struct arena *arena)
{
	struct str_array *const slots[EXPR_KINDS] = { &c->constraints, &c->affinities,
						      &c->whitelists,  &c->reschedule,
						      &c->spreads,     &c->limits };
	struct json env = json_field(c->root, "Env"), labels = json_field(c->root, "Labels");

	for (size_t i = 0; i < EXPR_KINDS; i++) {
		const struct config_expr_kind *kind = &config_expr_kinds[i];
		struct str_list list = { 0 };

		exprs_of_env(env, kind, &list, arena);
		TRY(exprs_of_label(labels, kind->label, &list, arena));
		if (list.n > LIMIT_LABEL_EXPRS)
			return error_over_limit(ERR_INVALID, "more than %d expressions %.*s",
						LIMIT_LABEL_EXPRS, STR_ARG(kind->env_prefix));
		*slots[i] = list_array(&list);
	}
	return NULL;
}

/* "80/tcp", or "80" alone. An engine refuses what is neither. */
static bool port_parse(struct str text, struct host_port *ret)
{
	struct str number, protocol;
	uint64_t port;

	if (!str_cut(text, '/', &number, &protocol) || str_empty(protocol))
		protocol = STR("tcp");
	if (!str_to_u64(number, &port) || port == 0 || port > UINT16_MAX)
		return false;
	ret->port = (uint16_t)port;
	ret->protocol = protocol;
	return true;
}

/*
 * {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}. No host port, 0, or a range "8000-8010": the
 * engine finds a free one by itself.
 */
static void read_bindings(struct container_config *c, struct str container_port, struct json list)
{
	struct json_iter it = json_iter(list);
	struct host_port port;
	struct json binding;
	uint64_t n;

	if (json_type(list) != JSON_ARRAY || !port_parse(container_port, &port))
		return;
	while (json_next(&it, NULL, &binding)) {
		struct str text = json_str(json_field(binding, "HostPort"));

		if (!str_to_u64(text, &n) || n == 0 || n > UINT16_MAX)
			continue;
		port.ip = json_str(json_field(binding, "HostIp"));
		port.port = (uint16_t)n;
		c->ports[c->n_ports++] = port;
	}
}

static size_t count_bindings(struct json bindings)
{
	struct json_iter it = json_iter(bindings);
	struct json list;
	size_t n = 0;

	while (json_next(&it, NULL, &list))
		n += json_count(list);
	return n;
}

static void read_ports(struct container_config *c, struct json host, struct arena *arena)
{
	struct json exposed = json_field(c->root, "ExposedPorts");
	struct json bindings = json_field(host, "PortBindings");
	struct str_list list = { 0 };
	struct json_iter it;
	struct json value;
	struct str key;

	it = json_iter(exposed);
	while (json_type(exposed) == JSON_OBJECT && json_next(&it, &key, &value))
		list_add(&list, key, arena);
	c->exposed_ports = list_array(&list);

	/* An engine leaves them alone then, with a warning. */
	if (c->host_network)
		return;
	c->ports = arena_new_array(arena, struct host_port, count_bindings(bindings));
	it = json_iter(bindings);
	while (json_type(bindings) == JSON_OBJECT && json_next(&it, &key, &value))
		read_bindings(c, key, value);
}

struct str config_name_in_volumes_from(struct str text)
{
	struct str name, options;

	(void)str_cut(text, ':', &name, &options);
	return name;
}

/* Inspect shows links as "/db:/web/alias", and tools create again from it. */
struct str config_name_in_link(struct str text)
{
	return config_name_in_volumes_from(str_strip_prefix(text, STR("/")));
}

struct str config_name_in_mode(struct str text)
{
	if (!str_starts(text, STR("container:")))
		return STR_NONE;
	return str_skip(text, strlen("container:"));
}

struct str config_name_in_bind(struct str text)
{
	struct str source, target;

	if (!str_cut(text, ':', &source, &target))
		return STR_NONE;
	/* "C:\data:C:\data": a volume's name has two characters at least. */
	if (source.n == 1)
		return STR_NONE;
	if (str_starts(source, STR("/")) || str_starts(source, STR(".")) ||
	    str_starts(source, STR("~")))
		return STR_NONE;
	return source;
}

bool config_network_is_named(struct str mode)
{
	static const struct str built_in[] = { STR_INIT(""), STR_INIT("default"),
					       STR_INIT("bridge"), STR_INIT("host"),
					       STR_INIT("none") };

	for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
		if (str_eq(mode, built_in[i]))
			return false;
	return !str_starts(mode, STR("container:"));
}

static void add_names(struct str_list *list, struct json array, struct str (*name_in)(struct str),
		      struct arena *arena)
{
	struct json_iter it = json_iter(array);
	struct json item;

	if (json_type(array) != JSON_ARRAY)
		return;
	while (json_next(&it, NULL, &item)) {
		struct str name = name_in(json_str(item));

		if (!str_empty(name))
			list_add_new(list, name, arena);
	}
}

static void read_dependencies(struct container_config *c, struct json host, struct arena *arena)
{
	static const char *const modes[] = { "NetworkMode", "PidMode", "IpcMode" };
	struct str_list list = { 0 };

	add_names(&list, json_field(host, "VolumesFrom"), config_name_in_volumes_from, arena);
	add_names(&list, json_field(host, "Links"), config_name_in_link, arena);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct str name = config_name_in_mode(json_str(json_field(host, modes[i])));

		if (!str_empty(name))
			list_add_new(&list, name, arena);
	}
	c->dependencies = list_array(&list);
}

static void read_volumes(struct container_config *c, struct json host, struct arena *arena)
{
	struct json mounts = json_field(host, "Mounts"), mount;
	struct json_iter it = json_iter(mounts);
	struct str_list list = { 0 };

	add_names(&list, json_field(host, "Binds"), config_name_in_bind, arena);
	while (json_type(mounts) == JSON_ARRAY && json_next(&it, NULL, &mount)) {
		struct str source = json_str(json_field(mount, "Source"));

		if (json_str_eq(json_field(mount, "Type"), STR("volume")) && !str_empty(source))
			list_add_new(&list, source, arena);
	}
	c->volumes = list_array(&list);
}

static void read_networks(struct container_config *c, struct arena *arena)
{
	struct json endpoints =
		json_field(json_field(c->root, "NetworkingConfig"), "EndpointsConfig");
	struct json_iter it = json_iter(endpoints);
	struct str_list list = { 0 };
	struct json value;
	struct str name;

	if (config_network_is_named(c->network_mode))
		list_add(&list, c->network_mode, arena);
	while (json_type(endpoints) == JSON_OBJECT && json_next(&it, &name, &value))
		if (config_network_is_named(name))
			list_add_new(&list, name, arena);
	c->networks = list_array(&list);
}

static void read_resources(struct container_config *c, struct json host, struct json labels)
{
	struct str cpus = json_get_str(labels, LABEL_SWARM_CPUS);

	c->nano_cpus = field_i64(host, "NanoCpus");
	c->cpu_shares = resource(c, "CpuShares");
	c->memory = resource(c, "Memory");
	c->runtime = json_str(json_field(host, "Runtime"));
	if (!config_cores_parse(cpus, &c->label_nano_cpus))
		c->label_nano_cpus = -1;
}

/* Lists are compared with themselves, so their length is bounded. */
static must_check struct error *check_counts(struct json root, struct json host)
{
	struct json networking = json_field(root, "NetworkingConfig");
	const struct {
		const char *name;
		struct json list;
	} lists[] = {
		{ "VolumesFrom", json_field(host, "VolumesFrom") },
		{ "Links", json_field(host, "Links") },
		{ "Binds", json_field(host, "Binds") },
		{ "Mounts", json_field(host, "Mounts") },
		{ "EndpointsConfig", json_field(networking, "EndpointsConfig") },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (json_count(lists[i].list) > LIMIT_CONFIG_ITEMS)
			return error_over_limit(ERR_INVALID, "more than %d items in %s",
						LIMIT_CONFIG_ITEMS, lists[i].name);
	return NULL;
}

struct error *container_config_read(struct str body, struct arena *arena,
				    struct container_config *ret)
{
	struct container_config c = { 0 };
	struct json host, labels;

	TRY(json_parse(body, arena, &c.root));
	if (json_type(c.root) != JSON_OBJECT)
		return error_new(ERR_INVALID, "the body is no JSON object");

	host = json_field(c.root, "HostConfig");
	labels = json_field(c.root, "Labels");
	c.image = json_str(json_field(c.root, "Image"));
	c.labels = labels;
	c.swarm_id = json_get_str(labels, LABEL_SWARM_ID);
	c.network_mode = json_str(json_field(host, "NetworkMode"));
	c.host_network = str_eq(c.network_mode, STR("host"));
	TRY(check_counts(c.root, host));
	TRY(read_exprs(&c, arena));
	read_resources(&c, host, labels);
	TRY(device_requests_read(json_field(host, "DeviceRequests"), arena, &c.devices));
	read_ports(&c, host, arena);
	read_dependencies(&c, host, arena);
	read_volumes(&c, host, arena);
	read_networks(&c, arena);
	*ret = c;
	return NULL;
}
