/* SPDX-License-Identifier: Apache-2.0 */
#include "api/info_common.h"

#include "json/json.h"

/* And what stands there where the nodes differ, or none says anything. NULL: it is left out then. */
static const struct {
	const char *key, *neutral;
} members[] = {
	{ "DriverStatus", "null" },
	{ "LoggingDriver", "\"\"" },
	{ "CgroupDriver", "\"\"" },
	{ "CgroupVersion", NULL },
	{ "DefaultRuntime", "\"\"" },
	{ "Runtimes", "{}" },
	{ "SecurityOptions", "null" },
	{ "RegistryConfig", "null" },
	{ "IndexServerAddress", "\"\"" },
	{ "OSVersion", NULL },
	{ "InitBinary", "\"\"" },
	{ "Isolation", "\"\"" },
	{ "DockerRootDir", "\"\"" },
	{ "HttpProxy", "\"\"" },
	{ "HttpsProxy", "\"\"" },
	{ "NoProxy", "\"\"" },
	{ "ContainerdCommit", "{\"ID\":\"\",\"Expected\":\"\"}" },
	{ "RuncCommit", "{\"ID\":\"\",\"Expected\":\"\"}" },
	{ "InitCommit", "{\"ID\":\"\",\"Expected\":\"\"}" },
	{ "DefaultAddressPools", NULL },
	{ "CDISpecDirs", NULL },
	{ "FirewallBackend", NULL },
};

/* An engine without one of these would be warned of by its own client. */
static const char *const flags[] = {
	"MemoryLimit",	"SwapLimit",	  "CpuCfsPeriod",     "CpuCfsQuota",
	"CPUShares",	"CPUSet",	  "PidsLimit",	      "OomKillDisable",
	"KernelMemory", "IPv4Forwarding", "BridgeNfIptables", "BridgeNfIp6tables",
};

/* The texts that differ from each other: of thousands of nodes a few. */
struct variants {
	struct json *v;
	size_t n;
};

static bool has_text(const struct variants *all, struct str text)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(json_raw(all->v[i]), text))
			return true;
	return false;
}

static struct variants read_variants(const struct str *nodes, size_t n, struct arena *arena)
{
	struct variants all = { arena_new_array(arena, struct json, n + 1), 0 };

	for (size_t i = 0; i < n; i++) {
		struct error *err = NULL;

		if (str_empty(nodes[i]) || has_text(&all, nodes[i]))
			continue;
		err = json_parse(nodes[i], arena, &all.v[all.n]);
		if (!err)
			all.n++;
		error_free(err);
	}
	return all;
}

/* STR_NONE: they differ, or say nothing. */
static struct str agreed(const struct variants *all, const char *key)
{
	struct str raw = STR_NONE;

	for (size_t i = 0; i < all->n; i++) {
		struct json value = json_get(all->v[i], key);

		if (!json_exists(value) || (raw.p && !str_eq(raw, json_raw(value))))
			return STR_NONE;
		raw = json_raw(value);
	}
	return raw;
}

static bool denied(const struct variants *all, const char *flag)
{
	for (size_t i = 0; i < all->n; i++)
		if (json_type(json_get(all->v[i], flag)) == JSON_FALSE)
			return true;
	return false;
}

void info_put_common(struct json_out *o, const struct str *nodes, size_t n, struct arena *arena)
{
	struct variants all = read_variants(nodes, n, arena);

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct str raw = agreed(&all, members[i].key);

		if (raw.p || members[i].neutral)
			json_put_raw(o, members[i].key, raw.p ? raw : str_from(members[i].neutral));
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		json_put_bool(o, flags[i], !denied(&all, flags[i]));
}
