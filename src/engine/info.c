/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads /info and /version: who the engine is, what it has, its labels, how far its clock is off.
 */
#include "engine/info.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "json/build.h"

#define SKEW_TOLERATED (2 * SECOND)

static const struct {
	const char *key, *field;
} built_in[] = {
	{ "storagedriver", "Driver" },
	{ "executiondriver", "ExecutionDriver" },
	{ "kernelversion", "KernelVersion" },
	{ "operatingsystem", "OperatingSystem" },
	{ "ostype", "OSType" },
	{ "architecture", "Architecture" },
};

static void add_warning(struct strbuf *warnings, struct str label, const char *why)
{
	if (warnings->n)
		strbuf_add(warnings, STR("; "));
	strbuf_addf(warnings, "label \"%.*s\" ignored: %s", STR_ARG(label), why);
}

static int label_cmp(const void *a, const void *b)
{
	const struct engine_label *x = a, *y = b;

	return str_cmp(x->key, y->key);
}

static bool is_built_in(struct str key)
{
	for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
		if (str_eq(key, str_from(built_in[i].key)))
			return true;
	return false;
}

/*
 * The same key twice: Docker refuses such a daemon from 17.12 on; before that the first counted
 * here. Few labels, so that looking through them beats a table.
 */
static bool has_label(const struct engine_info *i, struct str key)
{
	for (size_t k = 0; k < i->n_labels; k++)
		if (str_eq(i->labels[k].key, key))
			return true;
	return false;
}

static void add_own_label(struct engine_info *i, struct str text, struct strbuf *warnings)
{
	struct engine_label l = { .value = STR("") };

	str_cut(text, '=', &l.key, &l.value);
	if (str_eq(l.key, STR("node")))
		add_warning(warnings, text, "\"node\" stands for the node's own name");
	else if (!has_label(i, l.key))
		i->labels[i->n_labels++] = l;
	else if (is_built_in(l.key))
		add_warning(warnings, text, "the engine tells this of itself");
}

/* A text that outlives the answer: of an answer little is kept, and there are many engines. */
static struct str keep(struct engine_info *i, struct json object, const char *key)
{
	return arena_dup(&i->arena, json_get_str(object, key));
}

static void read_labels(struct engine_info *i, struct json info)
{
	_cleanup_(strbuf_fini) struct strbuf warnings = STRBUF_INIT;
	struct json own = json_get(info, "Labels");
	struct json_iter it = json_iter(own);
	struct json label;

	i->labels = arena_new_array(&i->arena, struct engine_label,
				    ARRAY_LEN(built_in) + json_count(own));
	for (size_t k = 0; k < ARRAY_LEN(built_in); k++) {
		struct str value = keep(i, info, built_in[k].field);

		if (!str_empty(value))
			i->labels[i->n_labels++] =
				(struct engine_label){ str_from(built_in[k].key), value };
	}
	while (json_type(own) == JSON_ARRAY && json_next(&it, NULL, &label))
		add_own_label(i, arena_dup(&i->arena, json_str(label)), &warnings);

	qsort(i->labels, i->n_labels, sizeof(*i->labels), label_cmp);
	i->warnings = arena_dup(&i->arena, strbuf_str(&warnings));
}

/*
 * The answer was made at some time between before and after; only what lies outside of both is
 * surely the clock and not the way.
 */
static int64_t read_skew(struct json info, int64_t before, int64_t after)
{
	int64_t theirs;

	if (!time_parse_rfc3339(json_get_str(info, "SystemTime"), &theirs))
		return 0;
	theirs = MAX(0, MIN(theirs, LIMIT_ENGINE_TIME));
	if (theirs > before - SKEW_TOLERATED && theirs < after + SKEW_TOLERATED)
		return 0;
	return theirs - (before + (after - before) / 2);
}

static struct error *read_versions(struct engine_info *i, struct json version)
{
	struct str newest = json_get_str(version, "ApiVersion");

	if (!api_version_parse(newest, &i->api_newest))
		return error_new(ERR_INVALID, "it tells no API version in /version");
	/* Engines before 1.25 do not tell it, and take all that is older. */
	if (!api_version_parse(json_get_str(version, "MinAPIVersion"), &i->api_oldest))
		i->api_oldest = API_VERSION_OLDEST;

	if (api_version_cmp(i->api_newest, API_VERSION_OLDEST) < 0)
		return error_new(
			ERR_INVALID,
			"its API version %d.%d is too old: %d.%d (Docker 1.12) or later is needed",
			i->api_newest.major, i->api_newest.minor, API_VERSION_OLDEST.major,
			API_VERSION_OLDEST.minor);
	if (api_version_cmp(i->api_oldest, API_VERSION_NEWEST) > 0)
		return error_new(ERR_INVALID,
				 "its oldest API version %d.%d is newer than %d.%d, which this "
				 "program knows",
				 i->api_oldest.major, i->api_oldest.minor, API_VERSION_NEWEST.major,
				 API_VERSION_NEWEST.minor);
	return NULL;
}

