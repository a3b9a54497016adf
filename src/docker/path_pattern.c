/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern is read in chunks: some stars, then all up to the next star. What the stars of a chunk
 * stand for is tried from the shortest on, and never changed by a later chunk, so it is quick.
 */
#include "docker/path_pattern.h"

struct chunk {
	bool star;	 /* it may begin anywhere before the next slash */
	struct str text; /* no star but escaped, or in brackets */
};

/* Where the first star is that is neither escaped nor in brackets. */
static size_t find_star(struct str p)
{
	bool in_brackets = false;
	size_t i;

	for (i = 0; i < p.n && (p.p[i] != '*' || in_brackets); i++) {
		if (p.p[i] == '\\' && i + 1 < p.n)
			i++;
		else if (p.p[i] == '[')
			in_brackets = true;
		else if (p.p[i] == ']')
			in_brackets = false;
	}
	return i;
}

static struct chunk next_chunk(struct str *pattern)
{
	struct chunk c = { 0 };

	while (str_starts(*pattern, STR("*"))) {
		c.star = true;
		*pattern = str_skip(*pattern, 1);
	}
	c.text = str_first(*pattern, find_star(*pattern));
	*pattern = str_skip(*pattern, c.text.n);
	return c;
}

/* A character in brackets, which does not end the pattern. */
static bool next_in_brackets(struct str *p, unsigned char *ret)
{
	if (str_empty(*p) || p->p[0] == '-' || p->p[0] == ']')
		return false;
	if (p->p[0] == '\\')
		*p = str_skip(*p, 1);
	if (p->n < 2)
		return false;
	*ret = (unsigned char)p->p[0];
	*p = str_skip(*p, 1);
	return true;
}

/* What follows the "[", up to and with the "]"; false where there is none. */
static bool read_brackets(struct str *p, unsigned char c, bool *ret_fits)
{
	bool negated = str_starts(*p, STR("^")), found = false;
	unsigned char low, high;

	*p = str_skip(*p, negated);
	for (size_t n = 0; n == 0 || !str_starts(*p, STR("]")); n++) {
		if (!next_in_brackets(p, &low))
			return false;
		high = low;
		if (str_starts(*p, STR("-"))) {
			*p = str_skip(*p, 1);
			if (!next_in_brackets(p, &high))
				return false;
		}
		found = found || (low <= c && c <= high);
	}
	*p = str_skip(*p, 1);
	*ret_fits = found != negated;
	return true;
}

/* One character's part of the chunk, and whether c is such a one; false: it is no pattern. */
static bool read_one(struct str *p, unsigned char c, bool *ret_fits)
{
	char first = p->p[0];

	*p = str_skip(*p, 1);
	if (first == '[')
		return read_brackets(p, c, ret_fits);
	if (first == '?') {
		*ret_fits = c != '/';
		return true;
	}
	if (first == '\\') {
		if (str_empty(*p))
			return false;
		first = p->p[0];
		*p = str_skip(*p, 1);
	}
	*ret_fits = c == (unsigned char)first;
	return true;
}

/* The text begins with it; *text is then what is behind. */
static bool chunk_fits(struct str chunk, struct str *text)
{
	struct str rest = *text;

	while (!str_empty(chunk)) {
		bool fits;

		if (str_empty(rest) || !read_one(&chunk, (unsigned char)rest.p[0], &fits) || !fits)
			return false;
		rest = str_skip(rest, 1);
	}
	*text = rest;
	return true;
}

/* Where the chunk is the last, it has to reach the end. */
static bool take_chunk(const struct chunk *c, bool last, struct str *text)
{
	for (struct str rest = *text;; rest = str_skip(rest, 1)) {
		struct str behind = rest;

		if (chunk_fits(c->text, &behind) && (!last || str_empty(behind))) {
			*text = behind;
			return true;
		}
		if (!c->star || str_empty(rest) || rest.p[0] == '/')
			return false;
	}
}

bool path_pattern_match(struct str pattern, struct str text)
{
	while (!str_empty(pattern)) {
		struct chunk c = next_chunk(&pattern);

		if (!take_chunk(&c, str_empty(pattern), &text))
			return false;
	}
	return str_empty(text);
}

struct error *path_pattern_check(struct str pattern)
{
	while (!str_empty(pattern)) {
		struct chunk c = next_chunk(&pattern);
		bool fits;

		while (!str_empty(c.text))
			if (!read_one(&c.text, 'a', &fits))
				return error_from_status(500, STR("syntax error in pattern"));
	}
	return NULL;
}
