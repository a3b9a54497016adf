/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serves HTTP/1.1 on a listener: a fiber for each connection reads heads, one request after the
 * other, and calls the handler, which answers through http/reply.h before it returns. A client
 * that hangs up once its request was read cancels the handler (until it hijacks; where it asked for
 * an upgrade, only one that has gone altogether and not just ended its side). Bad requests are
 * answered and logged here.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "base/limits.h"
#include "http/codec.h"
#include "http/url.h"
#include "net/listener.h"

struct http_server;
struct http_incoming;

typedef may_suspend void http_handler_fn(struct http_incoming *in, void *arg);

/* What a client asked, for as long as the handler runs. */
struct http_incoming {
	struct arena *arena; /* freed when the handler has returned */
	struct http_request head;
	struct http_url url;
	const struct stream *client;	    /* who: its peer and certificate */
	struct http_connection *connection; /* the server's own */
};

/*
 * An error that the server answers by itself (bad head, limit): how to write it in our API's form.
 */
typedef void http_error_fn(int status, const char *message, struct strbuf *ret_body);

/* What may be set of base/limits.h. */
struct http_limits {
	size_t connections;
	int64_t head_time; /* for a request's head, and for a handshake */
	int64_t idle_time; /* without a request */
};

#define HTTP_LIMITS_DEFAULT                                              \
	{                                                                \
		LIMIT_CONNECTIONS, LIMIT_HEAD_TIME, LIMIT_IDLE_KEEPALIVE \
	}

struct http_server_config {
	http_handler_fn *handler;
	void *arg;
	/* Header lines for every reply, those of errors included: "Server: x\r\n"; borrowed. */
	struct str (*common_headers)(void *arg);
	http_error_fn *error_body;	  /* its Content-Type is application/json */
	const struct http_limits *limits; /* copied; NULL: the default ones */
};

struct http_server *http_server_new(const struct http_server_config *config);
/* Takes the listener and serves it until stop; several are fine. */
void http_server_listen(struct http_server *s, struct listener *l);
/* No new connections; requests under way are given `grace`, then cancelled; all joined. */
may_suspend void http_server_stop(struct http_server *s, int64_t grace);
void http_server_free(struct http_server *s); /* stopped, or never listened */
/*
 * Whether to log what a stranger did: LIMIT_REFUSALS_TOLD times a second; then only how often it
 * was.
 */
bool http_server_may_log(struct http_server *s);
size_t http_server_connections(const struct http_server *s);

/*
 * The request's body; the first read answers `Expect: 100-continue`. 0 when it is over. A body
 * that is malformed or ends too soon is ERR_INVALID. May be called from another fiber than the
 * handler's, by one at a time.
 */
may_suspend must_check struct error *http_incoming_read(struct http_incoming *in, void *buf,
							size_t cap, size_t *ret_n);
/* The whole of it, `max` bytes at most, which has LIMIT_BODY_TIME to come: a 408 beyond. */
may_suspend must_check struct error *http_incoming_read_all(struct http_incoming *in, size_t max,
							    struct str *ret);

/*
 * The connection itself, after the answer's head was written by the caller on it (or by
 * http_reply_upgrade): early holds what the client sent ahead, which is what is unread of the
 * request's body, framing included, and all behind it. The server forgets the connection; hang-ups
 * cancel no more. The caller closes the stream.
 */
struct stream *http_incoming_hijack(struct http_incoming *in, struct strbuf *ret_early);

#endif
