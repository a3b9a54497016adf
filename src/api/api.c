/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to its handler: the version in front of the path, the row of the table, the error
 * that becomes the answer.
 */
#include "api/api.h"

#include "api/handlers.h"
#include "api/internal.h"
#include "api/reply.h"
#include "api/routes.h"
#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/build.h"
#include "cluster/watchdog.h"
#include "fiber/loop.h"
#include "http/reply.h"

/* What a request under way gets to come to its end when the manager stops. */
#define STOP_GRACE (1 * SECOND)

/*
 * Clients of old tell an engine's system by the form of Server (copying files, building): it must
 * be "Docker/... (linux)".
 */
static void write_common(const struct api *a, struct api_version pool, struct strbuf *out)
{
	strbuf_addf(out, "Server: Docker/swarm-%s (linux)\r\n", a->version);
	strbuf_addf(out, "Api-Version: %d.%d\r\n", pool.major, pool.minor);
	strbuf_add(out, STR("Docker-Experimental: false\r\n"
			    "Ostype: linux\r\n"));
	if (!a->cors)
		return;
	strbuf_add(out, STR("Access-Control-Allow-Origin: *\r\n"
			    "Access-Control-Allow-Headers: Origin, X-Requested-With, Content-Type, "
			    "Accept, X-Registry-Auth\r\n"
			    "Access-Control-Allow-Methods: HEAD, GET, POST, DELETE, PUT, "
			    "OPTIONS\r\n"));
}

static struct str common_headers(void *arg)
{
	struct api *a = arg;
	struct api_version pool = cluster_api_version(a->cluster);
	struct strbuf *text = &a->common_headers[pool.minor];

	if (!text->n)
		write_common(a, pool, text);
	return strbuf_str(text);
}

/*
 * Debian's skopeo and others that use its docker-daemon transport carry images by version 1.22,
 * unasked; in these two requests nothing has changed since.
 */
static struct api_version oldest_served(const struct route *route)
{
	if (route->handler == images_get || route->handler == images_load)
		return API_VERSION(1, 22);
	return API_VERSION_OLDEST;
}

static struct error *read_version(struct request *r, struct str text)
{
	if (str_empty(text)) {
		r->version = cluster_api_version(r->cluster);
		return NULL;
	}
	if (!api_version_parse(text, &r->version))
		return error_new(ERR_INVALID, "invalid API version \"%.*s\": it must be like 1.41",
				 STR_ARG(str_first(text, 40)));
	return api_version_check(r->version, oldest_served(r->route), API_VERSION_NEWEST);
}

static bool is_guests(const struct api_guest *guest, struct str path)
{
	struct str prefix = str_from(guest->prefix);

	return guest->serve && str_starts(path, prefix) &&
	       (path.n == prefix.n || path.p[prefix.n] == '/');
}

/* What is behind a guest's prefix may be as good as a password, and is not for the log. */
static struct str shown_path(const struct api *a, struct str path)
{
	return is_guests(&a->guest, path) ? str_from(a->guest.prefix) : path;
}

/* Its answer depends on which images there are, and where. */
static bool is_about_images(const struct route *route)
{
	static handler_fn *const handlers[] = {
		images_list,	images_inspect, images_pass,	   images_get,
		images_get_one, images_push,	images_tag,	   images_remove,
		images_prune,	build_start,	containers_create, placement_tell,
	};

	for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
		if (route->handler == handlers[i])
			return true;
	return false;
}

static may_suspend struct error *dispatch(struct request *r)
{
	struct str method = r->in->head.method, version = STR_NONE;

	/* As an engine does, for any path. */
	if (str_eq(method, STR("OPTIONS")))
		return reply_empty(r, 200);

	if (loop_is_crowded())
		return error_over_limit(ERR_UNAVAILABLE, "too many requests are under way");
	if (is_guests(&r->api->guest, r->in->url.path))
		return r->api->guest.serve(r->in, r->api->guest.arg);

	request_take_version(&r->path, &version);
	if (!replica_is_own(r))
		return replica_pass(r);
	r->route = route_find(method, r->path, &r->name);
	TRY(replica_enter(r));
	/* An engine does not tell a wrong method from a wrong path either. */
	if (!r->route)
		return error_new(ERR_NOT_FOUND, "page not found");
	TRY(read_version(r, version));
	if (!replica_changes_nothing(r))
		TRY(cluster_await_records(r->cluster));
	if (is_about_images(r->route))
		cluster_see_builds(r->cluster, request_client(r));
	return r->route->handler(r);
}

static may_suspend void serve(struct http_incoming *in, void *arg)
{
	struct api *a = arg;
	struct request r = {
		.api = a,
		.cluster = a->cluster,
		.in = in,
		.path = shown_path(a, in->url.path),
		.arena = in->arena,
	};

	struct in_flight_client *client = NULL;
	struct error *err = in_flight_begin(&a->in_flight, request_client(&r), &client);

	log_debug("request", LOG_STR("method", in->head.method), LOG_STR("path", r.path),
		  LOG_CSTR("client", in->client->peer));
	reply_error(&r, err ? err : dispatch(&r));
	in_flight_end(&a->in_flight, client);
}

const struct api_limits api_limits_default = {
	.http = HTTP_LIMITS_DEFAULT,
	.client_requests = LIMIT_CLIENT_REQUESTS,
};

struct api *api_new(const struct api_config *config)
{
	const struct api_limits *limits = config->limits ? config->limits : &api_limits_default;
	struct api *a = mem_new(struct api);

	a->cluster = config->cluster;
	a->version = mem_strdup(config->version);
	a->cors = config->cors;
	a->guest = config->guest;
	exec_table_init(&a->execs);
	in_flight_init(&a->in_flight, limits->client_requests);
	replica_init(&a->replica, config->fence, config->manager_tls);
	a->server = http_server_new(&(struct http_server_config){
		.handler = serve,
		.arg = a,
		.common_headers = common_headers,
		.error_body = reply_error_body,
		.limits = &limits->http,
	});
	return a;
}

void api_listen(struct api *a, struct listener *l)
{
	http_server_listen(a->server, l);
}

may_suspend void api_stop(struct api *a)
{
	http_server_stop(a->server, STOP_GRACE);
}

void api_free(struct api *a)
{
	if (!a)
		return;
	http_server_free(a->server);
	exec_table_fini(&a->execs);
	in_flight_fini(&a->in_flight);
	replica_fini(&a->replica);
	for (size_t i = 0; i < ARRAY_LEN(a->common_headers); i++)
		strbuf_fini(&a->common_headers[i]);
	free(a->version);
	free(a);
}
