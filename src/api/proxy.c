/* SPDX-License-Identifier: Apache-2.0 */
#include "api/proxy.h"

#include "api/echoed.h"
#include "api/reply.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/cluster.h"
#include "engine/client.h"
#include "fiber/group.h"
#include "http/pipe.h"
#include "http/reply.h"

/* A body up to this goes out with the head, so that a connection found closed costs no request. */
#define SMALL_BODY (64 * KIB)
#define PIECE	   (32 * KIB)

/* The longest error that is read before it goes on. */
#define LONGEST_ERROR (64 * KIB)

/* One request on its way. Both fibers of it end before it goes. */
struct passage {
	struct request *r;
	const struct proxy *p;
	struct http_exchange *x;
	bool uploads;		    /* the client's body follows the head */
	bool joins;		    /* the engine has taken the connection over */
	bool broke;		    /* the engine broke off its answer */
	bool in_line;		    /* the client has the beginning of a line, whose end is due */
	struct error *client_error; /* no more of the request's body can come, or may go on */
	struct error *engine_error;
	struct group group;
};

static may_suspend void passage_fini(struct passage *s)
{
	group_finish(&s->group);
	http_exchange_free(s->x);
	error_free(s->client_error);
	error_free(s->engine_error);
}

/* The client's body as part of the call, or to follow it. */
static may_suspend struct error *choose_body(struct passage *s, struct http_call *call)
{
	const struct http_request *head = &s->r->in->head;

	if (s->p->body) {
		call->body = *s->p->body;
		return NULL;
	}
	if (head->framing == HTTP_BODY_NONE)
		return NULL;
	if (head->framing == HTTP_BODY_LENGTH && head->length <= SMALL_BODY)
		return request_body(s->r, &call->body);
	call->send = head->framing == HTTP_BODY_LENGTH ? HTTP_SEND_LENGTH : HTTP_SEND_CHUNKED;
	call->length = head->length;
	s->uploads = true;
	return NULL;
}

static struct str host_name(const struct proxy *p)
{
	return p->engine ? engine_name(p->engine) : STR("primary manager");
}

/* What went wrong on the way says which node it was on the way to. */
static struct error *of_host(struct str host, struct error *err)
{
	return error_is_transport(err) ? error_wrap(err, "%.*s", STR_ARG(host)) : err;
}

static may_suspend struct error *begin(struct passage *s)
{
	struct http_headers headers = s->p->headers ? *s->p->headers : request_headers(s->r);
	struct http_call call = {
		.method = s->r->in->head.method,
		.target = s->p->path,
		.headers = headers.v,
		.n_headers = headers.n,
		.upgrade = s->r->in->head.upgrade,
	};

	if (s->p->writes)
		call.fence = cluster_config(s->r->cluster)->fence;
	TRY(choose_body(s, &call));
	if (s->p->manager)
		return of_host(host_name(s->p), http_exchange_begin(s->p->manager, &call, &s->x));
	return of_host(host_name(s->p),
		       engine_exchange(s->p->engine, s->r->version, s->p->path, &call, &s->x));
}

static may_suspend struct error *upload_piece(struct passage *s, void *buf, bool *ret_more)
{
	struct error *err;
	size_t n;

	err = http_incoming_read(s->r->in, buf, PIECE, &n);
	if (err) {
		if (!error_is(err, ERR_CANCELLED))
			s->client_error = error_copy(err);
		return err;
	}
	*ret_more = n > 0;
	err = n ? http_exchange_write(s->x, str_of(buf, n)) : http_exchange_write_end(s->x);
	if (error_is(err, ERR_NOT_PRIMARY))
		s->client_error = error_copy(err);
	return err;
}

/*
 * The client's body to the engine. An engine that takes no more of it says why in its answer, so
 * only what is the client's fault, or a lease that has ended, ends the passage.
 */
static may_suspend void upload(void *arg)
{
	struct passage *s = arg;
	_cleanup_(mem_freep) void *buf = mem_alloc(PIECE);
	struct error *err = NULL;
	bool more = true;

	while (!err && more)
		err = upload_piece(s, buf, &more);
	error_free(err);
	if (s->client_error)
		group_cancel(&s->group);
}

