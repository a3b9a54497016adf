/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's own answers about itself, and what any node can answer as well as another. /info is
 * info.c.
 */
#include <stdio.h>
#include <sys/utsname.h>

#include "api/handlers.h"
#include "api/internal.h"
#include "api/proxy.h"
#include "api/reply.h"
#include "cluster/disk_usage.h"
#include "cluster/plugins.h"
#include "http/reply.h"
#include "http/url.h"
#include "json/build.h"

#if defined(__x86_64__)
#define GO_ARCH "amd64"
#elif defined(__aarch64__)
#define GO_ARCH "arm64"
#elif defined(__i386__)
#define GO_ARCH "386"
#elif defined(__arm__)
#define GO_ARCH "arm"
#else
#define GO_ARCH "unknown"
#endif

/* What engines of the pool's version say: 23.0 (API 1.42) made BuildKit the builder. */
static struct str builder_version(const struct request *r)
{
	struct api_version pool = cluster_api_version(r->cluster);

	return api_version_cmp(pool, API_VERSION(1, 42)) < 0 ? STR("1") : STR("2");
}

may_suspend struct error *system_ping(struct request *r)
{
	const struct http_header headers[] = {
		{ STR("Cache-Control"), STR("no-cache, no-store, must-revalidate") },
		{ STR("Pragma"), STR("no-cache") },
		{ STR("Builder-Version"), builder_version(r) },
		{ STR("Swarm"), STR("inactive") },
	};
	bool head = str_eq(r->in->head.method, STR("HEAD"));

	return http_reply(r->in, 200, "text/plain; charset=utf-8", headers, ARRAY_LEN(headers),
			  head ? STR("") : STR("OK"));
}

static void put_version(struct json_out *o, const char *key, struct api_version v)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d.%d", v.major, v.minor);

	json_put_str(o, key, str_of(text, (size_t)n));
}

static void put_about(const struct request *r, struct json_out *o)
{
	struct utsname host = { 0 };

	uname(&host);
	put_version(o, "ApiVersion", cluster_api_version(r->cluster));
	put_version(o, "MinAPIVersion", API_VERSION_OLDEST);
	json_put_str(o, "Os", STR("linux"));
	json_put_str(o, "Arch", STR(GO_ARCH));
	json_put_str(o, "KernelVersion", str_from(host.release));
}

static void put_component(struct json_out *o, const char *name, struct str version)
{
	json_begin_object(o);
	json_put_str(o, "Name", str_from(name));
	json_put_str(o, "Version", version);
	json_key(o, "Details");
	json_begin_object(o);
}

static void end_component(struct json_out *o)
{
	json_end_object(o);
	json_end_object(o);
}

/* One engine that stands for all of its version. */
static void put_engines_of_version(struct json_out *o, const struct engine_info *info, size_t nodes)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	static const char *const details[] = {
		"ApiVersion", "MinAPIVersion", "GitCommit",	"GoVersion",
		"Os",	      "Arch",	       "KernelVersion", "BuildTime",
	};
	struct json version = { 0 };
	char count[24];
	int n = snprintf(count, sizeof(count), "%zu", nodes);

	error_free(json_parse(info->version, &arena, &version)); /* it was read before */
	put_component(o, "Engine", info->server_version);
	for (size_t i = 0; i < ARRAY_LEN(details); i++)
		json_put_str(o, details[i], json_get_str(version, details[i]));
	json_put_str(o, "Experimental", STR("false"));
	json_put_str(o, "Nodes", str_of(count, (size_t)n));
	end_component(o);
}

static int compare_versions(const void *a, const void *b)
{
	const struct engine_version_count *x = a, *y = b;

	return str_cmp(x->info->server_version, y->info->server_version);
}

static void put_engines(const struct request *r, struct json_out *o)
{
	struct engine_version_count *versions;
	size_t n;

	cluster_versions(r->cluster, r->arena, &versions, &n);
	qsort(versions, n, sizeof(*versions), compare_versions);
	for (size_t i = 0; i < n; i++)
		put_engines_of_version(o, versions[i].info, versions[i].nodes);
}

may_suspend struct error *system_version(struct request *r)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_out o = json_out(&out);

	json_begin_object(&o);
	json_key(&o, "Platform");
	json_begin_object(&o);
	json_put_str(&o, "Name", STR("Docker Swarm"));
	json_end_object(&o);
	json_key(&o, "Components");
	json_begin_array(&o);
	put_component(&o, "Swarm", str_from(r->api->version));
	put_about(r, &o);
	end_component(&o);
	put_engines(r, &o);
	json_end_array(&o);
	json_put_str(&o, "Version", arena_printf(r->arena, "swarm/%s", r->api->version));
	put_about(r, &o);
	/* An engine's, which clients print; there are none of ours. */
	json_put_str(&o, "GitCommit", STR(""));
	json_put_str(&o, "GoVersion", STR(""));
	json_put_str(&o, "BuildTime", STR(""));
	json_end_object(&o);
	strbuf_addc(&out, '\n');
	return reply_json(r, 200, strbuf_str(&out));
}

may_suspend struct error *system_df(struct request *r)
{
	struct str answer;

	TRY(cluster_disk_usage(r->cluster, r->in->url.raw_query, r->version, r->arena, &answer));
	return reply_json(r, 200, answer);
}

may_suspend struct error *system_plugins(struct request *r)
{
	struct str answer;

	TRY(cluster_list_plugins(r->cluster, r->in->url.raw_query, r->version, r->arena, &answer));
	return reply_json(r, 200, answer);
}

may_suspend struct error *system_any_node(struct request *r)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct proxy p = { 0 };

	TRY(cluster_any_engine(r->cluster, &e));
	http_encode_path(&path, r->path);
	p.engine = e;
	p.path = request_with_query(r, strbuf_str(&path));
	return proxy_pass(r, &p);
}
