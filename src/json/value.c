/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a string or a number of a checked text means.
 */
#include "json/json.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "json/index.h"

/* Four hexadecimal digits, checked already. */
static uint32_t hex4(const char *p)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

/* \uXXXX, with the second half of a pair where it is there. Half a pair is no character. */
static uint32_t take_unicode(struct str *rest)
{
	uint32_t code = hex4(rest->p + 2), low;

	*rest = str_skip(*rest, 6);
	if (code < 0xd800 || code > 0xdbff || !str_starts(*rest, STR("\\u")))
		return code;
	low = hex4(rest->p + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return code;
	*rest = str_skip(*rest, 6);
	return 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
}

static uint32_t take_escape(struct str *rest)
{
	char c = rest->p[1];

	if (c == 'u')
		return take_unicode(rest);
	*rest = str_skip(*rest, 2);
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return (unsigned char)c;
	}
}

/* The next character of what stands between the quotes. */
static uint32_t take_char(struct str *rest)
{
	uint32_t code;
	size_t n;

	if (rest->p[0] == '\\')
		return take_escape(rest);
	n = utf8_len(*rest, &code);
	*rest = str_skip(*rest, n ? n : 1);
	return n ? code : UTF8_REPLACEMENT;
}

void json_unescape(struct str inside, struct strbuf *out)
{
	strbuf_reserve(out, inside.n);
	while (inside.n) {
		strbuf_reserve(out, 4);
		out->n += utf8_write(out->p + out->n, take_char(&inside));
	}
	strbuf_truncate(out, out->n);
}

static bool reads_as_it_stands(struct str inside)
{
	return !str_has_char(inside, '\\') && utf8_valid(inside);
}

struct str json_str(struct json v)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str inside;

	if (json_type(v) != JSON_STRING)
		return STR("");
	inside = token_inside(v.index, v.at);
	if (!v.index->v[v.at].unplain || reads_as_it_stands(inside))
		return inside;
	json_unescape(inside, &text);
	return arena_dup(v.index->arena, strbuf_str(&text));
}

bool token_is(const struct json_index *index, uint32_t at, struct str key)
{
	struct str rest = token_inside(index, at);
	char bytes[4];
	size_t n;

	if (!index->v[at].unplain)
		return str_eq(rest, key);
	while (rest.n) {
		n = utf8_write(bytes, take_char(&rest));
		if (!str_starts(key, str_of(bytes, n)))
			return false;
		key = str_skip(key, n);
	}
	return key.n == 0;
}

/* As Go folds: the long s and the Kelvin sign are forms of the letters. */
static uint32_t folded(uint32_t code)
{
	if (code >= 'A' && code <= 'Z')
		return code + ('a' - 'A');
	if (code == 0x17f)
		return 's';
	return code == 0x212a ? 'k' : code;
}

/* Fields that we look for are plain ASCII. */
bool token_is_folded(const struct json_index *index, uint32_t at, struct str key)
{
	struct str rest = token_inside(index, at);

	if (!index->v[at].unplain)
		return str_eq_nocase(rest, key);
	for (; rest.n; key = str_skip(key, 1)) {
		if (key.n == 0 || folded(take_char(&rest)) != folded((unsigned char)key.p[0]))
			return false;
	}
	return key.n == 0;
}

bool json_str_eq(struct json v, struct str text)
{
	return json_type(v) == JSON_STRING && token_is(v.index, v.at, text);
}

/* A number as digits times ten to the power of `exponent`, the digits without zeros at the end. */
struct decimal {
	bool negative;
	uint64_t digits;
	int64_t exponent;
};

static int64_t exponent_of(struct str text)
{
	int64_t n;

	/* One that does not fit makes 0 or more than any integer. */
	if (str_to_i64(text, &n) && n > INT32_MIN && n < INT32_MAX)
		return n;
	return str_starts(text, STR("-")) ? INT32_MIN : INT32_MAX;
}

static bool decimal_of(struct str text, struct decimal *d)
{
	struct str mantissa = text, exponent = STR_NONE;
	int64_t zeros = 0; /* met, and counted only when another digit follows */
	bool fraction = false;

	*d = (struct decimal){ .negative = text.p[0] == '-' };
	if (str_cut(text, 'e', &mantissa, &exponent) || str_cut(text, 'E', &mantissa, &exponent))
		d->exponent = exponent_of(exponent);

	for (size_t i = d->negative; i < mantissa.n; i++) {
		char c = mantissa.p[i];

		if (c == '.') {
			fraction = true;
			continue;
		}
		d->exponent -= fraction;
		if (c == '0') {
			zeros += d->digits != 0;
			continue;
		}
		for (zeros++; zeros; zeros--) {
			if (__builtin_mul_overflow(d->digits, 10, &d->digits))
				return false;
		}
		if (__builtin_add_overflow(d->digits, (uint64_t)(c - '0'), &d->digits))
			return false;
	}
	d->exponent += zeros;
	return true;
}

static bool to_integer(struct json v, bool *ret_negative, uint64_t *ret)
{
	struct decimal d;

	if (json_type(v) != JSON_NUMBER || !decimal_of(json_raw(v), &d))
		return false;
	if (d.digits && (d.exponent < 0 || d.exponent > 19))
		return false;
	for (; d.digits && d.exponent; d.exponent--) {
		if (__builtin_mul_overflow(d.digits, 10, &d.digits))
			return false;
	}
	*ret_negative = d.negative;
	*ret = d.digits;
	return true;
}

bool json_to_i64(struct json v, int64_t *ret)
{
	bool negative;
	uint64_t n;

	if (!to_integer(v, &negative, &n) || n > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

bool json_to_u64(struct json v, uint64_t *ret)
{
	bool negative;
	uint64_t n;

	if (!to_integer(v, &negative, &n) || (negative && n))
		return false;
	*ret = n;
	return true;
}

bool json_to_double(struct json v, double *ret)
{
	_cleanup_(mem_freep) char *text = NULL;
	double n;

	if (json_type(v) != JSON_NUMBER)
		return false;
	text = str_dup(json_raw(v));
	n = strtod(text, NULL);
	if (__builtin_isinf(n))
		return false;
	*ret = n;
	return true;
}
