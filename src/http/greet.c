/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a connection begins, and how it ends where no handler is to see it: handshakes, answers to
 * what is no request, the last words to a client that is told to go.
 */
#include "base/limits.h"
#include "base/log.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "http/connection.h"
#include "net/tls.h"

/* How long a client that was told of a close may take to read that and close its side. */
#define LINGER_TIME (2 * SECOND)

enum { SCRAP = 2048 }; /* for bytes that nobody wants */

/*
 * Ends the connection so that the client can read our last answer: closing a socket that has
 * unread input resets it, and a reset overtakes what was written.
 */
may_suspend struct error *http_connection_linger(struct http_connection *c)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(LINGER_TIME);
	size_t n = 1;

	TRY(stream_shutdown(c->conn.stream));
	for (size_t total = 0; n > 0 && total < HTTP_DRAIN; total += n) {
		char scrap[SCRAP];

		TRY(stream_read(c->conn.stream, scrap, sizeof(scrap), &n));
	}
	/* It sends without end: it may read meanwhile, and has until the deadline for that. */
	return n > 0 ? fiber_sleep(LINGER_TIME) : NULL;
}

static int status_of(const struct error *err)
{
	switch (error_kind(err)) {
	case ERR_INVALID:
		return 400;
	case ERR_TIMEOUT:
		return 408;
	case ERR_HEAD_TOO_LARGE:
		return 431;
	case ERR_UNAVAILABLE:
		return 503;
	default:
		return 0; /* there is nobody to tell */
	}
}

may_suspend struct error *http_connection_refuse(struct http_connection *c, struct error *err)
{
	_cleanup_(error_freep) struct error *why = err;
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(LIMIT_HEAD_TIME);
	int status = status_of(err);

	if (!status)
		return take(why);
	if (http_server_may_log(c->server))
		log_info("request refused", LOG_CSTR("client", c->conn.stream->peer),
			 LOG_NUM("status", status), LOG_ERR(why));
	c->in = (struct http_incoming){ .head.minor = 1, .connection = c };
	c->reply = REPLY_NONE;
	c->close = true;
	TRY(http_reply_error(c, status, error_message(why)));
	return http_connection_linger(c);
}

/* Takes err. */
static may_suspend struct error *refuse_handshake(struct http_connection *c, struct error *err)
{
	bool told = error_is(err, ERR_TLS) || error_is(err, ERR_TIMEOUT);
	struct stream *in_clear;

	if (error_is(err, ERR_TIMEOUT)) {
		error_free(err);
		err = error_new(ERR_TIMEOUT, "the TLS handshake took too long");
	}
	if (told && http_server_may_log(c->server))
		log_info("no TLS with a client", LOG_CSTR("client", c->conn.stream->peer),
			 LOG_ERR(err));
	in_clear = tls_stream_in_clear(c->conn.stream);
	if (!in_clear)
		return err;
	error_free(err);
	c->conn.stream = in_clear;
	return http_connection_refuse(c, error_new(ERR_INVALID, "client sent an HTTP request to an "
								"HTTPS server: this address speaks "
								"TLS only"));
}

may_suspend struct error *http_connection_greet(struct http_connection *c)
{
	_cleanup_(deadline_end) _unused_ struct deadline d =
		deadline_begin(http_server_limits(c->server)->head_time);
	struct error *err;

	http_server_shaking(c->server, c);
	err = stream_handshake(c->conn.stream);
	http_server_shaken(c->server, c);
	return err ? refuse_handshake(c, err) : NULL;
}