static bool takes_over(const struct passage *s, const struct http_response *response)
{
	if (response->status == 101)
		return true;
	return s->p->hijacks && response->status == 200 &&
	       response->framing == HTTP_BODY_UNTIL_CLOSE;
}

/* What goes on of an answer's headers; the server writes the framing and its own. */
static struct http_headers end_to_end(const struct request *r, const struct http_headers *all,
				      size_t room)
{
	struct http_headers kept = { arena_new_array(r->arena, struct http_header, all->n + room),
				     0 };

	for (size_t i = 0; i < all->n; i++)
		if (!http_header_is_hop(all, all->v[i].name))
			kept.v[kept.n++] = all->v[i];
	return kept;
}

/* Nothing is held while nothing comes: a log may be followed for days. */
static may_suspend struct error *pass_piece(struct passage *s, bool *ret_more)
{
	_cleanup_(mem_freep) void *buf = NULL;
	struct error *err;
	size_t n;

	TRY(http_exchange_wait_readable(s->x));
	buf = mem_alloc(PIECE);
	err = http_exchange_read(s->x, buf, PIECE, &n);
	s->broke = error_is_transport(err);
	if (s->broke)
		log_warn("a node broke off its answer", LOG_STR("node", host_name(s->p)),
			 LOG_STR("path", s->r->path), LOG_ERR(err));
	TRY(err);
	*ret_more = n > 0;
	if (!n)
		return NULL;
	if (s->p->on_piece)
		s->p->on_piece(s->p->arg, str_of(buf, n));
	s->in_line = ((char *)buf)[n - 1] != '\n';
	return http_reply_write(s->r->in, str_of(buf, n));
}

/* Nothing can stand behind half a line but the end of the connection. */
static may_suspend struct error *tell_of_break(struct passage *s, struct error *failure)
{
	struct reply_stream out = { s->r };

	if (!s->p->progress || s->in_line || !s->broke)
		return failure;
	return reply_progress_end(
		&out, error_wrap(failure, "node %.*s broke off", STR_ARG(host_name(s->p))));
}

static may_suspend struct error *pass_body(struct passage *s)
{
	bool more = true;

	while (more)
		TRY(pass_piece(s, &more));
	return NULL;
}

/* An error that may say the container's id where the client wrote something else. */
static bool may_echo(const struct passage *s, const struct http_response *response)
{
	return !str_empty(s->r->asked_id) && response->status >= 400 &&
	       response->framing == HTTP_BODY_LENGTH && response->length <= LONGEST_ERROR;
}

static may_suspend struct error *pass_error(struct passage *s, const struct http_response *response,
					    const struct http_headers *headers)
{
	struct request *r = s->r;
	struct str body;

	TRY(http_exchange_read_all(s->x, LONGEST_ERROR, r->arena, &body));
	body = echoed_body(body, r->asked_id, r->asked_name, r->arena);
	return http_reply(r->in, response->status, NULL, headers->v, headers->n, body);
}

static may_suspend struct error *pass_answer(struct passage *s,
					     const struct http_response *response)
{
	struct http_headers headers = end_to_end(s->r, &response->headers, 0);
	bool with_length = response->framing == HTTP_BODY_LENGTH;
	struct error *err;

	if (s->p->on_head)
		s->p->on_head(s->p->arg, response->status);
	if (may_echo(s, response))
		return pass_error(s, response, &headers);
	TRY(http_reply_begin(s->r->in, response->status, response->reason, headers.v, headers.n,
			     with_length ? (int64_t)response->length : -1));
	err = pass_body(s);
	if (err)
		return with_length ? err : tell_of_break(s, err);
	if (s->p->on_end)
		s->p->on_end(s->p->arg);
	return http_reply_end(s->r->in);
}

static may_suspend struct error *receive(struct passage *s)
{
	const struct http_response *response;
	struct error *err = http_exchange_response(s->x, &response);

	if (error_is_transport(err) && s->p->engine)
		engine_failed(s->p->engine, err);
	if (err)
		return of_host(host_name(s->p), err);
	s->joins = takes_over(s, response);
	return s->joins ? NULL : pass_answer(s, response);
}

