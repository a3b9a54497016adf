/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer over one connection. Writing and reading share nothing but the
 * stream, so that two fibers may do them at the same time.
 */
#include <assert.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "http/client_core.h"
#include "http/conn.h"

enum {
	INTERIM_ANSWERS = 16, /* 1xx heads before the final one */
	READ_STEP = 16 * 1024,
};

struct http_exchange {
	struct http_client *client;
	struct http_conn conn;
	struct arena own_arena, *arena; /* of the answer's head */
	struct str method;		/* HEAD, or anything else */
	const struct fence *fence;	/* of a request that changes something */
	bool upgrading;

	enum http_send send;
	uint64_t left; /* of HTTP_SEND_LENGTH: bytes due */
	bool sent;     /* the request is out, whole */
	bool heard;    /* something of an answer was read */
	bool answered; /* `response` is there */
	bool spoilt;   /* an error came: the connection serves no other exchange */
	struct http_response response;
	struct http_body body;
};

static bool is_one_of(struct str s, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(s, v[i]))
			return true;
	}
	return false;
}

/* Go's servers want to hear that there is no body, of methods that usually have one. */
static bool method_has_body(struct str method)
{
	static const struct str v[] = { STR_INIT("POST"), STR_INIT("PUT"), STR_INIT("PATCH") };

	return is_one_of(method, v, ARRAY_LEN(v));
}

static bool method_is_safe(struct str method)
{
	static const struct str v[] = { STR_INIT("GET"), STR_INIT("HEAD"), STR_INIT("OPTIONS") };

	return is_one_of(method, v, ARRAY_LEN(v));
}

static void write_framing(const struct http_call *call, struct strbuf *out)
{
	uint64_t length = call->send == HTTP_SEND_LENGTH ? call->length : call->body.n;

	if (call->send == HTTP_SEND_CHUNKED)
		strbuf_add(out, STR("Transfer-Encoding: chunked\r\n"));
	else if (call->send == HTTP_SEND_LENGTH || length > 0 || method_has_body(call->method))
		strbuf_addf(out, "Content-Length: %llu\r\n", (unsigned long long)length);
}

static void write_head(const struct http_client *c, const struct http_call *call,
		       struct strbuf *out)
{
	/* A path is no host; what is at its end does not care (nor does Docker's own client). */
	bool unix_socket = http_client_addr(c)->kind != ADDR_TCP;
	struct str address = unix_socket ? STR("docker") : str_from(http_client_name(c));

	http_write_request_line(out, call->method, call->target);
	http_write_header(out, STR("Host"), call->host.n > 0 ? call->host : address);
	for (size_t i = 0; i < call->n_headers; i++) {
		if (!http_header_is_ours(call->headers[i].name))
			http_write_header(out, call->headers[i].name, call->headers[i].value);
	}
	write_framing(call, out);
	if (call->upgrade.n > 0) {
		http_write_header(out, STR("Connection"), STR("Upgrade"));
		http_write_header(out, STR("Upgrade"), call->upgrade);
	}
	strbuf_add(out, STR("\r\n"));
}

static const struct fence *fence_of(const struct http_client *c, const struct http_call *call)
{
	if (call->fence)
		return call->fence;
	return method_is_safe(call->method) ? NULL : http_client_fence(c);
}

static struct http_exchange *exchange_new(struct http_client *c, const struct http_call *call,
					  struct arena *arena)
{
	struct http_exchange *x = mem_new(struct http_exchange);

	assert(call->body.n == 0 || call->send == HTTP_SEND_NOTHING);
	x->client = http_client_ref(c);
	x->arena = arena ? arena : &x->own_arena;
	x->method = str_eq(call->method, STR("HEAD")) ? STR("HEAD") : STR("GET");
	x->fence = fence_of(c, call);
	x->upgrading = call->upgrade.n > 0;
	x->send = call->send;
	x->left = call->length;
	return x;
}

