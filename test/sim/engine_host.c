/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine says of itself: /_ping, /version, /info.
 */
#include "sim/engine.h"

may_suspend struct error *serve_host_ping(struct sim_call *call)
{
	static const struct http_header headers[] = {
		{ STR_INIT("Builder-Version"), STR_INIT("2") },
		{ STR_INIT("Cache-Control"), STR_INIT("no-cache, no-store, must-revalidate") },
		{ STR_INIT("Pragma"), STR_INIT("no-cache") },
	};

	return http_reply(call->in, 200, "text/plain; charset=utf-8", headers, ARRAY_LEN(headers),
			  STR("OK"));
}

may_suspend struct error *serve_host_version(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	json_begin_object(&o);
	json_put_raw(&o, "Platform", STR("{\"Name\":\"Docker Engine - Community\"}"));
	json_put_raw(&o, "Components",
		     STR("[{\"Name\":\"Engine\",\"Version\":\"20.10.24\",\"Details\":{}}]"));
	json_put_str(&o, "Version", STR("20.10.24"));
	json_put_str(&o, "ApiVersion", str_from(call->e->api_newest));
	json_put_str(&o, "MinAPIVersion", str_from(call->e->api_oldest));
	json_put_str(&o, "Os", STR("linux"));
	json_put_str(&o, "Arch", STR("amd64"));
	json_put_str(&o, "KernelVersion", STR("6.1.0"));
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

static size_t count_state(const struct sim_engine *e, const char *state)
{
	size_t n = 0;

	for (size_t i = 0; i < e->containers.n; i++)
		n += strcmp(fake_container_state_name(e->containers.v[i]), state) == 0;
	return n;
}

static void write_labels(const struct sim_engine *e, struct json_out *o)
{
	json_key(o, "Labels");
	json_begin_array(o);
	for (size_t i = 0; i < e->labels.n; i++)
		json_str_value(o, str_from(e->labels.v[i]));
	json_end_array(o);
}

static void write_info(const struct sim_engine *e, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf now = STRBUF_INIT;
	size_t running = count_state(e, "running"), paused = count_state(e, "paused");

	time_format_rfc3339_nano(fake_clock(e), &now);
	json_begin_object(o);
	json_put_str(o, "ID", str_from(e->id));
	json_put_i64(o, "Containers", (int64_t)e->containers.n);
	json_put_i64(o, "ContainersRunning", (int64_t)running);
	json_put_i64(o, "ContainersPaused", (int64_t)paused);
	json_put_i64(o, "ContainersStopped", (int64_t)(e->containers.n - running - paused));
	json_put_i64(o, "Images", (int64_t)e->images.n);
	json_put_str(o, "Driver", STR("overlay2"));
	json_put_str(o, "SystemTime", strbuf_str(&now));
	json_put_str(o, "KernelVersion", STR("6.1.0"));
	json_put_str(o, "OperatingSystem", STR("Debian GNU/Linux 12 (bookworm)"));
	json_put_str(o, "OSType", str_from(e->os ?: "linux"));
	json_put_str(o, "Architecture", str_from(e->architecture ?: "x86_64"));
	json_put_i64(o, "NCPU", e->cpus);
	json_put_i64(o, "MemTotal", e->memory);
	json_put_str(o, "Name", str_from(e->name));
	write_labels(e, o);
	json_put_str(o, "ServerVersion", STR("20.10.24"));
	json_put_raw(o, "Plugins",
		     STR("{\"Volume\":[\"local\",\"shared\"],\"Network\":[\"bridge\",\"host\","
			 "\"ipvlan\",\"macvlan\",\"null\",\"overlay\"]}"));
	if (e->devices)
		json_put_raw(o, "GenericResources", str_from(e->devices));
	json_key(o, "Swarm");
	json_begin_object(o);
	json_put_str(o, "LocalNodeState", e->swarm ? STR("active") : STR("inactive"));
	json_put_bool(o, "ControlAvailable", e->swarm == SWARM_MANAGER);
	json_end_object(o);
	json_end_object(o);
}

may_suspend struct error *serve_host_info(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	write_info(call->e, &o);
	return fake_reply(call, 200, &text);
}

/* One that all engines have, and one that is only on the first. */
may_suspend struct error *serve_host_plugins(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	bool first = strcmp(call->e->name, "n1") == 0;

	strbuf_addf(&text, "[{\"Id\":\"%.12s\",\"Name\":\"shared:latest\",\"Enabled\":true}%s]",
		    call->e->id, first ? ",{\"Id\":\"x\",\"Name\":\"only-on-n1\"}" : "");
	return fake_reply(call, 200, &text);
}
