/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets, read as Go's net/url and net/http read them where Docker's clients can tell.
 * An error says what is wrong and shows none of the target, in which tokens and build args are.
 */
#include "http/url.h"

#include <string.h>

#include "base/limits.h"
#include "http/token.h"

/*
 * Percent signs resolved, in the arena; `text` itself where it has none. NUL is refused, so that
 * nothing that is decoded here ends early where it is handed to libc.
 */
static struct error *decode(struct str text, bool plus_is_space, struct arena *arena,
			    struct str *ret)
{
	size_t n = 0;
	char *out;

	if (!str_has_char(text, '%') && !(plus_is_space && str_has_char(text, '+'))) {
		*ret = text;
		return NULL;
	}
	out = arena_alloc(arena, text.n);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%') {
			int high = i + 2 < text.n ? http_hex_digit(text.p[i + 1]) : -1;
			int low = i + 2 < text.n ? http_hex_digit(text.p[i + 2]) : -1;

			if (high < 0 || low < 0 || (high | low) == 0)
				return error_new(ERR_INVALID, "invalid URL escape");
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		out[n++] = c;
	}
	*ret = str_of(out, n);
	return NULL;
}

/* Empty, "." and ".." segments resolved (RFC 3986, 5.2.4); a slash at the end stays. */
static struct str clean_path(struct str path, struct arena *arena)
{
	char *out = arena_alloc(arena, path.n + 1);
	size_t n = 0;
	struct str part = STR_NONE;
	bool named = false;

	while (str_next(&path, '/', &part)) {
		named = part.n > 0 && !str_eq(part, STR(".")) && !str_eq(part, STR(".."));
		if (named) {
			out[n++] = '/';
			memcpy(out + n, part.p, part.n);
			n += part.n;
		} else if (str_eq(part, STR(".."))) {
			while (n > 0 && out[--n] != '/')
				;
		}
	}
	if (!named)
		out[n++] = '/';
	return str_of(out, n);
}

static struct error *parse_param(struct str text, struct arena *arena, struct http_param *ret)
{
	struct str name, value;

	str_cut(text, '=', &name, &value);
	TRY(decode(name, true, arena, &ret->name));
	return decode(value, true, arena, &ret->value);
}

static struct error *parse_query(struct str query, struct arena *arena, struct http_url *u)
{
	struct str part;
	size_t n = 1;

	/* Go's servers refuse what older ones took for a second separator. */
	if (str_has_char(query, ';'))
		return error_new(ERR_INVALID, "invalid semicolon separator in query");
	for (size_t i = 0; i < query.n; i++)
		n += query.p[i] == '&';
	if (n > LIMIT_HTTP_PARAMS)
		return error_new(ERR_INVALID, "more than %d query parameters", LIMIT_HTTP_PARAMS);

	u->params = arena_new_array(arena, struct http_param, n);
	while (str_next(&query, '&', &part)) {
		if (part.n > 0)
			TRY(parse_param(part, arena, &u->params[u->n_params++]));
	}
	return NULL;
}

/* Of "http://host/path" what an origin server needs: "/path". */
static struct str skip_authority(struct str target)
{
	static const struct str schemes[] = { STR_INIT("http://"), STR_INIT("https://") };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = schemes[i].n;

		if (!str_eq_nocase(str_first(target, n), schemes[i]))
			continue;
		while (n < target.n && target.p[n] != '/' && target.p[n] != '?')
			n++;
		return str_of(target.p + n, target.n - n);
	}
	return target;
}

struct error *http_url_parse(struct str target, struct arena *arena, struct http_url *ret)
{
	struct http_url u = { 0 };
	struct str rest = skip_authority(target), path;

	if (str_has_char(target, '#'))
		return error_new(ERR_INVALID, "fragment in a request target");
	if (str_has_char(target, '\0'))
		return error_new(ERR_INVALID, "NUL in a request target");
	if (str_eq(target, STR("*"))) {
		*ret = (struct http_url){ .raw_path = target, .path = target };
		return NULL;
	}
	str_cut(rest, '?', &u.raw_path, &u.raw_query);
	if (u.raw_path.n == 0 && rest.p != target.p)
		u.raw_path = STR("/");
	if (!str_starts(u.raw_path, STR("/")))
		return error_new(ERR_INVALID, "bad request target");
	TRY(decode(u.raw_path, false, arena, &path));
	u.path = clean_path(path, arena);
	TRY(parse_query(u.raw_query, arena, &u));
	*ret = u;
	return NULL;
}

static const struct http_param *find_param(const struct http_url *u, const char *name)
{
	struct str wanted = str_from(name);

	for (size_t i = 0; i < u->n_params; i++) {
		if (str_eq(u->params[i].name, wanted))
			return &u->params[i];
	}
	return NULL;
}

struct str http_param(const struct http_url *u, const char *name)
{
	const struct http_param *p = find_param(u, name);

	return p ? p->value : STR_NONE;
}

bool http_has_param(const struct http_url *u, const char *name)
{
	return find_param(u, name) != NULL;
}

bool http_param_bool(const struct http_url *u, const char *name, bool otherwise)
{
	static const struct str falses[] = { STR_INIT(""), STR_INIT("0"), STR_INIT("no"),
					     STR_INIT("false"), STR_INIT("none") };
	const struct http_param *p = find_param(u, name);

	if (!p)
		return otherwise;
	for (size_t i = 0; i < ARRAY_LEN(falses); i++) {
		if (str_eq_nocase(str_trim(p->value), falses[i]))
			return false;
	}
	return true;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void encode(struct strbuf *out, struct str text, const char *also_plain)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (is_unreserved(c) || (c != '\0' && strchr(also_plain, c)))
			strbuf_addc(out, c);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)c);
	}
}

void http_encode_path(struct strbuf *out, struct str text)
{
	encode(out, text, "/:@$&+=,");
}

void http_encode_query(struct strbuf *out, struct str text)
{
	encode(out, text, "");
}
