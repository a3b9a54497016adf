/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading heads. A head is taken apart in one pass over its lines, then what decides where the
 * message ends is checked on its own. What RFC 9112 leaves to the recipient's mercy is refused.
 */
#include <assert.h>

#include "base/limits.h"
#include "http/codec.h"
#include "http/token.h"

enum { SHOWN = 60 }; /* of a header's name */

/* Is the line that ends with the LF at buf.p[lf] empty? Says where it begins. */
static bool line_is_empty(struct str buf, size_t lf, size_t *ret_start)
{
	bool cr = lf > 0 && buf.p[lf - 1] == '\r';
	size_t start = lf - cr;

	*ret_start = start;
	return start == 0 || buf.p[start - 1] == '\n';
}

size_t http_head_end(struct str buf, size_t *scanned)
{
	/*
	 * What no head begins with makes one at once, for the parser to refuse: a client that
	 * speaks TLS to an open port is told so without a wait for a line end that never comes.
	 */
	if (buf.n > 0 && !http_is_tchar(buf.p[0]) && buf.p[0] != '\r' && buf.p[0] != '\n')
		return buf.n;

	while (*scanned < buf.n) {
		const char *at = memchr(buf.p + *scanned, '\n', buf.n - *scanned);
		size_t lf = at ? (size_t)(at - buf.p) : buf.n;
		size_t start, before;

		if (!at) {
			*scanned = buf.n;
			return 0;
		}
		*scanned = lf + 1;
		/* An empty line with another, or nothing, before it stands before the head. */
		if (line_is_empty(buf, lf, &start) && start > 0 &&
		    !line_is_empty(buf, start - 1, &before))
			return lf + 1;
	}
	return 0;
}

/* A head that is taken apart line by line, and how far that has come. */
struct lines {
	struct str rest;
	enum error_kind kind; /* of what is wrong with it */
	bool begun;	      /* the first line is off */
	struct str header;    /* the name of the last whole header */
};

/*
 * By name, and never by text: that may be a credential, or a path that is as good as one, and who
 * sent it wrong finds it in the log.
 */
static struct error *bad_line(const struct lines *l, const char *what, struct str line)
{
	struct str name = STR_NONE, value;

	if (!l->begun)
		return error_new(l->kind, "%s: the first line", what);
	if (str_cut(line, ':', &name, &value) && http_is_token(name))
		return error_new(l->kind, "%s: header %.*s", what, STR_ARG(str_first(name, SHOWN)));
	if (l->header.n == 0)
		return error_new(l->kind, "%s: behind the first line", what);
	return error_new(l->kind, "%s: behind header %.*s", what,
			 STR_ARG(str_first(l->header, SHOWN)));
}

/* What an engine says instead tells what it is; what a client says may be the rest of a body. */
static struct error *not_http(enum error_kind kind, struct str text)
{
	if (kind == ERR_INVALID)
		return error_new(kind, "not HTTP");
	return http_malformed(kind, "not HTTP", text);
}

/* Takes one line off, which must end in CR LF and have no other control character but TAB. */
static struct error *next_line(struct lines *l, struct str *ret)
{
	ptrdiff_t lf = str_find_char(l->rest, '\n');
	struct str line = str_first(l->rest, lf < 0 ? l->rest.n : (size_t)lf);

	if (lf < 0)
		return not_http(l->kind, line);
	if (!str_ends(line, STR("\r")))
		return bad_line(l, "line without CR before its LF", line);
	line.n--;
	if (!http_is_field_text(line))
		return bad_line(l, "control character in a head", line);
	l->rest = str_skip(l->rest, (size_t)lf + 1);
	l->begun = true;
	*ret = line;
	return NULL;
}

/* The first bytes of a record that shakes hands, or that says why not. */
static struct error *refuse_tls(struct str head, enum error_kind kind)
{
	if (!str_starts(head, STR("\x16\x03")) && !str_starts(head, STR("\x15\x03")))
		return NULL;
	return error_new(kind, "TLS came where plain HTTP is spoken");
}

