/* SPDX-License-Identifier: Apache-2.0 */
#include "docker/specification.h"

#include "docker/config_internal.h"
#include "json/build.h"
#include "json/edit.h"

#define SHORT_ID 12

static const struct {
	struct str name;
	bool on_node_failure;
} policies_known[] = {
	{ STR_INIT("off"), false },
	{ STR_INIT("on-node-failure"), true },
};

static bool policy_find(struct str name, bool *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(policies_known); i++) {
		if (!str_eq(name, policies_known[i].name))
			continue;
		*ret = policies_known[i].on_node_failure;
		return true;
	}
	return false;
}

struct error *reschedule_policy_read(const struct str_array *policies, bool *ret_on_node_failure)
{
	bool first = false, next;

	for (size_t i = 0; i < policies->n; i++) {
		struct str text = policies->v[i];

		if (!policy_find(text, &next))
			return error_new(ERR_INVALID,
					 "invalid expression 'reschedule:%.*s': the policy is off "
					 "or on-node-failure",
					 STR_ARG(text));
		if (i > 0 && next != first)
			return error_new(ERR_INVALID,
					 "invalid expression 'reschedule:%.*s': reschedule:%.*s is "
					 "asked for too",
					 STR_ARG(text), STR_ARG(policies->v[0]));
		first = next;
	}
	*ret_on_node_failure = first;
	return NULL;
}

bool labels_reschedule(struct json labels)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = json_get_str(labels, LABEL_RESCHEDULE);
	bool asked = false, policy;
	struct json array, item;
	struct json_iter it;
	struct error *err;

	if (str_empty(text))
		return false;
	err = json_parse(text, &arena, &array);
	if (err || json_type(array) != JSON_ARRAY) {
		error_free(err);
		return false;
	}
	it = json_iter(array);
	while (json_next(&it, NULL, &item)) {
		if (!policy_find(json_str(item), &policy))
			return false;
		asked |= policy;
	}
	return asked;
}

uint32_t labels_generation(struct json labels)
{
	uint64_t n;

	if (!str_to_u64(json_get_str(labels, LABEL_GENERATION), &n) || n > INT32_MAX)
		return 0;
	return (uint32_t)n;
}

/* The cores that count are those which its engine shows now: it may have been updated since. */
static void write_labels(struct json_out *o, struct json labels, struct json host,
			 int64_t nano_cpus)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	bool shares =
		json_get_i64(host, "NanoCpus", 0) <= 0 && json_get_i64(host, "CpuShares", 0) > 0;
	struct json_iter it = json_iter(labels);
	struct json value;
	struct str key;

	json_begin_object(o);
	while (json_type(labels) == JSON_OBJECT && json_next(&it, &key, &value)) {
		if (shares && str_eq(key, STR(LABEL_SWARM_CPUS)))
			continue;
		json_key_str(o, key);
		json_raw_value(o, json_raw(value));
	}
	if (shares)
		json_put_str(o, LABEL_SWARM_CPUS, config_cores_format(nano_cpus, &arena));
	json_end_object(o);
}

static void write_config(struct json_out *o, struct json inspect, int64_t nano_cpus)
{
	struct json config = json_get(inspect, "Config"), value;
	struct str id = json_get_str(inspect, "Id"), key;
	struct json_iter it = json_iter(config);

	while (json_type(config) == JSON_OBJECT && json_next(&it, &key, &value)) {
		if (str_eq(key, STR("Hostname")) && json_str_eq(value, str_first(id, SHORT_ID)))
			continue;
		if (str_eq(key, STR("Labels")))
			continue;
		json_key_str(o, key);
		json_raw_value(o, json_raw(value));
	}
	json_key(o, "Labels");
	write_labels(o, json_get(config, "Labels"), json_get(inspect, "HostConfig"), nano_cpus);
}

