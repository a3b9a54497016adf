/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers as GET /containers/json and /containers/{id}/json show them.
 */
#include "sim/engine.h"

#include "docker/filters.h"
#include "docker/state.h"

const char *fake_container_state_name(const struct sim_container *c)
{
	if (c->state == C_RUNNING)
		return c->paused ? "paused" : "running";
	return c->state == C_CREATED ? "created" : "exited";
}

static void put_time(struct json_out *o, const char *key, int64_t at)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	if (at)
		time_format_rfc3339_nano(at, &text);
	else
		strbuf_add(&text, STR("0001-01-01T00:00:00Z"));
	json_put_str(o, key, strbuf_str(&text));
}

/* Go writes what the client sent, or its zero value. */
static void put_field(struct json_out *o, const char *key, struct json object,
		      const char *otherwise)
{
	struct json v = json_field(object, key);

	json_put_raw(o, key, json_exists(v) ? json_raw(v) : str_from(otherwise));
}

static void write_list_port(struct json_out *o, struct str spec, struct json binding)
{
	struct str private, protocol = STR("tcp"), ip = json_get_str(binding, "HostIp");
	uint64_t public = 0, number = 0;

	str_cut(spec, '/', &private, &protocol);
	str_to_u64(private, &number);
	str_to_u64(json_get_str(binding, "HostPort"), &public);
	json_begin_object(o);
	json_put_str(o, "IP", str_empty(ip) ? STR("0.0.0.0") : ip);
	json_put_i64(o, "PrivatePort", (int64_t)number);
	json_put_i64(o, "PublicPort", (int64_t) public);
	json_put_str(o, "Type", protocol);
	json_end_object(o);
}

static void write_inspect_port(struct json_out *o, struct json binding)
{
	struct str ip = json_get_str(binding, "HostIp");

	json_begin_object(o);
	json_put_str(o, "HostIp", str_empty(ip) ? STR("0.0.0.0") : ip);
	json_put_str(o, "HostPort", json_get_str(binding, "HostPort"));
	json_end_object(o);
}

/* Those of a running container: the bindings that it asked for. */
void fake_container_write_ports(const struct sim_container *c, struct json_out *o, bool list)
{
	struct json asked = json_field(json_field(c->config, "HostConfig"), "PortBindings");
	struct json_iter it = json_iter(asked), inner;
	struct json bindings, binding;
	struct str spec;

	if (c->state != C_RUNNING || json_type(asked) != JSON_OBJECT)
		return;
	while (json_next(&it, &spec, &bindings)) {
		if (!list) {
			json_key_str(o, spec);
			json_begin_array(o);
		}
		inner = json_iter(bindings);
		while (json_next(&inner, NULL, &binding)) {
			if (list)
				write_list_port(o, spec, binding);
			else
				write_inspect_port(o, binding);
		}
		if (!list)
			json_end_array(o);
	}
}

static void put_status(const struct sim_container *c, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct container_state state = { .status = c->state == C_CREATED  ? CONTAINER_CREATED
						   : c->state == C_EXITED ? CONTAINER_EXITED
						   : c->paused		  ? CONTAINER_PAUSED
									  : CONTAINER_RUNNING,
					 .exit_code = c->exit_code,
					 .started_at = c->started,
					 .finished_at = c->finished };

	container_status_text(&state, fake_clock(c->engine), &text);
	json_put_str(o, "Status", strbuf_str(&text));
}

static void put_command(const struct sim_container *c, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, c->argv[0]);
	for (size_t i = 1; i < c->n_argv; i++)
		strbuf_addf(&text, " %.*s", STR_ARG(c->argv[i]));
	json_put_str(o, "Command", strbuf_str(&text));
}

static void put_network(const struct sim_container *c, struct json_out *o)
{
	struct str mode = json_str(json_field(json_field(c->config, "HostConfig"), "NetworkMode"));

	json_key(o, "HostConfig");
	json_begin_object(o);
	json_put_str(o, "NetworkMode", str_empty(mode) ? STR("default") : mode);
	json_end_object(o);
	json_key(o, "NetworkSettings");
	json_begin_object(o);
	fake_container_write_networks(c, o);
	json_end_object(o);
}

static void write_entry(const struct sim_container *c, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

	strbuf_addf(&name, "/%s", c->name);
	json_begin_object(o);
	json_put_str(o, "Id", str_from(c->id));
	json_key(o, "Names");
	json_begin_array(o);
	json_str_value(o, strbuf_str(&name));
	for (size_t i = 0; i < c->aliases.n; i++)
		json_str_value(o, str_from(c->aliases.v[i]));
	json_end_array(o);
	json_put_str(o, "Image", c->image_ref);
	json_put_str(o, "ImageID", c->image_id);
	put_command(c, o);
	json_put_i64(o, "Created", c->created / SECOND);
	json_key(o, "Ports");
	json_begin_array(o);
	fake_container_write_ports(c, o, true);
	json_end_array(o);
	put_field(o, "Labels", c->config, "{}");
	json_put_str(o, "State", str_from(fake_container_state_name(c)));
	put_status(c, o);
	put_network(c, o);
	fake_container_write_mounts(c, o);
	json_end_object(o);
}