/* Heads until a final one. */
static may_suspend struct error *read_response(struct http_exchange *x)
{
	struct str head;

	for (int i = 0; i < INTERIM_ANSWERS; i++) {
		struct http_response *r = &x->response;

		TRY(http_conn_wait_readable(&x->conn));
		TRY(http_conn_read_head(&x->conn, x->arena, &head));
		if (head.n == 0)
			return error_new(ERR_CLOSED, "connection closed before an answer");
		TRY(http_parse_response(head, x->method, x->arena, r));
		if (r->status == 101 && !x->upgrading)
			return error_new(ERR_PROTOCOL, "upgrade that nobody asked for");
		if (r->status >= 200 || r->status == 101) {
			http_body_init(&x->body, r->framing, r->length);
			x->answered = true;
			return NULL;
		}
	}
	return error_new(ERR_PROTOCOL, "more than %d interim answers", INTERIM_ANSWERS);
}

/* An answer too large for us is its sender's fault. */
static struct error *as_transport(struct error *err)
{
	return error_is(err, ERR_HEAD_TOO_LARGE) ? error_as(ERR_PROTOCOL, err) : err;
}

static may_suspend struct error *ensure_response(struct http_exchange *x)
{
	struct error *err;
	uint64_t before;

	if (x->answered)
		return NULL;
	if (x->heard)
		return error_new(ERR_CLOSED, "the answer could not be read");
	before = x->conn.stream->bytes_read;
	err = read_response(x);
	x->heard = x->conn.stream->bytes_read > before;
	return as_transport(err);
}

/*
 * Writes what there is of the request. A host that answers before it has read everything and
 * then closes makes the write fail; its answer counts all the same.
 */
static may_suspend struct error *send_request(struct http_exchange *x, struct str head,
					      struct str body)
{
	_cleanup_(error_freep) struct error *err = NULL;
	struct error *unanswered;

	err = stream_writev(x->conn.stream, (struct str[]){ head, body }, body.n > 0 ? 2 : 1);
	if (!err) {
		x->sent = x->send == HTTP_SEND_NOTHING;
		return NULL;
	}
	x->spoilt = true;
	if (!error_is(err, ERR_CLOSED))
		return take(err);
	unanswered = ensure_response(x);
	if (!unanswered)
		return NULL;
	error_free(unanswered);
	return take(err);
}

/*
 * A connection that was idle may have been closed by the host while our request was on its way.
 * Without a byte of an answer nothing tells whether the host acted on it first, so the request is
 * repeated only where that cannot matter:
 *   - it was not written whole, so no host could act on it (a JSON body cut short is refused);
 *   - or its method is safe.
 * An engine closes idle connections only when it stops, and http_client_idle gives out none that
 * is seen to be closed, so that a POST meets this only in the instant of an engine's end.
 */
static bool may_repeat(const struct http_exchange *x, const struct http_call *call,
		       const struct error *err)
{
	bool cut_short = x->spoilt;

	return error_is(err, ERR_CLOSED) && !x->heard &&
	       (cut_short || method_is_safe(call->method));
}

static void use_stream(struct http_exchange *x, struct stream *s)
{
	s->fence = x->fence;
	/* What takes an upload or a stream may take it as slowly as it likes. */
	stream_set_patient(s, x->upgrading || x->send != HTTP_SEND_NOTHING);
	http_conn_init(&x->conn, s);
}

static may_suspend struct error *begin_fresh(struct http_exchange *x, const struct http_call *call,
					     struct str head)
{
	struct stream *s;

	TRY(http_client_dial(x->client, &s));
	use_stream(x, s);
	return send_request(x, head, call->body);
}

/*
 * Where the request is out whole, its answer is waited for here and now: only so can it be
 * repeated without keeping a copy of it.
 */
static may_suspend struct error *begin_reused(struct http_exchange *x, const struct http_call *call,
					      struct str head, struct stream *s)
{
	struct error *err;

	use_stream(x, s);
	err = send_request(x, head, call->body);
	if (!err && x->sent)
		err = ensure_response(x);
	if (!may_repeat(x, call, err))
		return err;
	error_free(err);
	http_conn_fini(&x->conn);
	x->spoilt = x->sent = x->heard = false;
	return begin_fresh(x, call, head);
}

may_suspend struct error *http_exchange_begin_in(struct http_client *c,
						 const struct http_call *call, struct arena *arena,
						 struct http_exchange **ret)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = exchange_new(c, call, arena);
	_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
	struct stream *idle = http_client_idle(c);
	struct error *err;

	write_head(c, call, &head);
	if (idle)
		err = begin_reused(x, call, strbuf_str(&head), idle);
	else
		err = begin_fresh(x, call, strbuf_str(&head));
	TRY(http_client_error(c, err));
	*ret = take(x);
	return NULL;
}