/* Engines before 25.0 add the short id to what the user asked for. */
static void write_aliases(struct json_out *o, struct json aliases, struct str id)
{
	struct json_iter it = json_iter(aliases);
	struct json alias;

	json_key(o, "Aliases");
	json_begin_array(o);
	while (json_type(aliases) == JSON_ARRAY && json_next(&it, NULL, &alias))
		if (!json_str_eq(alias, str_first(id, SHORT_ID)))
			json_raw_value(o, json_raw(alias));
	json_end_array(o);
}

/* What was asked for of it; all else its engine drew. */
static void write_endpoint(struct json_out *o, struct str name, struct json endpoint, struct str id)
{
	static const char *const asked[] = { "IPAMConfig", "Links", "DriverOpts", "GwPriority" };

	json_key_str(o, name);
	json_begin_object(o);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct json value = json_get(endpoint, asked[i]);

		if (json_exists(value) && json_type(value) != JSON_NULL)
			json_put_raw(o, asked[i], json_raw(value));
	}
	write_aliases(o, json_get(endpoint, "Aliases"), id);
	json_end_object(o);
}

/* NetworkMode may be the name of the network, or (the beginning of) its id. */
static bool is_mode(struct str mode, struct str name, struct json endpoint)
{
	return str_eq(mode, name) ||
	       (!str_empty(mode) && str_starts(json_get_str(endpoint, "NetworkID"), mode));
}

static void write_endpoints(struct json_out *o, struct json inspect, struct str mode, bool modes)
{
	struct json networks = json_path(inspect, "NetworkSettings.Networks"), endpoint;
	struct json_iter it = json_iter(networks);
	struct str name;

	while (json_type(networks) == JSON_OBJECT && json_next(&it, &name, &endpoint))
		if (config_network_is_named(name) && is_mode(mode, name, endpoint) == modes)
			write_endpoint(o, name, endpoint, json_get_str(inspect, "Id"));
}

void specification_write(struct json inspect, int64_t nano_cpus, struct strbuf *out)
{
	struct json host = json_get(inspect, "HostConfig");
	struct str mode = json_get_str(host, "NetworkMode");
	struct json_out o = json_out(out);

	json_begin_object(&o);
	write_config(&o, inspect, nano_cpus);
	if (json_type(host) == JSON_OBJECT)
		json_put_raw(&o, "HostConfig", json_raw(host));
	json_key(&o, "NetworkingConfig");
	json_begin_object(&o);
	json_key(&o, "EndpointsConfig");
	json_begin_object(&o);
	write_endpoints(&o, inspect, mode, true);
	write_endpoints(&o, inspect, mode, false);
	json_end_object(&o);
	json_end_object(&o);
	json_end_object(&o);
}

static struct json endpoints_of(struct json specification)
{
	return json_path(specification, "NetworkingConfig.EndpointsConfig");
}

struct specified_networks specification_networks(struct json specification, struct arena *arena)
{
	struct json endpoints = endpoints_of(specification), endpoint;
	struct specified_networks ret = {
		arena_new_array(arena, struct specified_network, json_count(endpoints)), 0
	};
	struct json_iter it = json_iter(endpoints);
	struct str name;

	while (json_type(endpoints) == JSON_OBJECT && json_next(&it, &name, &endpoint))
		ret.v[ret.n++] = (struct specified_network){ name, endpoint };
	return ret;
}

struct str specification_network(struct json specification)
{
	struct str mode = json_str(json_path(specification, "HostConfig.NetworkMode"));

	return config_network_is_named(mode) ? mode : STR("");
}

struct str specification_body(struct json specification, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf one = STRBUF_INIT, text = STRBUF_INIT;
	struct specified_networks all = specification_networks(specification, arena);
	bool named = !str_empty(specification_network(specification));
	struct json_edit *edit = json_edit_new(specification, arena);
	struct json_out o = json_out(&one);

	json_begin_object(&o);
	if (named && all.n) {
		json_key_str(&o, all.v[0].name);
		json_raw_value(&o, json_raw(all.v[0].endpoint));
	}
	json_end_object(&o);
	if (json_exists(endpoints_of(specification)))
		json_edit_replace(edit, endpoints_of(specification), strbuf_str(&one));
	json_edit_apply(edit, &text);
	return arena_dup(arena, strbuf_str(&text));
}
