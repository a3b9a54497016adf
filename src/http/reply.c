/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing answers. Framing and connection headers are set here and nowhere else: those that a
 * handler passes on from an engine are left out, so that there is one of each.
 */
#include "http/reply.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/duration.h"
#include "fiber/clock.h"
#include "http/connection.h"

static struct str common_headers(const struct http_connection *c)
{
	const struct http_server_config *config = http_server_config(c->server);

	return config->common_headers ? config->common_headers(config->arg) : STR_NONE;
}

/* Is there a line for that header among the common ones? */
static bool is_common(struct str common, struct str name)
{
	struct str line, line_name, value;

	while (str_next(&common, '\n', &line)) {
		if (str_cut(line, ':', &line_name, &value) && str_eq_nocase(line_name, name))
			return true;
	}
	return false;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void write_date(struct strbuf *out)
{
	time_t now = (time_t)(clock_wall() / SECOND);
	char text[40];
	struct tm tm;

	gmtime_r(&now, &tm);
	strbuf_add(out, STR("Date: "));
	strbuf_add(out, str_of(text, strftime(text, sizeof(text), "%a, %d %b %Y %T GMT", &tm)));
	strbuf_add(out, STR("\r\n"));
}

static void write_common(const struct http_connection *c, int status, struct str reason,
			 struct strbuf *out)
{
	http_write_status_line(out, status, reason);
	strbuf_add(out, common_headers(c));
	write_date(out);
}

/* There is one already: written above, with our clock in place of an engine's. */
static bool is_written(const struct http_connection *c, struct str name)
{
	return str_eq_nocase(name, STR("Date")) || is_common(common_headers(c), name);
}

/* `with_length`: a HEAD's answer may say the length that a GET's would have. */
static bool goes_on(const struct http_connection *c, struct str name, bool with_length)
{
	if (with_length && str_eq_nocase(name, STR("Content-Length")))
		return true;
	return !http_header_is_ours(name) && !is_written(c, name);
}

static void write_headers(const struct http_connection *c, const struct http_header *headers,
			  size_t n, bool with_length, struct strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (goes_on(c, headers[i].name, with_length))
			http_write_header(out, headers[i].name, headers[i].value);
	}
}

static void write_connection(struct http_connection *c, struct strbuf *out)
{
	bool wait_for_body = !c->body.done && c->continue_due;
	bool long_body =
		!c->body.done && c->body.framing == HTTP_BODY_LENGTH && c->body.left > HTTP_DRAIN;

	/* The rest of such a body will not be waited for: better to say so now. */
	if (wait_for_body || long_body || http_server_stopping(c->server))
		c->close = true;
	if (c->close)
		strbuf_add(out, STR("Connection: close\r\n"));
	else if (c->in.head.minor == 0)
		strbuf_add(out, STR("Connection: keep-alive\r\n"));
	strbuf_add(out, STR("\r\n"));
}

static bool is_head(const struct http_connection *c)
{
	return str_eq(c->in.head.method, STR("HEAD"));
}

static bool has_body(const struct http_connection *c, int status)
{
	return status != 204 && status != 304 && !is_head(c);
}

static may_suspend struct error *send_parts(struct http_connection *c, const struct str *parts,
					    size_t n)
{
	struct error *err = stream_writev(c->conn.stream, parts, n);

	if (err)
		c->spoilt = true;
	return err;
}

may_suspend struct error *http_reply(struct http_incoming *in, int status, const char *type,
				     const struct http_header *headers, size_t n_headers,
				     struct str body)
{
	_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
	struct http_connection *c = in->connection;
	bool with_body = has_body(c, status) && body.n > 0;

	assert(c->reply == REPLY_NONE && !c->hijacked);
	assert(status >= 200);
	write_common(c, status, STR_NONE, &head);
	if (type)
		http_write_header(&head, STR("Content-Type"), str_from(type));
	write_headers(c, headers, n_headers, false, &head);
	if (status != 204 && status != 304)
		strbuf_addf(&head, "Content-Length: %zu\r\n", body.n);
	write_connection(c, &head);
	c->reply = REPLY_DONE;
	return send_parts(c, (struct str[]){ strbuf_str(&head), body }, with_body ? 2 : 1);
}

