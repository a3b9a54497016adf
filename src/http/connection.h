/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connection, as the server's files share it. Private to http/.
 *
 *   REPLY_NONE -> REPLY_BODY -> REPLY_DONE      REPLY_NONE -> REPLY_DONE
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "base/list.h"
#include "http/conn.h"
#include "http/server.h"

struct fiber;

enum reply_state {
	REPLY_NONE,
	REPLY_BODY, /* the head is out, the end is due */
	REPLY_DONE,
};

struct http_connection {
	struct http_server *server;
	struct list link;    /* in the server's list */
	struct list shaking; /* among those that shake hands */
	struct http_conn conn;
	struct fiber *fiber; /* NULL until it first ran */
	bool unwanted;	     /* one too many: to be told so */
	bool busy;	     /* not between two requests */

	/* Of the request at hand. */
	struct http_incoming in;
	struct http_body body;
	bool continue_due; /* the client waits for a 100 before it sends the body */
	enum reply_state reply;
	enum http_framing reply_framing;
	uint64_t reply_left;
	size_t held; /* bytes of the body that count in the server's sum */
	bool close;  /* no further request on this connection */
	bool spoilt; /* a write failed: nothing more can be said on it */
	bool hijacked;
};

/* An unread request body up to this is read and dropped, to keep the connection. */
#define HTTP_DRAIN ((size_t)256 * 1024)

/* Takes the stream. */
struct http_connection *http_connection_new(struct http_server *s, struct stream *stream);
void http_connection_free(struct http_connection *c);

/* Its fiber: serves requests until the connection is over, then frees it. */
may_suspend void http_connection_serve(void *arg);

/*
 * greet.c. Greet is the handshake, within the time for a head; its failures are logged. Refuse
 * answers what never gets to the handler, and ends the connection; takes err. Linger ends it so
 * that the client can read our last answer.
 */
may_suspend must_check struct error *http_connection_greet(struct http_connection *c);
may_suspend must_check struct error *http_connection_refuse(struct http_connection *c,
							    struct error *err);
may_suspend must_check struct error *http_connection_linger(struct http_connection *c);

/* server.c */
const struct http_server_config *http_server_config(const struct http_server *s);
const struct http_limits *http_server_limits(const struct http_server *s);
bool http_server_stopping(const struct http_server *s);
void http_server_left(struct http_server *s, struct http_connection *c);
/*
 * Those that shake hands are LIMIT_HANDSHAKES at most: with one more, the one longest at it ends.
 */
void http_server_shaking(struct http_server *s, struct http_connection *c);
void http_server_shaken(struct http_server *s, struct http_connection *c);
/* Bodies in memory are LIMIT_JSON_BODIES together: ERR_UNAVAILABLE beyond. */
must_check struct error *http_server_hold(struct http_server *s, struct http_connection *c,
					  size_t n);
void http_server_release(struct http_server *s, struct http_connection *c);

/* reply.c: an answer of the server's own, with error_body's text. */
may_suspend must_check struct error *http_reply_error(struct http_connection *c, int status,
						      const char *message);

#endif
