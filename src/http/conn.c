/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buffer between a stream and the codec. Bodies go past it: they are read into the caller's
 * memory and de-framed there, and only what lies behind a body's end is kept.
 */
#include "http/conn.h"

#include <assert.h>

#include "base/limits.h"

enum { READ_SIZE = 16 * 1024 };

void http_conn_init(struct http_conn *c, struct stream *s)
{
	*c = (struct http_conn){ .stream = s };
}

void http_conn_fini(struct http_conn *c)
{
	stream_close(take(c->stream));
	strbuf_fini(&c->in);
	c->at = 0;
}

struct str http_conn_unread(const struct http_conn *c)
{
	return str_skip(strbuf_str(&c->in), c->at);
}

static void consume(struct http_conn *c, size_t n)
{
	c->at += n;
	assert(c->at <= c->in.n);
	if (c->at == c->in.n) {
		strbuf_fini(&c->in);
		c->at = 0;
	}
}

may_suspend struct error *http_conn_wait_readable(struct http_conn *c)
{
	if (http_conn_unread(c).n > 0)
		return NULL;
	return stream_wait_readable(c->stream);
}

/* Reads more behind what is unread; 0 at the end of the stream. */
static may_suspend struct error *fill(struct http_conn *c, size_t *ret_n)
{
	struct error *err;
	size_t n;

	strbuf_consume(&c->in, c->at);
	c->at = 0;
	strbuf_reserve(&c->in, READ_SIZE);
	err = stream_read(c->stream, c->in.p + c->in.n, READ_SIZE, &n);
	if (!err)
		strbuf_extend(&c->in, n);
	if (c->in.n == 0)
		strbuf_fini(&c->in);
	if (!err)
		*ret_n = n;
	return err;
}

/* Line ends between two requests are no request: some clients send one behind a body. */
static bool is_blank(struct str s)
{
	while (s.n > 0 && (s.p[0] == '\r' || s.p[0] == '\n'))
		s = str_skip(s, 1);
	return s.n == 0;
}

may_suspend struct error *http_conn_read_head(struct http_conn *c, struct arena *arena,
					      struct str *ret_head)
{
	size_t scanned = 0, end, n;

	while (!(end = http_head_end(http_conn_unread(c), &scanned))) {
		if (http_conn_unread(c).n >= LIMIT_HTTP_HEAD)
			break;
		TRY(fill(c, &n));
		if (n > 0)
			continue;
		if (!is_blank(http_conn_unread(c)))
			return error_new(ERR_CLOSED, "connection closed in the middle of a head");
		*ret_head = STR_NONE;
		return NULL;
	}
	if (!end || end > LIMIT_HTTP_HEAD)
		return error_new(ERR_HEAD_TOO_LARGE, "head of more than %zu bytes",
				 LIMIT_HTTP_HEAD);
	*ret_head = arena_dup(arena, str_first(http_conn_unread(c), end));
	consume(c, end);
	return NULL;
}

/* The end of the stream where a body is due. */
static struct error *end_of_stream(struct http_body *b)
{
	if (b->framing != HTTP_BODY_UNTIL_CLOSE)
		return error_new(ERR_CLOSED, "connection closed in the middle of a body");
	b->done = true;
	return NULL;
}

/* Body bytes out of what was read ahead. */
static struct error *read_unread(struct http_conn *c, struct http_body *b, char *buf, size_t cap,
				 size_t *ret_n)
{
	size_t n = 0;

	while (n < cap && !b->done && http_conn_unread(c).n > 0) {
		struct str payload;
		size_t used;

		TRY(http_body_step(b, str_first(http_conn_unread(c), cap - n), &used, &payload));
		if (payload.n > 0)
			memcpy(buf + n, payload.p, payload.n);
		n += payload.n;
		consume(c, used);
	}
	*ret_n = n;
	return NULL;
}

/*
 * Body bytes from the stream, de-framed where they were read to. What is behind the body's end
 * becomes the read-ahead, of which there was none.
 */
static may_suspend struct error *read_through(struct http_conn *c, struct http_body *b, char *buf,
					      size_t cap, size_t *ret_n)
{
	size_t have, at = 0, n = 0;

	if (b->framing == HTTP_BODY_LENGTH)
		cap = (size_t)MIN(b->left, (uint64_t)cap);
	TRY(stream_read(c->stream, buf, cap, &have));
	if (have == 0)
		TRY(end_of_stream(b));
	while (at < have && !b->done) {
		struct str payload;
		size_t used;

		TRY(http_body_step(b, str_of(buf + at, have - at), &used, &payload));
		if (payload.n > 0)
			memmove(buf + n, payload.p, payload.n);
		n += payload.n;
		at += used;
	}
	if (at < have)
		strbuf_add(&c->in, str_of(buf + at, have - at));
	*ret_n = n;
	return NULL;
}

may_suspend struct error *http_conn_read_body(struct http_conn *c, struct http_body *b, void *buf,
					      size_t cap, size_t *ret_n)
{
	size_t n = 0;

	assert(cap > 0);
	while (n == 0 && !b->done) {
		if (http_conn_unread(c).n > 0)
			TRY(read_unread(c, b, buf, cap, &n));
		else
			TRY(read_through(c, b, buf, cap, &n));
	}
	*ret_n = n;
	return NULL;
}

struct stream *http_conn_take(struct http_conn *c, struct strbuf *ret_early)
{
	strbuf_consume(&c->in, c->at);
	c->at = 0;
	*ret_early = c->in;
	c->in = (struct strbuf)STRBUF_INIT;
	return take(c->stream);
}
