/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed run of bytes, passed by value. It owns nothing and need not end in NUL; what it
 * points at must outlive it.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

/* A borrowed array of them. */
struct str_array {
	const struct str *v;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE     ((struct str){ NULL, 0 })
/* Initializer form of STR, for static const tables. */
#define STR_INIT(literal)                       \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_of(const char *p, size_t n)
{
	return (struct str){ p, n };
}

/* NULL gives STR_NONE. */
static inline struct str str_from(const char *cstr)
{
	return (struct str){ cstr, cstr ? strlen(cstr) : 0 };
}

static inline bool str_empty(struct str s)
{
	return s.n == 0;
}

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only, as HTTP compares */
int str_cmp(struct str a, struct str b);	/* by bytes, shorter first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
bool str_has_char(struct str s, char c);

/* Where `c` or `part` first (last) stands, or -1. */
ptrdiff_t str_find_char(struct str s, char c);
ptrdiff_t str_rfind_char(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str part);

struct str str_skip(struct str s, size_t n);		      /* without its first n bytes */
struct str str_first(struct str s, size_t n);		      /* at most its first n bytes */
struct str str_trim(struct str s);			      /* without ASCII space at both ends */
struct str str_strip_prefix(struct str s, struct str prefix); /* where it is there */

/* Splits at the first (last) `sep`: true where it was found; else all is `before`. */
bool str_cut(struct str s, char sep, struct str *ret_before, struct str *ret_after);
bool str_rcut(struct str s, char sep, struct str *ret_before, struct str *ret_after);

/*
 * Takes the next part up to `sep` off *rest; false when nothing is left. "a,,b" has three parts, ""
 * has one, STR_NONE none.
 */
bool str_next(struct str *rest, char sep, struct str *ret_part);

/* The whole of s as a decimal number; no sign for the unsigned one, no space; false on overflow. */
bool str_to_u64(struct str s, uint64_t *ret);
bool str_to_i64(struct str s, int64_t *ret);

char *str_dup(struct str s); /* with a NUL behind; the caller frees */

/* SipHash-1-3 under rand_hash_key(): a peer that chooses keys cannot choose where they go. */
uint64_t str_hash(struct str s);
uint64_t str_hash_keyed(struct str s, const uint64_t key[2]);

#endif
