/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP calls to one host, over pooled connections: LIMIT_IDLE_PER_HOST idle ones kept for each
 * host, LIMIT_IDLE_POOLED over all, the longest idle closed first. An exchange is one request and
 * its answer; request and answer bodies may flow at the same time from two fibers.
 *
 * Errors here are of the transport (ERR_REFUSED, ERR_CLOSED, ERR_TIMEOUT, ERR_PROTOCOL, ERR_TLS),
 * with the host's address before them; a status of 400 or more is not an error here.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/arena.h"
#include "http/codec.h"
#include "net/addr.h"
#include "net/stream.h"

struct http_client;
struct fence;
struct http_exchange;
struct tls_context;

/* Takes a reference of tls (NULL: in the clear). Opens nothing. */
struct http_client *http_client_new(const struct addr *a, struct tls_context *tls);
struct http_client *http_client_ref(struct http_client *c);
void http_client_unref(struct http_client *c); /* closes idle connections with the last one */
void http_client_close_idle(struct http_client *c);
size_t http_clients_idle(void); /* how many idle connections there are, over all hosts */
const struct addr *http_client_addr(const struct http_client *c);
/* Bounds each connecting alone: beyond, it is ERR_REFUSED. 0, as it begins: only deadlines do. */
void http_client_set_connect_time(struct http_client *c, int64_t span);
/*
 * Requests of methods that change something are held to the fence (fiber/fence.h) at each write;
 * a connection that http_exchange_take hands out no more. Borrowed; NULL, as it begins: none.
 */
void http_client_set_fence(struct http_client *c, const struct fence *fence);
/* The numeric address ("10.0.0.1") last connected to; "" before. Borrowed until the next park. */
struct str http_client_peer(const struct http_client *c);

enum http_send {
	HTTP_SEND_NOTHING, /* no body, no framing header (GET) */
	HTTP_SEND_LENGTH,  /* `length` bytes follow by http_exchange_write */
	HTTP_SEND_CHUNKED,
};

struct http_call {
	struct str method, target;
	const struct http_header *headers; /* end to end ones; Host, framing, Connection are ours */
	size_t n_headers;
	struct str host;     /* the Host header; empty: the address */
	struct str body;     /* sent with the head, Content-Length set; or none ... */
	enum http_send send; /* ... and the body follows */
	uint64_t length;
	struct str upgrade;	   /* asks for an upgrade to this protocol ("tcp", "h2c") */
	const struct fence *fence; /* held to this one, whatever the method; NULL: the client's */
};

/*
 * Sends the head (and call->body). A pooled connection that turns out to be closed by the host
 * before a byte of an answer came is replaced once, where that cannot make the host act twice
 * (exchange.c says when); over such a connection it returns only when the answer's head is there,
 * unless a body follows. Slices of call are borrowed until this returns.
 */
may_suspend must_check struct error *http_exchange_begin(struct http_client *c,
							 const struct http_call *call,
							 struct http_exchange **ret);

/*
 * Part of the request's body; an empty one is nothing. ERR_CLOSED: the host takes no more. It may
 * have answered all the same, so go on with http_exchange_response, which fails if it has not.
 */
may_suspend must_check struct error *http_exchange_write(struct http_exchange *x, struct str data);
may_suspend must_check struct error *http_exchange_write_end(struct http_exchange *x);

/*
 * The final answer's head (100 and other 1xx are passed over, 101 is final). It lives as long as
 * the exchange. Calling it again answers the same.
 */
may_suspend must_check struct error *http_exchange_response(struct http_exchange *x,
							    const struct http_response **ret);

may_suspend must_check struct error *http_exchange_read(struct http_exchange *x, void *buf,
							size_t cap, size_t *ret_n);
may_suspend must_check struct error *http_exchange_wait_readable(struct http_exchange *x);

/* The rest of the body, into the arena; ERR_TOO_LARGE over max. */
may_suspend must_check struct error *http_exchange_read_all(struct http_exchange *x, size_t max,
							    struct arena *arena, struct str *ret);

/*
 * After a 101, or a 200 whose body ends with the connection: the stream itself, and what was read
 * ahead.
 */
struct stream *http_exchange_take(struct http_exchange *x, struct strbuf *ret_early);

/* Gives the connection back to the pool where both bodies are over, else closes it. Never parks. */
void http_exchange_free(struct http_exchange *x);

DEFINE_CLEANUP(struct http_exchange *, http_exchange_free)
DEFINE_CLEANUP(struct http_client *, http_client_unref)

/* The whole of it: call, head, body up to max bytes, all in the arena. */
struct http_result {
	struct http_response head;
	struct str body;
};
may_suspend must_check struct error *http_fetch(struct http_client *c, const struct http_call *call,
						size_t max, struct arena *arena,
						struct http_result *ret);

#endif
