/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client's connection: heads in, the handler in between, and what becomes of the connection
 * after each answer. Reading the request's body and hijacking are here too.
 */
#include "http/connection.h"

#include <assert.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "http/reply.h"

enum { SCRAP = 2048 }; /* for bytes that nobody wants */

struct http_connection *http_connection_new(struct http_server *s, struct stream *stream)
{
	struct http_connection *c = mem_new(struct http_connection);

	c->server = s;
	http_conn_init(&c->conn, stream);
	return c;
}

void http_connection_free(struct http_connection *c)
{
	http_conn_fini(&c->conn);
	free(c);
}

/* Nothing is held meanwhile but the stack and the connection itself. */
static may_suspend struct error *wait_for_request(struct http_connection *c)
{
	_cleanup_(deadline_end) _unused_ struct deadline d =
		deadline_begin(http_server_limits(c->server)->idle_time);

	/* A client that sends faster than we answer never makes us park. */
	if (http_conn_unread(&c->conn).n > 0)
		TRY(fiber_yield());
	return http_conn_wait_readable(&c->conn);
}

static may_suspend struct error *read_head(struct http_connection *c, struct arena *arena,
					   struct str *ret)
{
	_cleanup_(deadline_end) _unused_ struct deadline d =
		deadline_begin(http_server_limits(c->server)->head_time);
	struct error *err = http_conn_read_head(&c->conn, arena, ret);

	if (error_is(err, ERR_TIMEOUT)) {
		error_free(err);
		return error_new(ERR_TIMEOUT, "the request's head took too long");
	}
	return err;
}

static struct error *parse(struct http_connection *c, struct str head, struct arena *arena)
{
	c->in = (struct http_incoming){ .arena = arena, .client = c->conn.stream, .connection = c };
	TRY(http_parse_request(head, arena, &c->in.head));
	return http_url_parse(c->in.head.target, arena, &c->in.url);
}

/*
 * Only when its request was read: before, an end of the client's side is a body cut short. And
 * who upgrades may have sent all its input, and ended its side, before our answer.
 */
static void watch_hangup(struct http_connection *c)
{
	if (c->hijacked)
		return;
	if (c->in.head.upgrade.n > 0)
		stream_cancel_when_gone(c->conn.stream, c->fiber);
	else
		stream_cancel_on_hangup(c->conn.stream, c->fiber);
}

static may_suspend void run_handler(struct http_connection *c)
{
	const struct http_server_config *config = http_server_config(c->server);
	const struct http_request *head = &c->in.head;

	http_body_init(&c->body, head->framing, head->length);
	c->continue_due = head->expect_continue && !c->body.done;
	c->reply = REPLY_NONE;
	c->close = !head->keep_alive;
	if (c->body.done)
		watch_hangup(c);
	config->handler(&c->in, config->arg);
	http_server_release(c->server, c);
	if (!c->hijacked)
		stream_cancel_on_hangup(c->conn.stream, NULL);
}

/* Reads what the handler left of the body, up to a bound; c->close where there is more. */
static may_suspend struct error *drain(struct http_connection *c)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(LIMIT_HEAD_TIME);
	size_t n = 1;

	if (c->continue_due)
		c->close = true;
	for (size_t total = 0; !c->body.done && !c->close; total += n) {
		char scrap[SCRAP];

		TRY(http_conn_read_body(&c->conn, &c->body, scrap, sizeof(scrap), &n));
		c->close = total > HTTP_DRAIN;
	}
	return NULL;
}

/* The handler has returned: is there to be another request? */
static may_suspend struct error *conclude(struct http_connection *c, bool *ret_again)
{
	if (c->hijacked || c->spoilt)
		return NULL;
	TRY(fiber_check());
	if (c->reply == REPLY_NONE) {
		log_error("request without an answer", LOG_STR("method", c->in.head.method),
			  LOG_STR("path", c->in.url.path));
		TRY(http_reply_error(c, 500, "the request was not answered"));
	}
	if (c->reply == REPLY_BODY) {
		/* Of the three framings only this one needs a reset to tell this from an end. */
		if (c->reply_framing == HTTP_BODY_UNTIL_CLOSE)
			stream_abort(take(c->conn.stream));
		return NULL;
	}
	TRY(drain(c));
	if (!c->close && !http_server_stopping(c->server)) {
		*ret_again = true;
		return NULL;
	}
	return !c->body.done || http_conn_unread(&c->conn).n > 0 ? http_connection_linger(c) : NULL;
}

