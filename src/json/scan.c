/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the first value of a stream ends. It only counts brackets and minds strings: what it cuts
 * off is checked by json_parse.
 */
#include "json/json.h"

#include "base/limits.h"
#include "base/quote.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A character behind which a number or a word cannot go on. */
static bool ends_scalar(char c)
{
	return is_space(c) || str_has_char(STR(",:[]{}\""), c);
}

/* Up to the string's end; false where it is not there yet. */
static bool skip_string(struct str text, struct json_scan *s)
{
	while (s->scanned < text.n) {
		char c = text.p[s->scanned++];

		if (s->escaped) {
			s->escaped = false;
		} else if (c == '\\') {
			s->escaped = true;
		} else if (c == '"') {
			s->in_string = false;
			return true;
		}
	}
	return false;
}

static must_check struct error *unexpected(struct str text, size_t at)
{
	_cleanup_(strbuf_fini) struct strbuf what = STRBUF_INIT;

	quote_text(&what, str_first(str_skip(text, at), 12));
	return error_new(ERR_INVALID,
			 "invalid JSON: at byte %zu stands %s: a value must stand here", at,
			 what.p);
}

/* One character outside of strings. */
static must_check struct error *step(struct str text, struct json_scan *s, bool *ret_done)
{
	size_t at = s->scanned++;
	char c = text.p[at];

	*ret_done = false;
	if (is_space(c))
		return NULL;
	if (!s->started && (c == '}' || c == ']' || c == ',' || c == ':'))
		return unexpected(text, at);
	switch (c) {
	case '"':
		s->in_string = true;
		break;
	case '{':
	case '[':
		if (s->depth == LIMIT_JSON_DEPTH)
			return error_over_limit(
				ERR_INVALID,
				"invalid JSON: it is nested deeper than %d levels at byte %zu",
				LIMIT_JSON_DEPTH, at);
		s->depth++;
		break;
	case '}':
	case ']':
		s->depth--;
		*ret_done = s->depth == 0;
		break;
	default:
		s->in_scalar = s->depth == 0;
	}
	s->started = true;
	return NULL;
}

struct error *json_scan_value(struct str text, struct json_scan *state, size_t *ret_n)
{
	struct json_scan *s = state;
	bool done = false;

	*ret_n = 0;
	while (!done && s->scanned < text.n) {
		if (s->in_string) {
			done = skip_string(text, s) && s->depth == 0;
		} else if (s->in_scalar) {
			done = ends_scalar(text.p[s->scanned]);
			s->scanned += !done;
		} else {
			TRY(step(text, s, &done));
		}
	}
	if (done)
		*ret_n = s->scanned;
	return NULL;
}
