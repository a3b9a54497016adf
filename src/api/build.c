/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building: /build and what goes with it. BuildKit's /session and /grpc are HTTP/2 on connections
 * that this only joins to those of an engine: it does not read them.
 */
#include "cluster/build.h"

#include "api/handlers.h"
#include "api/proxy.h"
#include "api/reply.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/client.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "http/pipe.h"
#include "http/reply.h"
#include "http/url.h"

#define FIRST_READ (16 * KIB)

struct building {
	struct build_request req;
	struct build *build;
	struct build_output output;
};

static void building_fini(struct building *b)
{
	cluster_build_end(b->build);
	build_output_fini(&b->output);
}

static void read_tags(const struct request *r, struct build_request *req)
{
	const struct http_url *url = &r->in->url;
	struct str *tags = arena_new_array(r->arena, struct str, url->n_params);

	for (size_t i = 0; i < url->n_params; i++)
		if (str_eq(url->params[i].name, STR("t")) && !str_empty(url->params[i].value))
			tags[req->n_tags++] = url->params[i].value;
	req->tags = tags;
}

static struct error *read_request(const struct request *r, struct build_request *req)
{
	*req = (struct build_request){
		.client = request_client(r),
		.id = request_param(r, "buildid"),
		.session = request_param(r, "session"),
		.network_mode = request_param(r, "networkmode"),
		.platform = request_param(r, "platform"),
	};
	read_tags(r, req);
	/* What is no number the engine refuses. */
	if (!str_to_i64(request_param(r, "memory"), &req->memory) || req->memory < 0)
		req->memory = 0;
	return build_args_read(request_param(r, "buildargs"), r->arena, &req->args);
}

/*
 * As the client sent it, but for expressions among the build args and what a container or a network
 * is called.
 */
static struct str engine_path(const struct request *r, const struct build_request *req,
			      struct str network_mode)
{
	const struct http_url *url = &r->in->url;
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	if (str_eq(req->args.rest, request_param(r, "buildargs")) &&
	    str_eq(req->network_mode, network_mode))
		return request_with_query(r, r->path);
	strbuf_add(&path, STR("/build"));
	for (size_t i = 0; i < url->n_params; i++) {
		const struct http_param *p = &url->params[i];
		struct str value = p->value;

		if (str_eq(p->name, STR("buildargs")))
			value = req->args.rest;
		if (str_eq(p->name, STR("networkmode")))
			value = network_mode;
		strbuf_addc(&path, i ? '&' : '?');
		http_encode_query(&path, p->name);
		strbuf_addc(&path, '=');
		http_encode_query(&path, value);
	}
	return arena_dup(r->arena, strbuf_str(&path));
}

static may_suspend void note_output(void *arg, struct str piece)
{
	struct building *b = arg;

	build_output_feed(&b->output, piece);
}

static may_suspend void enter_images(void *arg)
{
	struct building *b = arg;

	cluster_build_made(b->build, strbuf_str(&b->output.ids));
}

static may_suspend struct error *build(struct request *r)
{
	_cleanup_(building_fini) struct building b = { 0 };
	struct proxy p = {
		.progress = true, .on_piece = note_output, .on_end = enter_images, .arg = &b
	};

	TRY(read_request(r, &b.req));
	TRY(cluster_build_begin(r->cluster, &b.req, &b.build));
	p.engine = cluster_build_engine(b.build);
	p.path = engine_path(r, &b.req, cluster_build_network_mode(b.build));
	return proxy_pass(r, &p);
}

/*
 * A context from the client's stdin comes to BuildKit as a request of its own, at the same time as
 * the build that it is for.
 */
static may_suspend struct error *upload(struct request *r, struct str build_id)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;

	TRY(cluster_build_wait(r->cluster, build_id, &e));
	return proxy_pass(r,
			  &(struct proxy){ .engine = e, .path = request_with_query(r, r->path) });
}

may_suspend struct error *build_start(struct request *r)
{
	static const struct str prefix = STR_INIT("upload-request:");
	struct str id = request_param(r, "buildid");

	if (str_starts(id, prefix))
		return upload(r, str_skip(id, prefix.n));
	return build(r);
}

may_suspend struct error *build_cancel(struct request *r)
{
	struct str id = request_param(r, "id");
	_cleanup_(engine_unrefp) struct engine *e = cluster_build_node(r->cluster, id);

	if (str_empty(id))
		return error_new(ERR_INVALID, "build ID not provided");
	/* As an engine answers for a build that it does not know: it may have ended just now. */
	if (!e)
		return reply_empty(r, 200);
	return proxy_pass(r,
			  &(struct proxy){ .engine = e, .path = request_with_query(r, r->path) });
}

/* A client's connection that has been promised HTTP/2, and what it said ahead. */
struct promised {
	struct request *r;
	struct stream *client;
	struct strbuf early;
};

static void promised_fini(struct promised *s)
{
	stream_close(s->client);
	strbuf_fini(&s->early);
}

