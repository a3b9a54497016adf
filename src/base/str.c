/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing, searching, splitting and hashing of borrowed bytes. Nothing here allocates but
 * str_dup, and nothing here knows of characters beyond ASCII: that is base/utf8.h.
 */
#include "base/str.h"

#include <endian.h>
#include <strings.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/rand.h"

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static unsigned char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : (unsigned char)c;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_of(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

bool str_contains(struct str s, struct str part)
{
	return str_find(s, part) >= 0;
}

bool str_has_char(struct str s, char c)
{
	return str_find_char(s, c) >= 0;
}

ptrdiff_t str_find_char(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

ptrdiff_t str_rfind_char(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

ptrdiff_t str_find(struct str s, struct str part)
{
	const char *at;

	if (part.n == 0)
		return 0;
	at = s.n ? memmem(s.p, s.n, part.p, part.n) : NULL;
	return at ? at - s.p : -1;
}

struct str str_skip(struct str s, size_t n)
{
	n = MIN(n, s.n);
	return n ? str_of(s.p + n, s.n - n) : s;
}

struct str str_first(struct str s, size_t n)
{
	return str_of(s.p, MIN(n, s.n));
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0]))
		s = str_skip(s, 1);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_strip_prefix(struct str s, struct str prefix)
{
	return str_starts(s, prefix) ? str_skip(s, prefix.n) : s;
}

/* Where nothing was found, `after` is empty, and all of s stands in `before`. */
static bool cut_at(struct str s, ptrdiff_t at, struct str *ret_before, struct str *ret_after)
{
	if (at < 0) {
		*ret_before = s;
		*ret_after = STR_NONE;
		return false;
	}
	*ret_before = str_first(s, (size_t)at);
	*ret_after = str_skip(s, (size_t)at + 1);
	return true;
}

bool str_cut(struct str s, char sep, struct str *ret_before, struct str *ret_after)
{
	return cut_at(s, str_find_char(s, sep), ret_before, ret_after);
}

bool str_rcut(struct str s, char sep, struct str *ret_before, struct str *ret_after)
{
	return cut_at(s, str_rfind_char(s, sep), ret_before, ret_after);
}

bool str_next(struct str *rest, char sep, struct str *ret_part)
{
	struct str part, after;

	/* A NULL pointer says that the last part was taken: "a," has a second, empty part. */
	if (!rest->p)
		return false;
	str_cut(*rest, sep, &part, &after);
	*ret_part = part;
	*rest = after;
	return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
	uint64_t n = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n))
			return false;
	}
	*ret = n;
	return true;
}

bool str_to_i64(struct str s, int64_t *ret)
{
	bool negative = s.n && s.p[0] == '-';
	bool sign = negative || (s.n && s.p[0] == '+');
	uint64_t n;

	if (!str_to_u64(str_skip(s, sign), &n))
		return false;
	if (n > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

char *str_dup(struct str s)
{
	char *copy = mem_alloc(s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-1-3: Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
uint64_t str_hash_keyed(struct str s, const uint64_t key[2])
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
			  key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
	uint64_t last = (uint64_t)s.n << 56;
	uint64_t word;
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		memcpy(&word, s.p + i, 8);
		sip_word(v, le64toh(word));
	}
	for (int shift = 0; i < s.n; i++, shift += 8)
		last |= (uint64_t)(unsigned char)s.p[i] << shift;
	sip_word(v, last);

	v[2] ^= 0xff;
	for (int i_round = 0; i_round < 3; i_round++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t str_hash(struct str s)
{
	return str_hash_keyed(s, rand_hash_key());
}
