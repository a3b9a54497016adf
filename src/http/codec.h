/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 messages as bytes: heads parsed strictly, bodies de-framed, heads written. No I/O.
 * Whatever could be read in two ways (two lengths, a length with chunked, obs-fold, space before a
 * colon, bare CR or LF in a line, NUL, two Hosts) is refused.
 */
#ifndef HTTP_CODEC_H
#define HTTP_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

struct http_header {
	struct str name, value; /* value trimmed */
};

struct http_headers {
	struct http_header *v;
	size_t n;
};

enum http_framing {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,
	HTTP_BODY_CHUNKED,
	HTTP_BODY_UNTIL_CLOSE, /* responses only */
};

struct http_request {
	struct str method, target; /* the target as it was sent */
	int minor;		   /* HTTP/1.minor: 0 or 1 */
	struct http_headers headers;
	enum http_framing framing;
	uint64_t length; /* of HTTP_BODY_LENGTH */
	bool keep_alive;
	bool expect_continue;
	struct str upgrade; /* the Upgrade header where Connection names it, else empty */
};

struct http_response {
	int status;
	struct str reason;
	int minor;
	struct http_headers headers;
	enum http_framing framing;
	uint64_t length;
	bool keep_alive;
	struct str upgrade; /* of a 101 */
};

/*
 * How many bytes the head at the start of buf takes, its blank line included; 0: not complete yet.
 * *scanned (begin with 0) makes repeated calls linear. Empty lines before a request are part of it.
 */
size_t http_head_end(struct str buf, size_t *scanned);

/*
 * Exactly one head, as http_head_end gave it. Slices point into head, arrays are in the arena.
 * ERR_INVALID (requests) or ERR_PROTOCOL (responses) says what is wrong, quoted and shortened.
 */
must_check struct error *http_parse_request(struct str head, struct arena *arena,
					    struct http_request *ret);
/* The method of the request decides with the status whether there is a body. */
must_check struct error *http_parse_response(struct str head, struct str method,
					     struct arena *arena, struct http_response *ret);

/* The first header of that name (any case), STR_NONE where there is none. */
struct str http_header(const struct http_headers *h, const char *name);
/* One of the comma-separated tokens of any header of that name, in any case. */
bool http_header_has_token(const struct http_headers *h, const char *name, const char *token);
/* Headers about this hop alone (Connection and all that it names, Keep-Alive, TE, Trailer,
 * Transfer-Encoding, Upgrade, Proxy-*): not to be passed on. */
bool http_header_is_hop(const struct http_headers *h, struct str name);

/* A chunk-by-chunk view of a body. */
struct http_body {
	enum http_framing framing;
	uint64_t left; /* of the body, or of the chunk at hand */
	int state;
	bool done;
	size_t line; /* bytes of the size line or trailer so far, for their limits */
};

void http_body_init(struct http_body *b, enum http_framing framing, uint64_t length);

/*
 * Looks at `in`: takes *ret_used bytes of it, of which *ret_payload (maybe empty, a slice of `in`)
 * is body. Uses nothing: more input is needed. b->done afterwards: the body is over, and what is
 * behind *ret_used belongs to the next message. Trailers are read and dropped.
 */
must_check struct error *http_body_step(struct http_body *b, struct str in, size_t *ret_used,
					struct str *ret_payload);

/*
 * "Name: value\r\n"; a CR, LF or NUL in either is an assertion: the caller has parsed or made it.
 */
void http_write_header(struct strbuf *out, struct str name, struct str value);
/* Headers that client and server set themselves: Host, framing, what is about this hop, Expect. */
bool http_header_is_ours(struct str name);
void http_write_status_line(struct strbuf *out, int status, struct str reason); /* "" = standard */
void http_write_request_line(struct strbuf *out, struct str method, struct str target);
const char *http_reason(int status);

#endif