/* As a fiber beside upload(), which has no more to do once the answer is over. */
static may_suspend void download(void *arg)
{
	struct passage *s = arg;

	s->engine_error = receive(s);
	group_cancel(&s->group);
}

static may_suspend struct error *pass_both_ways(struct passage *s)
{
	group_go(&s->group, "request body", upload, s);
	group_go(&s->group, "answer", download, s);
	TRY(group_wait(&s->group));
	if (s->client_error)
		return take(s->client_error);
	return take(s->engine_error);
}

static void add_header(struct http_headers *headers, struct str name, struct str value)
{
	headers->v[headers->n++] = (struct http_header){ name, value };
}

/* From here on there is no HTTP on either connection. */
static may_suspend struct error *join(struct passage *s)
{
	_cleanup_(strbuf_fini) struct strbuf early_client = STRBUF_INIT;
	_cleanup_(strbuf_fini) struct strbuf early_engine = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *client = NULL;
	_cleanup_(stream_closep) struct stream *engine = NULL;
	const struct http_response *response;
	struct http_headers headers;
	struct error *err;

	TRY(http_exchange_response(s->x, &response));
	headers = end_to_end(s->r, &response->headers, 2);
	if (response->status == 101) {
		add_header(&headers, STR("Connection"), STR("Upgrade"));
		add_header(&headers, STR("Upgrade"), response->upgrade);
	}
	TRY(http_reply_upgrade(s->r->in, response->status, response->reason, headers.v, headers.n));
	client = http_incoming_hijack(s->r->in, &early_client);
	engine = http_exchange_take(s->x, &early_engine);
	err = pipe_join(client, strbuf_str(&early_client), engine, strbuf_str(&early_engine));
	/*
	 * A reset must reach the other side as one: an engine takes a mere end for the end of
	 * stdin.
	 */
	if (err) {
		stream_abort(take(client));
		stream_abort(take(engine));
	}
	return err;
}

may_suspend struct error *proxy_pass(struct request *r, const struct proxy *p)
{
	_cleanup_(passage_fini) struct passage s = { .r = r, .p = p, .group = GROUP_INIT };

	TRY(begin(&s));
	TRY(s.uploads ? pass_both_ways(&s) : receive(&s));
	return s.joins ? join(&s) : NULL;
}

/* The head lives as long as its exchange, the answer as long as the request. */
static struct http_headers keep_headers(const struct request *r, const struct http_headers *all)
{
	struct http_headers kept = end_to_end(r, all, 0);

	for (size_t i = 0; i < kept.n; i++)
		kept.v[i] = (struct http_header){ arena_dup(r->arena, kept.v[i].name),
						  arena_dup(r->arena, kept.v[i].value) };
	return kept;
}

may_suspend struct error *proxy_fetch(struct request *r, struct engine *e, struct str path,
				      struct proxy_answer *ret)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	struct http_headers headers = request_headers(r);
	struct http_call call = {
		.method = r->in->head.method,
		.headers = headers.v,
		.n_headers = headers.n,
	};
	const struct http_response *response;
	struct error *err;
	struct str body;

	TRY(request_body(r, &call.body));
	TRY(of_host(engine_name(e), engine_exchange(e, r->version, path, &call, &x)));
	err = http_exchange_response(x, &response);
	if (!err)
		err = http_exchange_read_all(x, LIMIT_ENGINE_OBJECT, r->arena, &body);
	if (error_is_transport(err))
		engine_failed(e, err);
	if (err)
		return of_host(engine_name(e), err);
	if (response->status >= 400)
		body = echoed_body(body, r->asked_id, r->asked_name, r->arena);
	*ret = (struct proxy_answer){ response->status, keep_headers(r, &response->headers), body };
	return NULL;
}

may_suspend struct error *proxy_reply(struct request *r, const struct proxy_answer *a)
{
	return http_reply(r->in, a->status, NULL, a->headers.v, a->headers.n, a->body);
}