static struct str trim_blanks(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_skip(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static struct error *parse_header(struct lines *l, struct str line, struct http_header *ret)
{
	struct str name, value;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return bad_line(l, "folded header line", STR_NONE);
	if (!str_cut(line, ':', &name, &value))
		return bad_line(l, "header line without a colon", STR_NONE);
	if (!http_is_token(name))
		return bad_line(l, "bad header name", STR_NONE);
	*ret = (struct http_header){ name, trim_blanks(value) };
	l->header = name;
	return NULL;
}

static size_t count_lines(struct str text)
{
	size_t n = 0;
	ptrdiff_t lf;

	while ((lf = str_find_char(text, '\n')) >= 0) {
		text = str_skip(text, (size_t)lf + 1);
		n++;
	}
	return n;
}

/* All up to and with the empty line, behind which there must be nothing. */
static struct error *parse_headers(struct lines *l, struct arena *arena, struct http_headers *ret)
{
	size_t n = count_lines(l->rest);
	struct http_headers headers = { NULL, 0 };

	if (n > LIMIT_HTTP_HEADERS + 1)
		return error_new(l->kind == ERR_INVALID ? ERR_HEAD_TOO_LARGE : l->kind,
				 "more than %d headers", LIMIT_HTTP_HEADERS);
	headers.v = arena_new_array(arena, struct http_header, n);
	for (;;) {
		struct str line;

		TRY(next_line(l, &line));
		if (line.n == 0)
			break;
		TRY(parse_header(l, line, &headers.v[headers.n++]));
	}
	if (l->rest.n > 0)
		return error_new(l->kind, "more than one head");
	*ret = headers;
	return NULL;
}

/* How many headers of that name there are, and the first one's value. */
static size_t header_count(const struct http_headers *h, struct str name, struct str *ret_first)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (!str_eq_nocase(h->v[i].name, name))
			continue;
		if (n++ == 0)
			*ret_first = h->v[i].value;
	}
	return n;
}

/*
 * Where the message ends, by its headers alone. Two readers that disagree here are how requests
 * are smuggled, so one plain form of each header is taken: `chunked` alone, one decimal number.
 */
static struct error *parse_framing(const struct http_headers *h, int minor, enum error_kind kind,
				   enum http_framing *ret_framing, uint64_t *ret_length)
{
	struct str coding, length;
	size_t codings = header_count(h, STR("Transfer-Encoding"), &coding);
	size_t lengths = header_count(h, STR("Content-Length"), &length);

	if (codings > 0 && lengths > 0)
		return error_new(kind, "both Transfer-Encoding and Content-Length");
	if (codings > 0) {
		if (minor == 0)
			return error_new(kind, "Transfer-Encoding in HTTP/1.0");
		if (codings > 1 || !str_eq_nocase(coding, STR("chunked")))
			return error_new(kind, "Transfer-Encoding other than chunked");
		*ret_framing = HTTP_BODY_CHUNKED;
	}
	if (lengths > 0) {
		if (lengths > 1)
			return error_new(kind, "more than one Content-Length");
		if (!str_to_u64(length, ret_length) || *ret_length > INT64_MAX)
			return error_new(kind, "bad Content-Length");
		*ret_framing = HTTP_BODY_LENGTH;
	}
	return NULL;
}

static bool keeps_alive(const struct http_headers *h, int minor)
{
	if (http_header_has_token(h, "Connection", "close"))
		return false;
	return minor > 0 || http_header_has_token(h, "Connection", "keep-alive");
}

/*
 * "HTTP/1.0", or "HTTP/1.1" and whatever 1.x comes after it, which is read as 1.1 (RFC 9110, 2.5).
 */
static struct error *parse_version(struct str text, enum error_kind kind, int *ret_minor)
{
	bool looks_right = text.n == 8 && str_starts(text, STR("HTTP/")) && text.p[6] == '.' &&
			   text.p[5] >= '0' && text.p[5] <= '9' && text.p[7] >= '0' &&
			   text.p[7] <= '9';

	if (!looks_right)
		return not_http(kind, text);
	if (text.p[5] != '1')
		return http_malformed(kind, "only HTTP/1.1 and HTTP/1.0 are spoken here", text);
	*ret_minor = text.p[7] > '0';
	return NULL;
}

/* What a URI has outside its percent signs, and raw UTF-8, which some clients leave in. */
static bool target_is_plain(struct str target)
{
	for (size_t i = 0; i < target.n; i++) {
		if ((unsigned char)target.p[i] <= ' ')
			return false;
	}
	return target.n > 0;
}

static struct error *parse_request_line(struct str line, struct http_request *r)
{
	struct str rest, version;

	if (!str_cut(line, ' ', &r->method, &rest) || !str_rcut(rest, ' ', &r->target, &version))
		return error_new(ERR_INVALID, "bad request line");
	TRY(parse_version(version, ERR_INVALID, &r->minor));
	if (!http_is_token(r->method))
		return error_new(ERR_INVALID, "bad method");
	if (r->target.n > LIMIT_HTTP_TARGET)
		return error_new(ERR_HEAD_TOO_LARGE, "request target of more than %zu bytes",
				 LIMIT_HTTP_TARGET);
	if (!target_is_plain(r->target))
		return error_new(ERR_INVALID, "bad request target");
	return NULL;
}

/* The bytes that Go's servers take, so that what an engine accepts is accepted here. */
static bool host_is_plain(struct str host)
{
	static const char others[] = "!$%&'()*+,-.:;=[]_~";

	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		bool alnum =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && (c == '\0' || !strchr(others, c)))
			return false;
	}
	return true;
}

static struct error *check_host(const struct http_request *r)
{
	struct str host = STR_NONE;
	size_t n = header_count(&r->headers, STR("Host"), &host);

