/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one pass over a text that checks it and makes its index. Speed lies in three things: strings
 * are read eight bytes at a time, the place in the text is passed by value, and a token is 8 bytes.
 */
#include "json/json.h"

#include <assert.h>
#include <endian.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/quote.h"
#include "json/index.h"

struct reader {
	const char *text, *end;
	struct token *v;
	uint32_t n, cap;

	uint32_t open[LIMIT_JSON_DEPTH]; /* tokens of what is open, outermost first */
	uint32_t depth;
	bool in_object;

	const char *due;   /* what should have stood at `wrong` */
	const char *wrong; /* where the text went wrong */
	bool too_deep;
};

/* The functions below answer the place behind what they read, or NULL: then `due` says why. */
static const char *fail(struct reader *r, const char *at, const char *due)
{
	r->wrong = at;
	r->due = due;
	return NULL;
}

static struct token *add_token(struct reader *r, const char *at)
{
	struct token *t;

	if (__builtin_expect(r->n == r->cap, 0)) {
		r->cap *= 2;
		r->v = mem_realloc_array(r->v, r->cap, sizeof(*r->v));
	}
	t = &r->v[r->n++];
	*t = (struct token){ .offset = (uint32_t)(at - r->text) };
	return t;
}

static inline const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

#define EACH_BYTE(x) (0x0101010101010101u * (x))
#define HIGH_BITS    EACH_BYTE(0x80)

/*
 * The high bit of each byte that is less than n (at most 0x80), and maybe of ones behind the first.
 */
static inline uint64_t bytes_below(uint64_t word, unsigned char n)
{
	return (word - EACH_BYTE(n)) & ~word & HIGH_BITS;
}

/*
 * Goes over what may stand in a string as it is: up to a quote, a backslash, a control character,
 * or, near the end of the text, to a place from which it must be done byte by byte.
 */
static inline const char *skip_plain(const char *p, const char *end, uint64_t *high)
{
	uint64_t word, stop;
	int n;

	while (end - p >= 8) {
		memcpy(&word, p, 8);
		word = le64toh(word);
		stop = bytes_below(word, 0x20) | bytes_below(word ^ EACH_BYTE('"'), 1) |
		       bytes_below(word ^ EACH_BYTE('\\'), 1);
		if (stop) {
			n = __builtin_ctzll(stop);
			*high |= word & HIGH_BITS & ((1ull << n) - 1);
			return p + n / 8;
		}
		*high |= word & HIGH_BITS;
		p += 8;
	}
	while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
		*high |= (unsigned char)*p++ & 0x80;
	return p;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* At the backslash. */
static const char *read_escape(struct reader *r, const char *p)
{
	p++;
	if (p < r->end && *p == 'u') {
		for (int i = 1; i <= 4; i++) {
			if (p + i >= r->end || !is_hex(p[i]))
				return fail(r, p + i < r->end ? p + i : r->end,
					    "four hexadecimal digits must follow \\u");
		}
		return p + 5;
	}
	if (p == r->end || !*p || !strchr("\"\\/bfnrt", *p))
		return fail(r, p, "one of \"\\/bfnrtu must follow a backslash");
	return p + 1;
}

/* At the opening quote. */
static inline const char *read_string(struct reader *r, const char *p)
{
	struct token *t = add_token(r, p);
	const char *begin = p++;
	uint64_t high = 0;

	for (;;) {
		p = skip_plain(p, r->end, &high);
		if (__builtin_expect(p == r->end, 0))
			return fail(r, p, "a string must end in a quote");
		if (__builtin_expect(*p == '"', 1))
			break;
		if (*p != '\\')
			return fail(r, p, "control characters in strings must be escaped");
		high = 1;
		p = read_escape(r, p);
		if (!p)
			return NULL;
	}
	p++;
	t->span = (uint32_t)(p - begin);
	t->unplain = high != 0;
	return p;
}

static inline bool is_digit(const struct reader *r, const char *p)
{
	return p < r->end && *p >= '0' && *p <= '9';
}

static const char *read_digits(struct reader *r, const char *p)
{
	if (!is_digit(r, p))
		return fail(r, p, "a digit must follow in a number");
	while (is_digit(r, p))
		p++;
	return p;
}

static const char *read_number(struct reader *r, const char *p)
{
	struct token *t = add_token(r, p);
	const char *begin = p;

	if (*p == '-')
		p++;
	if (p < r->end && *p == '0')
		p++;
	else
		p = read_digits(r, p);
	if (p && p < r->end && *p == '.')
		p = read_digits(r, p + 1);
	if (p && p < r->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < r->end && (*p == '+' || *p == '-'))
			p++;
		p = read_digits(r, p);
	}
	if (p)
		t->span = (uint32_t)(p - begin);
	return p;
}

static const char *read_word(struct reader *r, const char *p, struct str word)
{
	if ((size_t)(r->end - p) < word.n || memcmp(p, word.p, word.n) != 0)
		return fail(r, p, "a value must stand here");
	add_token(r, p)->span = (uint32_t)word.n;
	return p + word.n;
}

