/* SPDX-License-Identifier: Apache-2.0 */
#include "api/info.h"

#include <sys/utsname.h>

#include "api/handlers.h"
#include "api/info_common.h"
#include "api/internal.h"
#include "api/reply.h"
#include "base/duration.h"
#include "base/log.h"
#include "docker/config.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

struct str info_size(int64_t bytes, struct arena *arena)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 1024 && unit + 1 < ARRAY_LEN(units)) {
		size /= 1024;
		unit++;
	}
	return arena_printf(arena, "%.4g %s", size, units[unit]);
}

static void put_pair(struct json_out *o, struct str key, struct str value)
{
	json_begin_array(o);
	json_str_value(o, key);
	json_str_value(o, value);
	json_end_array(o);
}

static void put_detail(struct json_out *o, const char *key, struct str value, struct arena *arena)
{
	put_pair(o, arena_printf(arena, "  \u2514 %s", key), value);
}

/* "k=v, ...": they are sorted already. */
static struct str labels_text(const struct info_node *n, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < n->n_labels; i++)
		strbuf_addf(&out, "%s%.*s=%.*s", i ? ", " : "", STR_ARG(n->labels[i].key),
			    STR_ARG(n->labels[i].value));
	return arena_dup(arena, strbuf_str(&out));
}

static struct str time_text(int64_t unix_ns, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	if (unix_ns)
		time_format_rfc3339(unix_ns, &out);
	return arena_dup(arena, strbuf_str(&out));
}

/* "1.5 / 2" */
static struct str cpus_text(const struct info_node *n, struct arena *arena)
{
	struct str reserved = config_cores_format(n->reserved_nano_cpus, arena);
	struct str total = config_cores_format(n->nano_cpus, arena);

	return arena_printf(arena, "%.*s / %.*s", STR_ARG(reserved), STR_ARG(total));
}

static struct str memory_text(const struct info_node *n, struct arena *arena)
{
	struct str reserved = info_size(n->reserved_memory, arena);
	struct str total = info_size(n->memory, arena);

	return arena_printf(arena, "%.*s / %.*s", STR_ARG(reserved), STR_ARG(total));
}

static struct str containers_text(const struct info_node *n, struct arena *arena)
{
	return arena_printf(arena, "%zu (%zu Running, %zu Paused, %zu Stopped)",
			    n->running + n->paused + n->stopped, n->running, n->paused, n->stopped);
}

/* "Reserved NVIDIA-GPU: 1 / 2", of what the engine says how many it has. */
static void put_devices(struct json_out *o, const struct info_node *n, struct arena *arena)
{
	for (size_t i = 0; n->devices && i < n->devices->n_kinds; i++) {
		const struct device_kind *kind = &n->devices->kinds[i];
		struct str key = arena_printf(arena, "Reserved %.*s", STR_ARG(kind->name));

		if (kind->total)
			put_detail(o, key.p,
				   arena_printf(arena, "%lld / %lld",
						(long long)n->reserved_devices[i],
						(long long)kind->total),
				   arena);
	}
}

void info_put_node(struct json_out *o, const struct info_node *n, struct arena *arena)
{
	/* Scripts look for both forms: a name stands behind a space, (unknown) does not. */
	if (str_empty(n->name))
		put_pair(o, STR("(unknown)"), n->addr);
	else
		put_pair(o, arena_printf(arena, " %.*s", STR_ARG(n->name)), n->addr);
	put_detail(o, "ID", n->id, arena);
	put_detail(o, "Status", n->state, arena);
	put_detail(o, "Containers", containers_text(n, arena), arena);
	put_detail(o, "Reserved CPUs", cpus_text(n, arena), arena);
	put_detail(o, "Reserved Memory", memory_text(n, arena), arena);
	put_devices(o, n, arena);
	put_detail(o, "Labels", labels_text(n, arena), arena);
	if (!str_empty(n->error))
		put_detail(o, "Error", n->error, arena);
	put_detail(o, "UpdatedAt", time_text(n->updated_at, arena), arena);
	put_detail(o, "ServerVersion", n->server_version, arena);
}

static void fill_totals(const struct cluster *c, const struct engine_info *info,
			struct info_node *n)
{
	double factor = 1 + cluster_config(c)->scheduler.overcommit;

	/* Whole cores, as the original shows them. */
	n->nano_cpus = (int64_t)((double)info->cpus * factor) * 1000000000;
	n->memory = (int64_t)((double)info->memory * factor);
}

/* Borrowed texts: good until the next park. */
static struct info_node node_of(const struct cluster *c, const struct engine *e)
{
	const struct engine_info *info = engine_info(e);
	struct cluster_totals totals;
	struct info_node n = {
		.name = engine_name(e),
		.addr = engine_addr(e),
		.id = engine_id(e),
		.state = str_from(engine_state_name(engine_state(e))),
		.error = engine_error(e),
		.updated_at = engine_updated_at(e),
	};

	cluster_reserved(e, &n.reserved_nano_cpus, &n.reserved_memory);
	n.devices = cluster_devices(e, &n.reserved_devices);
	cluster_node_totals(e, &totals);
	n.running = totals.running;
	n.paused = totals.paused;
	n.stopped = totals.stopped;
	if (!info)
		return n;
	fill_totals(c, info, &n);
	n.labels = info->labels;
	n.n_labels = info->n_labels;
	n.server_version = info->server_version;
	return n;
}

static struct str filters_text(const struct sched_config *config, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(config->filters) && config->filters[i]; i++)
		strbuf_addf(&out, "%s%s", i ? ", " : "", sched_filter_name(config->filters[i]));
	return arena_dup(arena, strbuf_str(&out));
}