static struct error *read_resources(struct engine_info *i, struct json info, struct str addr)
{
	i->cpus = MIN(json_get_i64(info, "NCPU", 0), LIMIT_ENGINE_CPUS);
	i->memory = MIN(json_get_i64(info, "MemTotal", 0), LIMIT_ENGINE_MEMORY);
	i->swarm_active = json_str_eq(json_path(info, "Swarm.LocalNodeState"), STR("active"));
	i->swarm_manager =
		i->swarm_active && json_is_true(json_path(info, "Swarm.ControlAvailable"));
	i->cluster_store = !str_empty(json_get_str(info, "ClusterStore"));
	/*
	 * A manager of this program answers with the sums of its pool: it is told by its version.
	 */
	if (i->cpus > 0 && i->memory > 0 && !str_starts(i->server_version, STR("swarm/")))
		return NULL;
	return error_new(ERR_INVALID,
			 "cannot get resources for this engine, make sure %.*s is a Docker Engine, "
			 "not a Swarm manager",
			 STR_ARG(addr));
}

/* Kept for the /info of the pool (api/info_common.c). */
static const char *const common_members[] = {
	"DriverStatus",	    "LoggingDriver",	 "CgroupDriver",       "CgroupVersion",
	"DefaultRuntime",   "Runtimes",		 "SecurityOptions",    "RegistryConfig",
	"OSVersion",	    "InitBinary",	 "IndexServerAddress", "Isolation",
	"DockerRootDir",    "HttpProxy",	 "HttpsProxy",	       "NoProxy",
	"RuncCommit",	    "InitCommit",	 "ContainerdCommit",   "DefaultAddressPools",
	"CDISpecDirs",	    "FirewallBackend",	 "MemoryLimit",	       "SwapLimit",
	"CpuCfsPeriod",	    "CpuCfsQuota",	 "CPUShares",	       "CPUSet",
	"PidsLimit",	    "OomKillDisable",	 "KernelMemory",       "IPv4Forwarding",
	"BridgeNfIptables", "BridgeNfIp6tables",
};

static struct str read_common(struct engine_info *i, struct json info)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	json_begin_object(&o);
	for (size_t k = 0; k < ARRAY_LEN(common_members); k++) {
		struct json value = json_get(info, common_members[k]);

		if (json_exists(value))
			json_put_raw(&o, common_members[k], json_raw(value));
	}
	json_end_object(&o);
	return arena_dup(&i->arena, strbuf_str(&text));
}

static struct error *read_info(struct engine_info *i, struct json info, struct str addr)
{
	i->id = keep(i, info, "ID");
	i->name = keep(i, info, "Name");
	i->server_version = keep(i, info, "ServerVersion");
	i->os_type = keep(i, info, "OSType");
	i->architecture = keep(i, info, "Architecture");
	i->operating_system = keep(i, info, "OperatingSystem");
	i->kernel_version = keep(i, info, "KernelVersion");
	i->storage_driver = keep(i, info, "Driver");
	i->common = read_common(i, info);
	if (json_type(json_get(info, "Plugins")) == JSON_OBJECT)
		i->plugins = arena_dup(&i->arena, json_raw(json_get(info, "Plugins")));
	return read_resources(i, info, addr);
}

static struct error *check_who(const struct engine_info *i)
{
	if (str_empty(i->id))
		return error_new(ERR_INVALID, "it tells no ID in /info");
	if (str_empty(i->name))
		return error_new(ERR_INVALID, "it tells no Name in /info");
	return NULL;
}

static struct error *read_all(struct engine_info *i, struct str addr, struct json info,
			      struct json version)
{
	TRY(read_info(i, info, addr));
	TRY(read_versions(i, version));
	i->version = arena_dup(&i->arena, json_raw(version));
	return check_who(i);
}

static struct error *parse_both(struct str info, struct str version, struct arena *arena,
				struct json *ret_info, struct json *ret_version)
{
	TRY(error_wrap(json_parse(info, arena, ret_info), "in /info"));
	return error_wrap(json_parse(version, arena, ret_version), "in /version");
}

struct error *engine_info_read(struct str addr, struct str info_text, struct str version_text,
			       int64_t wall_before, int64_t wall_after, struct engine_info **ret)
{
	_cleanup_(engine_info_unrefp) struct engine_info *i = mem_new(struct engine_info);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json info, version;
	struct error *err;

	i->refs = 1;
	err = parse_both(info_text, version_text, &arena, &info, &version);
	if (!err)
		err = read_all(i, addr, info, version);
	if (err)
		return error_as(ERR_INVALID, err);
	read_labels(i, info);
	devices_read(info, &i->arena, &i->devices);
	i->skew = read_skew(info, wall_before, wall_after);
	*ret = take(i);
	return NULL;
}

struct engine_info *engine_info_ref(struct engine_info *i)
{
	i->refs++;
	return i;
}

void engine_info_unref(struct engine_info *i)
{
	if (!i || --i->refs)
		return;
	arena_fini(&i->arena);
	free(i);
}

struct str engine_info_label(const struct engine_info *i, struct str key)
{
	struct engine_label wanted = { .key = key };
	struct engine_label *found =
		i->n_labels ? bsearch(&wanted, i->labels, i->n_labels, sizeof(wanted), label_cmp)
			    : NULL;

	return found ? found->value : STR_NONE;
}