/* The closing bracket is at p, and belongs to the innermost open value. */
static const char *close_value(struct reader *r, const char *p)
{
	uint32_t opened = r->open[--r->depth];

	r->v[opened].span = r->n;
	add_token(r, p)->span = 1;
	r->in_object = r->depth && r->text[r->v[r->open[r->depth - 1]].offset] == '{';
	return p + 1;
}

/* At an opening bracket. An empty object or array is read whole, else *ret_inside is set. */
static const char *open_value(struct reader *r, const char *p, bool *ret_inside)
{
	bool object = *p == '{';

	if (r->depth == LIMIT_JSON_DEPTH) {
		r->too_deep = true;
		return fail(r, p, "");
	}
	r->open[r->depth++] = r->n;
	r->in_object = object;
	add_token(r, p)->nested = 1;

	p = skip_space(p + 1, r->end);
	if (p < r->end && *p == (object ? '}' : ']'))
		return close_value(r, p);
	*ret_inside = true;
	return p;
}

/* A scalar, an empty array or object, or, with *ret_inside, just the opening of one. */
static inline const char *read_value(struct reader *r, const char *p, bool *ret_inside)
{
	*ret_inside = false;
	p = skip_space(p, r->end);
	if (p == r->end)
		return fail(r, p, "a value must follow");
	switch (*p) {
	case '"':
		return read_string(r, p);
	case '{':
	case '[':
		return open_value(r, p, ret_inside);
	case 't':
		return read_word(r, p, STR("true"));
	case 'f':
		return read_word(r, p, STR("false"));
	case 'n':
		return read_word(r, p, STR("null"));
	default:
		if (*p != '-' && !is_digit(r, p))
			return fail(r, p, "a value must stand here");
		return read_number(r, p);
	}
}

static inline const char *read_key(struct reader *r, const char *p)
{
	p = skip_space(p, r->end);
	if (p == r->end || *p != '"')
		return fail(r, p, "a key in quotes must stand here");
	p = read_string(r, p);
	if (!p)
		return NULL;
	p = skip_space(p, r->end);
	if (p == r->end || *p != ':')
		return fail(r, p, "a colon must follow a key");
	return p + 1;
}

/* Behind a value: a comma, with which it ends, or closing brackets up to the end of the text. */
static inline const char *read_separators(struct reader *r, const char *p)
{
	while (r->depth) {
		p = skip_space(p, r->end);
		if (p < r->end && *p == ',')
			return p + 1;
		if (p == r->end || *p != (r->in_object ? '}' : ']'))
			return fail(r, p,
				    r->in_object ? "a comma or } must follow a member"
						 : "a comma or ] must follow an item");
		p = close_value(r, p);
	}
	p = skip_space(p, r->end);
	return p == r->end ? p : fail(r, p, "nothing may follow the value");
}

static bool read_text(struct reader *r)
{
	const char *p = r->text;
	bool inside;

	do {
		if (r->in_object)
			p = read_key(r, p);
		if (p)
			p = read_value(r, p, &inside);
		if (p && !inside)
			p = read_separators(r, p);
	} while (p && r->depth);
	return p != NULL;
}

static must_check struct error *refusal(const struct reader *r)
{
	_cleanup_(strbuf_fini) struct strbuf what = STRBUF_INIT;
	size_t at = (size_t)(r->wrong - r->text);

	if (r->too_deep)
		return error_over_limit(
			ERR_INVALID, "invalid JSON: it is nested deeper than %d levels at byte %zu",
			LIMIT_JSON_DEPTH, at);
	if (r->text == r->end)
		return error_new(ERR_INVALID, "invalid JSON: it is empty");
	if (r->wrong == r->end)
		return error_new(ERR_INVALID, "invalid JSON: it ends at byte %zu, where %s", at,
				 r->due);
	quote_text(&what, str_of(r->wrong, MIN((size_t)(r->end - r->wrong), (size_t)12)));
	return error_new(ERR_INVALID, "invalid JSON: at byte %zu stands %s: %s", at, what.p,
			 r->due);
}

struct error *json_parse(struct str text, struct arena *arena, struct json *ret)
{
	struct reader r = { .text = text.p ? text.p : "" };
	struct json_index *index;
	struct error *err;

	if (text.n > JSON_MAX_TEXT)
		return error_new(ERR_INVALID, "invalid JSON: it has 2 GiB or more");
	r.end = r.text + text.n;
	r.cap = (uint32_t)(text.n / 8 + 8);
	r.v = mem_realloc_array(NULL, r.cap, sizeof(*r.v));
	if (!read_text(&r)) {
		err = refusal(&r);
		free(r.v);
		return err;
	}

	r.v = mem_realloc_array(r.v, r.n, sizeof(*r.v));
	arena_adopt(arena, r.v, r.n * sizeof(*r.v));
	index = arena_new(arena, struct json_index);
	*index = (struct json_index){ .text = text, .arena = arena, .v = r.v, .n = r.n };
	*ret = json_at(index, 0);
	return NULL;
}
