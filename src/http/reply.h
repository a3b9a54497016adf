/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to one request. Exactly one of http_reply, or http_reply_begin ... http_reply_end, or
 * a hijack. A handler that returns without an end breaks the connection off, which is how a
 * streamed answer says that it failed. HEAD gets the head alone.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "http/server.h"

/* Whole; Content-Length is set. `type` NULL: no Content-Type. Extra headers may be NULL, 0. */
may_suspend must_check struct error *http_reply(struct http_incoming *in, int status,
						const char *type, const struct http_header *headers,
						size_t n_headers, struct str body);

/*
 * Streamed: `length` >= 0 sets Content-Length, -1 is chunked (until close for HTTP/1.0). The head
 * is sent at once. `reason` "" is the standard one.
 */
may_suspend must_check struct error *http_reply_begin(struct http_incoming *in, int status,
						      struct str reason,
						      const struct http_header *headers,
						      size_t n_headers, int64_t length);
may_suspend must_check struct error *http_reply_write(struct http_incoming *in, struct str data);
may_suspend must_check struct error *http_reply_end(struct http_incoming *in);

/* The head of a 101 or of a hijacked 200 (no framing), as given, plus the common headers. */
may_suspend must_check struct error *http_reply_upgrade(struct http_incoming *in, int status,
							struct str reason,
							const struct http_header *headers,
							size_t n_headers);

bool http_reply_begun(const struct http_incoming *in);

#endif