may_suspend struct error *http_reply_error(struct http_connection *c, int status,
					   const char *message)
{
	const struct http_server_config *config = http_server_config(c->server);
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;

	if (config->error_body)
		config->error_body(status, message, &body);
	return http_reply(&c->in, status, config->error_body ? "application/json" : NULL, NULL, 0,
			  strbuf_str(&body));
}

static void choose_framing(struct http_connection *c, int status, int64_t length,
			   struct strbuf *head)
{
	if (length >= 0 && status != 204 && status != 304)
		strbuf_addf(head, "Content-Length: %lld\r\n", (long long)length);
	if (!has_body(c, status)) {
		c->reply_framing = HTTP_BODY_NONE;
	} else if (length >= 0) {
		c->reply_framing = HTTP_BODY_LENGTH;
		c->reply_left = (uint64_t)length;
	} else if (c->in.head.minor > 0) {
		c->reply_framing = HTTP_BODY_CHUNKED;
		strbuf_add(head, STR("Transfer-Encoding: chunked\r\n"));
	} else {
		c->reply_framing = HTTP_BODY_UNTIL_CLOSE;
		c->close = true;
	}
}

may_suspend struct error *http_reply_begin(struct http_incoming *in, int status, struct str reason,
					   const struct http_header *headers, size_t n_headers,
					   int64_t length)
{
	_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
	struct http_connection *c = in->connection;

	assert(c->reply == REPLY_NONE && !c->hijacked);
	assert(status >= 200);
	write_common(c, status, reason, &head);
	write_headers(c, headers, n_headers, is_head(c) && length < 0, &head);
	choose_framing(c, status, length, &head);
	write_connection(c, &head);
	c->reply = REPLY_BODY;
	return send_parts(c, (struct str[]){ strbuf_str(&head) }, 1);
}

may_suspend struct error *http_reply_write(struct http_incoming *in, struct str data)
{
	struct http_connection *c = in->connection;
	char size[24];
	int n;

	assert(c->reply == REPLY_BODY);
	if (data.n == 0 || c->reply_framing == HTTP_BODY_NONE)
		return NULL;
	if (c->reply_framing == HTTP_BODY_LENGTH) {
		assert(data.n <= c->reply_left);
		c->reply_left -= data.n;
	}
	if (c->reply_framing != HTTP_BODY_CHUNKED)
		return send_parts(c, &data, 1);
	n = snprintf(size, sizeof(size), "%zx\r\n", data.n);
	return send_parts(c, (struct str[]){ str_of(size, (size_t)n), data, STR("\r\n") }, 3);
}

may_suspend struct error *http_reply_end(struct http_incoming *in)
{
	static const struct str last = STR_INIT("0\r\n\r\n");
	struct http_connection *c = in->connection;

	assert(c->reply == REPLY_BODY);
	assert(c->reply_framing != HTTP_BODY_LENGTH || c->reply_left == 0);
	c->reply = REPLY_DONE;
	return c->reply_framing == HTTP_BODY_CHUNKED ? send_parts(c, &last, 1) : NULL;
}

may_suspend struct error *http_reply_upgrade(struct http_incoming *in, int status,
					     struct str reason, const struct http_header *headers,
					     size_t n_headers)
{
	_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
	struct http_connection *c = in->connection;

	assert(c->reply == REPLY_NONE && !c->hijacked);
	/*
	 * From here on an end of the client's side is part of its conversation. Docker's CLI sends
	 * one as soon as it has the 101, when it has no input.
	 */
	stream_cancel_on_hangup(c->conn.stream, NULL);
	write_common(c, status, reason, &head);
	for (size_t i = 0; i < n_headers; i++) {
		if (!is_written(c, headers[i].name))
			http_write_header(&head, headers[i].name, headers[i].value);
	}
	strbuf_add(&head, STR("\r\n"));
	c->reply = REPLY_DONE;
	c->close = true;
	return send_parts(c, (struct str[]){ strbuf_str(&head) }, 1);
}

bool http_reply_begun(const struct http_incoming *in)
{
	return in->connection->reply != REPLY_NONE;
}