	if (n > 1)
		return error_new(ERR_INVALID, "more than one Host header");
	if (n == 0 && r->minor > 0)
		return error_new(ERR_INVALID, "no Host header");
	if (!host_is_plain(host))
		return error_new(ERR_INVALID, "bad Host header");
	return NULL;
}

static struct error *parse_expect(struct http_request *r)
{
	struct str expect;

	/* RFC 9110, 10.1.1: of an HTTP/1.0 client it means nothing. */
	if (r->minor == 0 || header_count(&r->headers, STR("Expect"), &expect) == 0)
		return NULL;
	if (!str_eq_nocase(expect, STR("100-continue")))
		return error_new(ERR_INVALID, "unknown Expect");
	r->expect_continue = true;
	return NULL;
}

struct error *http_parse_request(struct str head, struct arena *arena, struct http_request *ret)
{
	struct lines l = { .rest = head, .kind = ERR_INVALID };
	struct http_request r = { 0 };
	struct str line;

	TRY(refuse_tls(head, ERR_INVALID));
	while (str_starts(l.rest, STR("\r\n")))
		l.rest = str_skip(l.rest, 2);
	TRY(next_line(&l, &line));
	TRY(parse_request_line(line, &r));
	TRY(parse_headers(&l, arena, &r.headers));
	TRY(parse_framing(&r.headers, r.minor, ERR_INVALID, &r.framing, &r.length));
	TRY(check_host(&r));
	TRY(parse_expect(&r));
	r.keep_alive = keeps_alive(&r.headers, r.minor);
	if (r.minor > 0 && http_header_has_token(&r.headers, "Connection", "upgrade"))
		r.upgrade = http_header(&r.headers, "Upgrade");
	*ret = r;
	return NULL;
}

static struct error *parse_status_line(struct str line, struct http_response *r)
{
	struct str version, rest, status;
	uint64_t code;

	if (!str_cut(line, ' ', &version, &rest))
		return http_malformed(ERR_PROTOCOL, "bad status line", line);
	TRY(parse_version(version, ERR_PROTOCOL, &r->minor));
	/* The space behind the status may be missing where no reason follows: Go takes that too. */
	str_cut(rest, ' ', &status, &r->reason);
	if (status.n != 3 || !str_to_u64(status, &code) || code < 100 || code > 599)
		return http_malformed(ERR_PROTOCOL, "bad status line", line);
	r->status = (int)code;
	return NULL;
}

static bool status_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

struct error *http_parse_response(struct str head, struct str method, struct arena *arena,
				  struct http_response *ret)
{
	struct lines l = { .rest = head, .kind = ERR_PROTOCOL };
	struct http_response r = { .framing = HTTP_BODY_UNTIL_CLOSE };
	struct str line;

	TRY(refuse_tls(head, ERR_PROTOCOL));
	TRY(next_line(&l, &line));
	TRY(parse_status_line(line, &r));
	TRY(parse_headers(&l, arena, &r.headers));
	TRY(parse_framing(&r.headers, r.minor, ERR_PROTOCOL, &r.framing, &r.length));
	/* A HEAD's answer tells the length that a GET's would have; it has none of it. */
	if (!status_has_body(r.status) || str_eq(method, STR("HEAD"))) {
		r.framing = HTTP_BODY_NONE;
		r.length = 0;
	}
	r.keep_alive = keeps_alive(&r.headers, r.minor) && r.framing != HTTP_BODY_UNTIL_CLOSE &&
		       r.status != 101;
	if (r.status == 101)
		r.upgrade = http_header(&r.headers, "Upgrade");
	*ret = r;
	return NULL;
}

struct str http_header(const struct http_headers *h, const char *name)
{
	struct str value = STR_NONE;

	header_count(h, str_from(name), &value);
	return value;
}

static bool has_token(const struct http_headers *h, struct str name, struct str token)
{
	for (size_t i = 0; i < h->n; i++) {
		struct str rest = h->v[i].value, part;

		if (!str_eq_nocase(h->v[i].name, name))
			continue;
		while (str_next(&rest, ',', &part)) {
			if (str_eq_nocase(trim_blanks(part), token))
				return true;
		}
	}
	return false;
}

bool http_header_has_token(const struct http_headers *h, const char *name, const char *token)
{
	return has_token(h, str_from(name), str_from(token));
}

bool http_header_is_hop(const struct http_headers *h, struct str name)
{
	static const struct str hop[] = {
		STR_INIT("Connection"), STR_INIT("Keep-Alive"), STR_INIT("TE"),
		STR_INIT("Trailer"),	STR_INIT("Upgrade"),	STR_INIT("Transfer-Encoding"),
	};

	for (size_t i = 0; i < ARRAY_LEN(hop); i++) {
		if (str_eq_nocase(name, hop[i]))
			return true;
	}
	if (str_eq_nocase(str_first(name, 6), STR("Proxy-")))
		return true;
	return has_token(h, STR("Connection"), name);
}
