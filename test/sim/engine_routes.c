/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which request of the engine's API is answered where.
 */
#include "sim/engine.h"

#include "docker/version.h"
#include "fiber/clock.h"

struct engine_route {
	const char *method, *pattern;
	sim_handler_fn *handler;
};

static const struct engine_route engine_routes[] = {
	{ "GET", "/_ping", serve_host_ping },
	{ "HEAD", "/_ping", serve_host_ping },
	{ "GET", "/version", serve_host_version },
	{ "GET", "/info", serve_host_info },
	{ "GET", "/events", serve_events_follow },
	{ "GET", "/system/df", serve_disk_usage },
	{ "GET", "/plugins", serve_host_plugins },
	{ "GET", "/containers/json", serve_container_list },
	{ "POST", "/containers/create", serve_container_create },
	{ "POST", "/containers/prune", serve_container_prune },
	{ "POST", "/images/prune", serve_image_prune },
	{ "POST", "/build", serve_build },
	{ "POST", "/build/cancel", serve_build_cancel },
	{ "POST", "/build/prune", serve_build_prune },
	{ "POST", "/session", serve_session },
	{ "POST", "/grpc", serve_grpc },
	{ "GET", "/containers/{}/json", serve_container_inspect },
	{ "POST", "/containers/{}/start", serve_container_start },
	{ "POST", "/containers/{}/stop", serve_container_stop },
	{ "POST", "/containers/{}/kill", serve_container_kill },
	{ "POST", "/containers/{}/restart", serve_container_restart },
	{ "POST", "/containers/{}/pause", serve_container_pause },
	{ "POST", "/containers/{}/unpause", serve_container_unpause },
	{ "POST", "/containers/{}/rename", serve_container_rename },
	{ "POST", "/containers/{}/update", serve_container_update },
	{ "POST", "/containers/{}/wait", serve_container_wait },
	{ "POST", "/containers/{}/resize", serve_container_resize },
	{ "POST", "/containers/{}/attach", serve_container_attach },
	{ "GET", "/containers/{}/logs", serve_container_logs },
	{ "GET", "/containers/{}/top", serve_container_top },
	{ "GET", "/containers/{}/stats", serve_container_stats },
	{ "GET", "/containers/{}/changes", serve_container_changes },
	{ "GET", "/containers/{}/export", serve_container_export },
	{ "GET", "/containers/{}/archive", serve_container_archive_get },
	{ "HEAD", "/containers/{}/archive", serve_container_archive_get },
	{ "PUT", "/containers/{}/archive", serve_container_archive_put },
	{ "DELETE", "/containers/{}", serve_container_remove },
	{ "POST", "/commit", serve_container_commit },
	{ "POST", "/containers/{}/exec", serve_exec_create },
	{ "POST", "/exec/{}/start", serve_exec_start },
	{ "GET", "/exec/{}/json", serve_exec_inspect },
	{ "POST", "/exec/{}/resize", serve_exec_resize },
	{ "GET", "/images/json", serve_image_list },
	{ "POST", "/images/create", serve_image_pull },
	{ "POST", "/images/load", serve_image_load },
	{ "GET", "/images/get", serve_image_save },
	{ "GET", "/images/{}/get", serve_image_save },
	{ "GET", "/images/{}/json", serve_image_inspect },
	{ "POST", "/images/{}/tag", serve_image_tag },
	{ "POST", "/images/{}/push", serve_image_push },
	{ "DELETE", "/images/{}", serve_image_delete },
	{ "GET", "/volumes", serve_volume_list },
	{ "POST", "/volumes/create", serve_volume_create },
	{ "POST", "/volumes/prune", serve_volume_prune },
	{ "GET", "/volumes/{}", serve_volume_inspect },
	{ "DELETE", "/volumes/{}", serve_volume_remove },
	{ "GET", "/networks", serve_network_list },
	{ "POST", "/networks/create", serve_network_create },
	{ "POST", "/networks/prune", serve_network_prune },
	{ "POST", "/networks/{}/connect", serve_network_connect },
	{ "POST", "/networks/{}/disconnect", serve_network_disconnect },
	{ "GET", "/networks/{}", serve_network_inspect },
	{ "DELETE", "/networks/{}", serve_network_remove },
};