may_suspend struct error *serve_container_list(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct filters filters;

	TRY(fake_work(call, MILLISECOND));
	TRY(filters_parse(http_param(&call->in->url, "filters"), call->arena, &filters));
	json_begin_array(&o);
	for (size_t i = call->e->containers.n; i-- > 0;) {
		const struct sim_container *c = call->e->containers.v[i];

		if (c->state != C_RUNNING && !http_param_bool(&call->in->url, "all", false))
			continue;
		if (filters_match_prefix(&filters, "id", str_from(c->id)))
			write_entry(c, &o);
	}
	json_end_array(&o);
	return fake_reply(call, 200, &text);
}

static void put_state(const struct sim_container *c, struct json_out *o)
{
	json_key(o, "State");
	json_begin_object(o);
	json_put_str(o, "Status", str_from(fake_container_state_name(c)));
	json_put_bool(o, "Running", c->state == C_RUNNING);
	json_put_bool(o, "Paused", c->paused);
	json_put_bool(o, "Restarting", false);
	json_put_bool(o, "OOMKilled", false);
	json_put_bool(o, "Dead", false);
	json_put_i64(o, "Pid", c->state == C_RUNNING ? c->pid : 0);
	json_put_i64(o, "ExitCode", c->exit_code);
	json_put_str(o, "Error", STR(""));
	put_time(o, "StartedAt", c->started);
	put_time(o, "FinishedAt", c->finished);
	json_end_object(o);
}

/* Numbers may have been updated since; all else is as it was sent. */
static void put_host_config(const struct sim_container *c, struct json_out *o)
{
	struct json host = json_field(c->config, "HostConfig");

	json_key(o, "HostConfig");
	json_begin_object(o);
	put_field(o, "Binds", host, "null");
	put_field(o, "NetworkMode", host, "\"default\"");
	put_field(o, "PortBindings", host, "{}");
	put_field(o, "RestartPolicy", host, "{\"Name\":\"no\",\"MaximumRetryCount\":0}");
	put_field(o, "VolumesFrom", host, "null");
	put_field(o, "Links", host, "null");
	put_field(o, "DeviceRequests", host, "null");
	json_put_bool(o, "AutoRemove", c->auto_remove);
	json_put_i64(o, "CpuShares", c->cpu_shares);
	json_put_i64(o, "Memory", c->memory);
	json_put_i64(o, "NanoCpus", c->nano_cpus);
	json_end_object(o);
}

static void put_config(const struct sim_container *c, struct json_out *o)
{
	json_key(o, "Config");
	json_begin_object(o);
	json_put_str(o, "Hostname", str_first(str_from(c->id), 12));
	json_put_bool(o, "Tty", c->tty);
	json_put_bool(o, "OpenStdin", c->open_stdin);
	put_field(o, "ExposedPorts", c->config, "{}");
	put_field(o, "Env", c->config, "[]");
	put_field(o, "Cmd", c->config, "null");
	json_put_str(o, "Image", c->image_ref);
	put_field(o, "Labels", c->config, "{}");
	json_end_object(o);
}

static void write_inspect(const struct sim_container *c, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

	strbuf_addf(&name, "/%s", c->name);
	json_begin_object(o);
	json_put_str(o, "Id", str_from(c->id));
	put_time(o, "Created", c->created);
	json_put_str(o, "Path", c->argv[0]);
	put_state(c, o);
	json_put_str(o, "Image", c->image_id);
	json_put_str(o, "Name", strbuf_str(&name));
	json_put_i64(o, "RestartCount", 0);
	json_put_str(o, "Driver", STR("overlay2"));
	json_put_str(o, "Platform", STR("linux"));
	put_host_config(c, o);
	fake_container_write_mounts(c, o);
	put_config(c, o);
	json_key(o, "NetworkSettings");
	json_begin_object(o);
	json_key(o, "Ports");
	json_begin_object(o);
	fake_container_write_ports(c, o, false);
	json_end_object(o);
	fake_container_write_networks(c, o);
	json_end_object(o);
	json_end_object(o);
}

may_suspend struct error *serve_container_inspect(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	TRY(fake_work(call, MILLISECOND));
	TRY(fake_container_get(call->e, call->name, &c));
	write_inspect(c, &o);
	return fake_reply(call, 200, &text);
}
