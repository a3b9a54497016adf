/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a call reaches an engine and what its failure means; the calls about the host itself and its
 * containers. Those about images are client_images.c.
 *
 * What counts against an engine's health: a connection that is refused, reset, or not made in
 * ENGINE_CALL_TIME, and garbage in place of HTTP. A call of ours that is not answered in time does
 * not count by itself (the engine may be busy with that one container): the engine is pinged at
 * once, and that counts.
 */
#include "engine/client.h"

#include "base/limits.h"
#include "engine/internal.h"
#include "fiber/clock.h"
#include "http/url.h"

#define PING_TIME     (10 * SECOND)
#define LIST_TIME     (60 * SECOND) /* thousands of containers */
#define CHANGE_TIME   (5 * MINUTE)  /* a create that copies a volume's content, a removal of one */
#define READ_SIZE     (8 * KIB)
#define REFUSAL_SHOWN 1024 /* bytes of an answer that is not the engine's JSON */

struct api_version engine_version(const struct engine *e, struct api_version client)
{
	struct api_version newest = API_VERSION_NEWEST;

	if (!e->info)
		return client;
	if (api_version_cmp(e->info->api_newest, newest) < 0)
		newest = e->info->api_newest;
	return api_version_clamp(client, e->info->api_oldest, newest);
}

bool client_is_our_want(const struct error *err)
{
	return error_is(err, ERR_UNAVAILABLE) && !error_status(err);
}

struct error *client_judge(struct engine *e, struct error *err)
{
	if (error_is(err, ERR_CANCELLED) || error_is(err, ERR_TIMEOUT) ||
	    error_is(err, ERR_NOT_PRIMARY))
		return err;
	if (error_is_transport(err))
		engine_failed(e, err);
	else if (!client_is_our_want(err))
		health_heard(e);
	return err;
}

static may_suspend struct error *begin_versioned(struct engine *e, struct api_version version,
						 struct str path, const struct http_call *call,
						 struct http_exchange **ret)
{
	_cleanup_(strbuf_fini) struct strbuf target = STRBUF_INIT;
	struct api_version v = engine_version(e, version);
	struct http_call versioned = *call;

	strbuf_addf(&target, "/v%d.%d%.*s", v.major, v.minor, STR_ARG(path));
	versioned.target = strbuf_str(&target);
	return http_exchange_begin(e->http, &versioned, ret);
}

may_suspend struct error *engine_exchange(struct engine *e, struct api_version version,
					  struct str path, struct http_call *call,
					  struct http_exchange **ret)
{
	struct error *err = begin_versioned(e, version, path, call, ret);

	/* What was sent may still be lost: only an answer says that it was heard. */
	return err ? client_judge(e, err) : NULL;
}

may_suspend struct error *client_begin(struct engine *e, const struct engine_call *call,
				       struct http_exchange **ret)
{
	struct http_call c = {
		.method = str_from(call->method),
		.target = call->path,
		.headers = call->headers,
		.n_headers = call->n_headers,
		.body = call->body,
	};

	if (call->unversioned)
		return http_exchange_begin(e->http, &c, ret);
	return begin_versioned(e, call->version.major ? call->version : API_VERSION_NEWEST,
			       call->path, &c, ret);
}

may_suspend struct error *engine_refusal(struct http_exchange *x)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct http_response *head;
	struct error *not_json;
	struct str body, message;
	struct json answer;

	TRY(http_exchange_response(x, &head));
	TRY(http_exchange_read_all(x, LIMIT_ENGINE_OBJECT, &arena, &body));

	not_json = json_parse(body, &arena, &answer);
	message = not_json ? STR("") : json_get_str(answer, "message");
	error_free(not_json);
	if (str_empty(message))
		message = str_first(str_trim(body), REFUSAL_SHOWN);
	if (str_empty(message))
		message = head->reason;
	return error_from_status(head->status, message);
}

static may_suspend struct error *read_answer(struct http_exchange *x, size_t max,
					     struct arena *arena, struct str *ret)
{
	const struct http_response *head;

	TRY(http_exchange_response(x, &head));
	if (head->status >= 300)
		return engine_refusal(x);
	return http_exchange_read_all(x, max, arena, ret);
}

may_suspend struct error *client_fetch(struct engine *e, const struct engine_call *call,
				       struct arena *arena, struct str *ret)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(call->time);
	struct error *err;

	err = client_begin(e, call, &x);
	if (!err)
		err = read_answer(x, call->max, arena, ret);
	/* A deadline of the caller's says nothing of the engine. */
	if (error_is(err, ERR_TIMEOUT) && deadline_passed(&d)) {
		error_free(err);
		err = error_new(ERR_TIMEOUT, "%.*s: no answer within %d seconds",
				STR_ARG(engine_addr(e)), (int)(call->time / SECOND));
		if (!call->probe)
			health_suspect(e);
	}
	return call->probe ? err : client_judge(e, err);
}

may_suspend struct error *client_read(struct http_exchange *x, struct strbuf *in, size_t *ret_n)
{
	strbuf_reserve(in, READ_SIZE);
	TRY(http_exchange_read(x, in->p + in->n, READ_SIZE, ret_n));
	in->n += *ret_n;
	in->p[in->n] = '\0';
	return NULL;
}