static void put_role(const struct replica *replica, struct json_out *o)
{
	bool primary = replica_is_primary(replica);

	put_pair(o, STR("Role"), primary ? STR("primary") : STR("replica"));
	if (!primary)
		put_pair(o, STR("Primary"), replica_primary(replica));
}

static may_suspend struct error *put_system_status(const struct request *r,
						   const struct engines *engines,
						   struct json_out *o)
{
	const struct sched_config *scheduler = &cluster_config(r->cluster)->scheduler;

	json_key(o, "SystemStatus");
	json_begin_array(o);
	put_role(&r->api->replica, o);
	put_pair(o, STR("Strategy"), str_from(sched_strategy_name(scheduler->strategy)));
	put_pair(o, STR("Filters"), filters_text(scheduler, r->arena));
	put_pair(o, STR("Nodes"), arena_printf(r->arena, "%zu", engines->n));
	for (size_t i = 0; i < engines->n; i++) {
		struct info_node n;

		TRY(fiber_pace());
		n = node_of(r->cluster, engines->v[i]);
		info_put_node(o, &n, r->arena);
	}
	json_end_array(o);
	return NULL;
}

static void put_sums(const struct request *r, struct json_out *o)
{
	struct cluster_totals totals;

	cluster_totals(r->cluster, &totals);
	json_put_i64(o, "Containers", (int64_t)totals.containers);
	json_put_i64(o, "ContainersRunning", (int64_t)totals.running);
	json_put_i64(o, "ContainersPaused", (int64_t)totals.paused);
	json_put_i64(o, "ContainersStopped", (int64_t)totals.stopped);
	json_put_i64(o, "Images", (int64_t)totals.images);
	json_put_i64(o, "NCPU", totals.cpus);
	json_put_i64(o, "MemTotal", totals.memory);
}

/* The one that all nodes have in common, else "". */
static struct str common_driver(const struct engines *engines)
{
	struct str driver = STR_NONE;

	for (size_t i = 0; i < engines->n; i++) {
		const struct engine_info *info = engine_info(engines->v[i]);

		if (!info)
			continue;
		if (driver.p && !str_eq(driver, info->storage_driver))
			return STR("");
		driver = info->storage_driver;
	}
	return driver;
}

/* What a healthy node has a client can use. */
static may_suspend struct error *put_plugins(const struct request *r, const struct engines *engines,
					     struct json_out *o)
{
	struct str *texts = arena_new_array(r->arena, struct str, engines->n + 1);
	size_t n = 0;

	TRY(fiber_pace());
	for (size_t i = 0; i < engines->n; i++) {
		const struct engine_info *info = engine_info(engines->v[i]);

		if (info && engine_state(engines->v[i]) == ENGINE_HEALTHY)
			texts[n++] = info->plugins;
	}
	info_put_plugins(o, texts, n, r->arena);
	return NULL;
}

static may_suspend struct error *put_common(const struct request *r, const struct engines *engines,
					    struct json_out *o)
{
	struct str *texts = arena_new_array(r->arena, struct str, engines->n + 1);
	size_t n = 0;

	TRY(fiber_pace());
	for (size_t i = 0; i < engines->n; i++)
		if (engine_info(engines->v[i]))
			texts[n++] = engine_info(engines->v[i])->common;
	info_put_common(o, texts, n, r->arena);
	return NULL;
}

/* The manager itself: the place of the engine that clients think they talk to. */
static void put_manager(const struct request *r, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf now = STRBUF_INIT;
	struct utsname host = { 0 };

	uname(&host);
	time_format_rfc3339_nano(clock_wall(), &now);
	json_put_str(o, "ID", STR(""));
	json_put_str(o, "Name", str_from(host.nodename));
	json_put_str(o, "ServerVersion", arena_printf(r->arena, "swarm/%s", r->api->version));
	json_put_str(o, "OperatingSystem", STR("linux"));
	json_put_str(o, "OSType", STR("linux"));
	json_put_str(o, "Architecture", str_from(host.machine));
	json_put_str(o, "KernelVersion", str_from(host.release));
	json_put_str(o, "SystemTime", strbuf_str(&now));
	json_put_bool(o, "Debug", log_enabled(LOG_DEBUG));
	json_put_bool(o, "ExperimentalBuild", false);
	json_put_bool(o, "LiveRestoreEnabled", false);
}

/* Named so that clients which list them find an empty list and not a fault. */
static void put_empty(struct json_out *o)
{
	json_put_raw(o, "Labels", STR("[]"));
	json_put_raw(o, "Warnings", STR("null"));
	json_put_raw(o, "Swarm",
		     STR("{\"NodeID\":\"\",\"NodeAddr\":\"\",\"LocalNodeState\":\"inactive\","
			 "\"ControlAvailable\":false,\"Error\":\"\",\"RemoteManagers\":null}"));
}

may_suspend struct error *system_info(struct request *r)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_out o = json_out(&out);

	cluster_engines(r->cluster, &engines);
	json_begin_object(&o);
	put_manager(r, &o);
	put_sums(r, &o);
	json_put_str(&o, "Driver", common_driver(&engines));
	TRY(put_system_status(r, &engines, &o));
	TRY(put_plugins(r, &engines, &o));
	TRY(put_common(r, &engines, &o));
	put_empty(&o);
	json_end_object(&o);
	strbuf_addc(&out, '\n');
	return reply_json(r, 200, strbuf_str(&out));
}