may_suspend struct error *http_exchange_begin(struct http_client *c, const struct http_call *call,
					      struct http_exchange **ret)
{
	return http_exchange_begin_in(c, call, NULL, ret);
}

static may_suspend struct error *write_parts(struct http_exchange *x, const struct str *parts,
					     size_t n)
{
	struct error *err = stream_writev(x->conn.stream, parts, n);

	if (err)
		x->spoilt = true;
	return http_client_error(x->client, err);
}

may_suspend struct error *http_exchange_write(struct http_exchange *x, struct str data)
{
	char size[24];
	int n;

	assert(x->send != HTTP_SEND_NOTHING && !x->sent);
	if (data.n == 0)
		return NULL;
	if (x->send == HTTP_SEND_LENGTH) {
		assert(data.n <= x->left);
		x->left -= data.n;
		return write_parts(x, &data, 1);
	}
	n = snprintf(size, sizeof(size), "%zx\r\n", data.n);
	return write_parts(x, (struct str[]){ str_of(size, (size_t)n), data, STR("\r\n") }, 3);
}

may_suspend struct error *http_exchange_write_end(struct http_exchange *x)
{
	static const struct str last = STR_INIT("0\r\n\r\n");

	if (x->sent)
		return NULL;
	assert(x->send == HTTP_SEND_CHUNKED || x->left == 0);
	if (x->send == HTTP_SEND_CHUNKED)
		TRY(write_parts(x, &last, 1));
	x->sent = true;
	return NULL;
}

may_suspend struct error *http_exchange_response(struct http_exchange *x,
						 const struct http_response **ret)
{
	struct error *err = ensure_response(x);

	if (err) {
		x->spoilt = true;
		return http_client_error(x->client, err);
	}
	*ret = &x->response;
	return NULL;
}

may_suspend struct error *http_exchange_read(struct http_exchange *x, void *buf, size_t cap,
					     size_t *ret_n)
{
	struct error *err;

	assert(x->answered);
	err = http_conn_read_body(&x->conn, &x->body, buf, cap, ret_n);
	if (err)
		x->spoilt = true;
	return http_client_error(x->client, err);
}

may_suspend struct error *http_exchange_wait_readable(struct http_exchange *x)
{
	if (x->answered && x->body.done)
		return NULL;
	return http_client_error(x->client, http_conn_wait_readable(&x->conn));
}

static struct error *too_large(const struct http_exchange *x, size_t max)
{
	return http_client_error(x->client,
				 error_new(ERR_TOO_LARGE, "answer of more than %zu bytes", max));
}

may_suspend struct error *http_exchange_read_all(struct http_exchange *x, size_t max,
						 struct arena *arena, struct str *ret)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	size_t n;

	assert(x->answered);
	if (x->body.left > max && x->body.framing == HTTP_BODY_LENGTH)
		return too_large(x, max);
	do {
		strbuf_reserve(&body, READ_STEP);
		TRY(http_exchange_read(x, body.p + body.n, READ_STEP, &n));
		strbuf_extend(&body, n);
		if (body.n > max)
			return too_large(x, max);
	} while (n > 0);
	*ret = arena_dup(arena, strbuf_str(&body));
	return NULL;
}

struct stream *http_exchange_take(struct http_exchange *x, struct strbuf *ret_early)
{
	assert(x->answered);
	assert(x->response.status == 101 || x->response.framing == HTTP_BODY_UNTIL_CLOSE);
	x->conn.stream->fence = NULL;
	return http_conn_take(&x->conn, ret_early);
}

static bool can_serve_another(const struct http_exchange *x)
{
	return x->answered && x->sent && !x->spoilt && x->body.done && x->response.keep_alive &&
	       http_conn_unread(&x->conn).n == 0;
}

void http_exchange_free(struct http_exchange *x)
{
	if (!x)
		return;
	if (x->conn.stream && can_serve_another(x))
		http_client_give_back(x->client, take(x->conn.stream));
	http_conn_fini(&x->conn);
	arena_fini(&x->own_arena);
	http_client_unref(x->client);
	free(x);
}