static bool fits(const char *pattern, struct str path, struct str *ret_name)
{
	struct str before, after = STR_NONE, p = str_from(pattern);
	ptrdiff_t hole = str_find(p, STR("{}"));

	*ret_name = STR("");
	if (hole < 0)
		return str_eq(p, path);
	before = str_first(p, (size_t)hole);
	after = str_skip(p, (size_t)hole + 2);
	if (path.n <= before.n + after.n || !str_starts(path, before) || !str_ends(path, after))
		return false;
	*ret_name = str_of(path.p + before.n, path.n - before.n - after.n);
	return true;
}

static struct error *check_version(struct sim_call *call, struct str version)
{
	struct api_version oldest, newest;

	if (!api_version_parse(str_skip(version, 1), &call->version) ||
	    !api_version_parse(str_from(call->e->api_oldest), &oldest) ||
	    !api_version_parse(str_from(call->e->api_newest), &newest))
		return fake_refuse(400, "bad version %.*s", STR_ARG(version));
	return api_version_check(call->version, oldest, newest);
}

static struct error *take_version(struct sim_call *call)
{
	struct str version, path;

	if (!str_starts(call->path, STR("/v1.")))
		return NULL;
	str_cut(str_skip(call->path, 1), '/', &version, &path);
	call->path = str_of(path.p - 1, path.n + 1);
	return check_version(call, version);
}

/* "POST /containers/create?name=web at 0.123456789", and "\tX-Own: text\t" for such headers. */
static void note(struct sim_call *call)
{
	const struct http_headers *headers = &call->in->head.headers;
	struct strbuf *to = &call->e->requests;

	strbuf_addf(to, "%.*s %.*s%s%.*s at %.9f", STR_ARG(call->in->head.method),
		    STR_ARG(call->path), call->in->url.raw_query.n ? "?" : "",
		    STR_ARG(call->in->url.raw_query), (double)(clock_now() - HOUR) / SECOND);
	for (size_t i = 0; i < headers->n; i++)
		if (str_starts(headers->v[i].name, STR("X-")))
			strbuf_addf(to, "\t%.*s: %.*s\t", STR_ARG(headers->v[i].name),
				    STR_ARG(headers->v[i].value));
	strbuf_addc(to, '\n');
}

void sim_script(struct sim_engine *e, const char *request, int status, const char *body)
{
	e->scripted = request;
	e->scripted_status = status;
	e->scripted_body = body;
}

static bool is_scripted(const struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;

	if (!call->e->scripted)
		return false;
	strbuf_addf(&line, "%.*s %.*s%s%.*s", STR_ARG(call->in->head.method), STR_ARG(call->path),
		    call->in->url.raw_query.n ? "?" : "", STR_ARG(call->in->url.raw_query));
	return str_starts(strbuf_str(&line), str_from(call->e->scripted));
}

static may_suspend struct error *dispatch(struct sim_call *call)
{
	struct str method = call->in->head.method;

	TRY(take_version(call));
	note(call);
	if (is_scripted(call))
		return http_reply(call->in, call->e->scripted_status, "application/json", NULL, 0,
				  str_from(call->e->scripted_body));
	for (size_t i = 0; i < ARRAY_LEN(engine_routes); i++) {
		const struct engine_route *r = &engine_routes[i];

		if (str_eq(method, str_from(r->method)) &&
		    fits(r->pattern, call->path, &call->name))
			return r->handler(call);
	}
	return fake_refuse(404, "page not found");
}

/* Kinds that a refusal may have; all else says that nobody listens any more. */
static int status_of(const struct error *err)
{
	if (error_status(err))
		return error_status(err);
	return error_is(err, ERR_INVALID) ? 400 : 0;
}

may_suspend void fake_serve(struct http_incoming *in, void *engine)
{
	struct sim_call call = { .e = engine, .in = in, .arena = in->arena, .path = in->url.path };
	_cleanup_(error_freep) struct error *err = dispatch(&call);
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct json_out o = json_out(&body);

	if (!err || !status_of(err) || http_reply_begun(in))
		return;
	json_begin_object(&o);
	json_put_str(&o, "message", str_from(error_message(err)));
	json_end_object(&o);
	error_free(fake_reply(&call, status_of(err), &body));
}