may_suspend struct error *client_fetch_json(struct engine *e, const struct engine_call *call,
					    struct arena *arena, struct json *ret)
{
	struct str text;
	struct error *err;

	TRY(client_fetch(e, call, arena, &text));
	err = json_parse(text, arena, ret);
	if (!err)
		return NULL;
	return error_as(ERR_PROTOCOL, error_wrap(err, "%.*s: %s %.*s", STR_ARG(engine_addr(e)),
						 call->method, STR_ARG(call->path)));
}

may_suspend struct error *engine_call_ping(struct engine *e)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str answer;

	return client_fetch(e,
			    &(struct engine_call){ .method = "GET",
						   .path = STR("/_ping"),
						   .unversioned = true,
						   .probe = true,
						   .time = PING_TIME,
						   .max = 64 * KIB },
			    &arena, &answer);
}

/* Unversioned, as it is asked before the engine's versions are known. */
static may_suspend struct error *fetch_about(struct engine *e, struct str path, struct arena *arena,
					     struct str *ret)
{
	return client_fetch(e,
			    &(struct engine_call){ .method = "GET",
						   .path = path,
						   .unversioned = true,
						   .time = ENGINE_CALL_TIME,
						   .max = LIMIT_ENGINE_OBJECT },
			    arena, ret);
}

may_suspend struct error *engine_call_info(struct engine *e, struct arena *arena, struct str *ret)
{
	return fetch_about(e, STR("/info"), arena, ret);
}

may_suspend struct error *engine_call_version(struct engine *e, struct arena *arena,
					      struct str *ret)
{
	return fetch_about(e, STR("/version"), arena, ret);
}

may_suspend struct error *engine_call_list_containers(struct engine *e, struct str id,
						      struct arena *arena, struct json *ret)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_add(&path, STR("/containers/json?all=1"));
	if (!str_empty(id)) {
		struct str filters = arena_printf(arena, "{\"id\":[\"%.*s\"]}", STR_ARG(id));

		strbuf_add(&path, STR("&filters="));
		http_encode_query(&path, filters);
	}
	return client_fetch_json(
		e,
		&(struct engine_call){ .method = "GET",
				       .path = strbuf_str(&path),
				       .time = str_empty(id) ? LIST_TIME : ENGINE_CALL_TIME,
				       .max = LIMIT_ENGINE_REPLY },
		arena, ret);
}

may_suspend struct error *client_inspect(struct engine *e, struct str kind, struct str name,
					 struct str rest, struct arena *arena, struct json *ret)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_add(&path, kind);
	http_encode_path(&path, name);
	strbuf_add(&path, rest);
	return client_fetch_json(e,
				 &(struct engine_call){ .method = "GET",
							.path = strbuf_str(&path),
							.time = ENGINE_CALL_TIME,
							.max = LIMIT_ENGINE_OBJECT },
				 arena, ret);
}

may_suspend struct error *engine_call_inspect_container(struct engine *e, struct str id,
							struct arena *arena, struct json *ret)
{
	return client_inspect(e, STR("/containers/"), id, STR("/json"), arena, ret);
}

static void write_create_path(const struct engine_create *req, struct strbuf *path)
{
	char join = '?';

	strbuf_add(path, STR("/containers/create"));
	if (!str_empty(req->name)) {
		strbuf_add(path, STR("?name="));
		http_encode_query(path, req->name);
		join = '&';
	}
	if (!str_empty(req->query)) {
		strbuf_addc(path, join);
		strbuf_add(path, req->query);
	}
}

/* Engines answer 404 too where a network or --volumes-from is missing. */
static bool says_no_image(const struct error *err)
{
	return error_is(err, ERR_NOT_FOUND) &&
	       str_contains(str_from(error_message(err)), STR("No such image"));
}

may_suspend struct error *engine_call_create(struct engine *e, const struct engine_create *req,
					     struct arena *arena, struct str *ret_body)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct error *err;

	write_create_path(req, &path);
	err = client_fetch(e,
			   &(struct engine_call){ .method = "POST",
						  .path = strbuf_str(&path),
						  .headers = req->headers,
						  .n_headers = req->n_headers,
						  .body = req->body,
						  .version = req->version,
						  .time = CHANGE_TIME,
						  .max = LIMIT_ENGINE_OBJECT },
			   arena, ret_body);
	return says_no_image(err) ? error_as(ERR_NO_IMAGE, err) : err;
}

may_suspend struct error *engine_call_remove(struct engine *e, struct str id, bool force,
					     bool volumes)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct str nothing;

	strbuf_add(&path, STR("/containers/"));
	http_encode_path(&path, id);
	strbuf_addf(&path, "?force=%d&v=%d", force, volumes);
	return client_fetch(e,
			    &(struct engine_call){ .method = "DELETE",
						   .path = strbuf_str(&path),
						   .time = CHANGE_TIME,
						   .max = LIMIT_ENGINE_OBJECT },
			    &arena, &nothing);
}
