/* SPDX-License-Identifier: Apache-2.0 */
#include "api/info_common.h"

#include <stdlib.h>

#include "json/json.h"

/*
 * And what stands there where the nodes differ, or none says anything. NULL: it is left out then.
 */
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

static int compare_strs(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return str_cmp(*x, *y);
}

/* Names, sorted, each once; null where no node says any. */
static void put_union(struct json_out *o, const struct variants *all, const char *kind,
		      struct arena *arena)
{
	struct json_iter it;
	struct json name;
	struct str *names;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += json_count(json_get(all->v[i], kind));
	json_key(o, kind);
	if (!n) {
		json_raw_value(o, STR("null"));
		return;
	}
	names = arena_new_array(arena, struct str, n);
	n = 0;
	for (size_t i = 0; i < all->n; i++) {
		it = json_iter(json_get(all->v[i], kind));
		while (json_next(&it, NULL, &name))
			names[n++] = json_str(name);
	}
	qsort(names, n, sizeof(*names), compare_strs);
	json_begin_array(o);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !str_eq(names[i], names[i - 1]))
			json_str_value(o, names[i]);
	json_end_array(o);
}

void info_put_plugins(struct json_out *o, const struct str *nodes, size_t n, struct arena *arena)
{
	static const char *const kinds[] = { "Volume", "Network", "Authorization", "Log" };
	struct variants all = read_variants(nodes, n, arena);

	if (all.n == 1) {
		json_put_raw(o, "Plugins", json_raw(all.v[0]));
		return;
	}
	json_key(o, "Plugins");
	json_begin_object(o);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		put_union(o, &all, kinds[i], arena);
	json_end_object(o);
}
