/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream with a read buffer, from which heads and bodies are taken: what client and server
 * share. The buffer is there only while something is in it, so an idle connection holds none.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "base/strbuf.h"
#include "http/codec.h"
#include "net/stream.h"

struct http_conn {
	struct stream *stream; /* owned */
	struct strbuf in;
	size_t at; /* where the unread part of `in` begins */
};

void http_conn_init(struct http_conn *c, struct stream *s); /* takes the stream */
void http_conn_fini(struct http_conn *c);		    /* closes it where it is still there */

/*
 * The bytes of one head, in the arena. ERR_HEAD_TOO_LARGE over LIMIT_HTTP_HEAD. An end of the
 * stream before the first byte: success with an empty head; in the middle: ERR_CLOSED. Wait for
 * the first byte with http_conn_wait_readable where that may take long: this holds a buffer.
 */
may_suspend must_check struct error *http_conn_read_head(struct http_conn *c, struct arena *arena,
							 struct str *ret_head);

/* Up to cap bytes of the body; 0 when it is over. A stream that ends too soon: ERR_CLOSED. */
may_suspend must_check struct error *http_conn_read_body(struct http_conn *c, struct http_body *b,
							 void *buf, size_t cap, size_t *ret_n);

/* Parks until there is something to read, or the end of the stream. Holds no buffer meanwhile. */
may_suspend must_check struct error *http_conn_wait_readable(struct http_conn *c);

struct str http_conn_unread(const struct http_conn *c); /* read ahead, until the next call */

/* Hands over the stream with the bytes that were read ahead of need (the caller owns both). */
struct stream *http_conn_take(struct http_conn *c, struct strbuf *ret_early);

#endif