static may_suspend struct error *serve_one(struct http_connection *c, bool *ret_again)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct error *err;
	struct str head;

	*ret_again = false;
	c->busy = false;
	TRY(wait_for_request(c));
	c->busy = true;
	err = read_head(c, &arena, &head);
	if (err)
		return http_connection_refuse(c, err);
	if (head.n == 0)
		return NULL;
	err = parse(c, head, &arena);
	if (err)
		return http_connection_refuse(c, err);
	run_handler(c);
	return conclude(c, ret_again);
}

static may_suspend struct error *serve(struct http_connection *c)
{
	bool again = !http_server_stopping(c->server);

	TRY(http_connection_greet(c));
	if (c->unwanted) {
		c->busy = true;
		return http_connection_refuse(c,
					      error_new(ERR_UNAVAILABLE, "too many connections"));
	}
	while (again)
		TRY(serve_one(c, &again));
	return NULL;
}

may_suspend void http_connection_serve(void *arg)
{
	struct http_connection *c = arg;
	_cleanup_(error_freep) struct error *err = NULL;

	c->fiber = fiber_self();
	err = serve(c);
	if (err && c->conn.stream)
		log_debug("connection ended", LOG_CSTR("client", c->conn.stream->peer),
			  LOG_ERR(err));
	http_server_left(c->server, c);
	http_connection_free(c);
}

/* Once, and only while it can matter: the client may have started without waiting. */
static may_suspend struct error *send_continue(struct http_connection *c)
{
	if (!c->continue_due)
		return NULL;
	c->continue_due = false;
	if (c->reply != REPLY_NONE || http_conn_unread(&c->conn).n > 0)
		return NULL;
	return stream_write(c->conn.stream, STR("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* What is wrong with the body is the client's fault, and for the client to hear. */
static struct error *as_clients_fault(struct error *err)
{
	bool is = error_is(err, ERR_PROTOCOL) || error_is(err, ERR_CLOSED);

	return is ? error_as(ERR_INVALID, err) : err;
}

may_suspend struct error *http_incoming_read(struct http_incoming *in, void *buf, size_t cap,
					     size_t *ret_n)
{
	struct http_connection *c = in->connection;
	struct error *err;

	assert(!c->hijacked);
	if (c->body.done) {
		*ret_n = 0;
		return NULL;
	}
	err = send_continue(c);
	if (!err)
		err = http_conn_read_body(&c->conn, &c->body, buf, cap, ret_n);
	if (err) {
		c->close = true;
		return as_clients_fault(err);
	}
	if (c->body.done)
		watch_hangup(c);
	return NULL;
}

static may_suspend struct error *read_all(struct http_incoming *in, size_t max, struct str *ret)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	const struct http_body *b = &in->connection->body;
	size_t step = 16 * KIB, n = 1;

	if (b->framing == HTTP_BODY_LENGTH && b->left <= step)
		step = (size_t)b->left;
	while (n > 0 && !b->done) {
		if (body.n > max || (b->framing == HTTP_BODY_LENGTH && b->left > max))
			return error_new(ERR_TOO_LARGE, "request body of more than %zu bytes", max);
		strbuf_reserve(&body, step);
		TRY(http_incoming_read(in, body.p + body.n, step, &n));
		strbuf_extend(&body, n);
		TRY(http_server_hold(in->connection->server, in->connection, n));
	}
	if (body.n > max)
		return error_new(ERR_TOO_LARGE, "request body of more than %zu bytes", max);
	*ret = arena_dup(in->arena, strbuf_str(&body));
	return NULL;
}

may_suspend struct error *http_incoming_read_all(struct http_incoming *in, size_t max,
						 struct str *ret)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(LIMIT_BODY_TIME);
	struct error *err = read_all(in, max, ret);

	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return error_from_status(408, STR("the request's body took too long"));
}

struct stream *http_incoming_hijack(struct http_incoming *in, struct strbuf *ret_early)
{
	struct http_connection *c = in->connection;

	assert(!c->hijacked);
	c->hijacked = true;
	stream_cancel_on_hangup(c->conn.stream, NULL);
	return http_conn_take(&c->conn, ret_early);
}