static struct error *check_upgrade(const struct request *r)
{
	struct str protocol = r->in->head.upgrade;

	if (str_empty(protocol))
		return error_new(ERR_INVALID, "no upgrade proto in request");
	if (!str_eq_nocase(protocol, STR("h2c")))
		return error_new(ERR_INVALID, "protocol %.*s not supported",
				 STR_ARG(str_first(protocol, 100)));
	return NULL;
}

/*
 * The 101, before there is a node: the client goes on only when it has it. While it waits nothing
 * is read from it, so that it can send no more than a socket holds, and when it leaves we do.
 */
static may_suspend struct error *promise(struct request *r, struct promised *s)
{
	const struct http_header headers[] = {
		{ STR("Connection"), STR("Upgrade") },
		{ STR("Upgrade"), STR("h2c") },
	};

	TRY(http_reply_upgrade(r->in, 101, STR_NONE, headers, ARRAY_LEN(headers)));
	s->r = r;
	s->client = http_incoming_hijack(r->in, &s->early);
	stream_cancel_on_hangup(s->client, fiber_self());
	return NULL;
}

static may_suspend struct error *upgrade_engine(const struct promised *s, struct engine *e,
						struct stream **ret, struct strbuf *ret_early)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	struct http_headers headers = request_headers(s->r);
	struct http_call call = { .method = STR("POST"),
				  .headers = headers.v,
				  .n_headers = headers.n,
				  .upgrade = STR("h2c") };
	const struct http_response *response;
	struct error *err;

	TRY(engine_exchange(e, s->r->version, s->r->path, &call, &x));
	err = http_exchange_response(x, &response);
	if (error_is_transport(err))
		engine_failed(e, err);
	TRY(err);
	if (response->status >= 400)
		return engine_refusal(x);
	if (response->status != 101)
		return error_new(ERR_PROTOCOL, "the node does not speak HTTP/2 at %.*s",
				 STR_ARG(s->r->path));
	*ret = http_exchange_take(x, ret_early);
	return NULL;
}

static may_suspend struct error *fulfil(struct promised *s, struct engine *e)
{
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *engine = NULL;
	struct error *err = upgrade_engine(s, e, &engine, &early);

	if (err && !error_is(err, ERR_CANCELLED))
		log_warn("a client's connection could not be joined to a node",
			 LOG_STR("path", s->r->path), LOG_STR("node", engine_name(e)),
			 LOG_ERR(err));
	TRY(err);
	stream_cancel_on_hangup(s->client, NULL);
	err = pipe_join(s->client, strbuf_str(&s->early), engine, strbuf_str(&early));
	if (err) {
		stream_abort(take(s->client));
		stream_abort(take(engine));
	}
	return err;
}

may_suspend struct error *build_session(struct request *r)
{
	_cleanup_(cluster_session_closep) struct build_session *session = NULL;
	_cleanup_(promised_fini) struct promised s = { 0 };
	struct str id = http_header(&r->in->head.headers, "X-Docker-Expose-Session-Uuid");
	struct engine *e;

	TRY(check_upgrade(r));
	if (str_empty(id))
		return error_new(ERR_INVALID, "no session id in request");
	TRY(cluster_session_open(r->cluster, id, request_client(r), &session));
	TRY(promise(r, &s));
	TRY(cluster_session_wait(session, &e));
	return fulfil(&s, e);
}

/*
 * Clients open and close a connection just to see whether they could: *ret_any says whether this
 * did.
 */
static may_suspend struct error *first_bytes(struct promised *s, bool *ret_any)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(LIMIT_IDLE_KEEPALIVE);
	size_t n = 0;

	if (!s->early.n) {
		strbuf_reserve(&s->early, FIRST_READ);
		TRY(stream_read(s->client, s->early.p, FIRST_READ, &n));
		strbuf_extend(&s->early, n);
	}
	*ret_any = s->early.n > 0;
	return NULL;
}

may_suspend struct error *build_grpc(struct request *r)
{
	_cleanup_(cluster_grpc_closep) struct build_grpc *grpc = NULL;
	_cleanup_(promised_fini) struct promised s = { 0 };
	struct str header = http_header(&r->in->head.headers, "X-Swarm-Constraints");
	const struct str client = arena_dup(r->arena, request_client(r));
	struct str_array constraints;
	struct error *err;
	bool any;

	TRY(check_upgrade(r));
	TRY(build_constraints_read(header, r->arena, &constraints));
	TRY(cluster_check_constraints(&constraints));
	TRY(promise(r, &s));
	TRY(first_bytes(&s, &any));
	if (!any)
		return NULL;
	TRY(cluster_grpc_open(r->cluster, client, &constraints, &grpc));
	err = fulfil(&s, cluster_grpc_engine(grpc));
	cluster_grpc_close(take(grpc));
	cluster_see_builds(r->cluster, client);
	return err;
}
