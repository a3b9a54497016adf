/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges in an address: "10.0.[0:1].[10:20]:2375" stands for 22 of them. Whether what comes out is
 * an address is not decided here.
 */
#include <inttypes.h>

#include "base/limits.h"
#include "discovery/backend.h"

/* Long enough for any host name and its ranges; it bounds what an expansion can weigh. */
#define PATTERN_MAX 512
#define RANGES_MAX  16

/* Some literal text, then one number of [first, last]. */
struct piece {
	struct str before;
	uint64_t first, last, now;
	int width; /* with zeros in front up to this */
};

struct pattern {
	struct str text;
	struct piece pieces[RANGES_MAX];
	size_t n;
	struct str tail; /* behind the last range */
};

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

/* As a shell does it: one end with a leading zero pads all numbers to the longer of the two. */
static int padded_width(struct str first, struct str last)
{
	bool padded = (first.n > 1 && first.p[0] == '0') || (last.n > 1 && last.p[0] == '0');

	return padded ? (int)MAX(first.n, last.n) : 0;
}

/* What stands between `[` and the `]` that closes it, other brackets inside; false: none does. */
static bool bracketed(struct str from_bracket, struct str *ret_inside, size_t *ret_colons)
{
	size_t depth = 0, colons = 0;

	for (size_t i = 0; i < from_bracket.n; i++) {
		char c = from_bracket.p[i];

		depth += c == '[';
		colons += c == ':' && depth == 1;
		if (c == ']' && --depth == 0) {
			*ret_inside = str_of(from_bracket.p + 1, i - 1);
			*ret_colons = colons;
			return true;
		}
	}
	return false;
}

static struct error *add_range(struct pattern *p, struct str before, struct str first,
			       struct str last)
{
	struct piece *piece = &p->pieces[p->n];

	if (p->n == RANGES_MAX)
		return error_new(ERR_INVALID, "\"%.*s\" has more than %d ranges", STR_ARG(p->text),
				 RANGES_MAX);
	*piece = (struct piece){ .before = before, .width = padded_width(first, last) };
	if (!str_to_u64(first, &piece->first) || !str_to_u64(last, &piece->last) ||
	    piece->last - piece->first >= LIMIT_RANGE_HOSTS)
		return error_new(
			ERR_INVALID,
			"\"%.*s\": [%.*s:%.*s] is no range of at most %d numbers, lowest first",
			STR_ARG(p->text), STR_ARG(first), STR_ARG(last), LIMIT_RANGE_HOSTS);
	piece->now = piece->first;
	p->n++;
	return NULL;
}

/*
 * [1:9] is a range wherever it stands. Other brackets can only hold an IPv6 address, which stands
 * first, has two colons at least, and may have ranges inside: [fd00::[1:9]]:2375.
 */
static struct error *pattern_read(struct str text, struct pattern *ret)
{
	size_t done = 0; /* up to here, all is in pieces */
	struct str inside, first, last;
	size_t colons;

	*ret = (struct pattern){ .text = text };
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '[')
			continue;
		if (!bracketed(str_skip(text, i), &inside, &colons))
			return error_new(ERR_INVALID, "\"%.*s\" has a [ without its ]",
					 STR_ARG(text));
		if (str_cut(inside, ':', &first, &last) && all_digits(first) && all_digits(last)) {
			TRY(add_range(ret, str_of(text.p + done, i - done), first, last));
			i += inside.n + 1;
			done = i + 1;
		} else if (i > 0 || colons < 2) {
			return error_new(ERR_INVALID, "\"%.*s\": [%.*s] is no range such as [1:9]",
					 STR_ARG(text), STR_ARG(inside));
		}
	}
	ret->tail = str_skip(text, done);
	return NULL;
}

static struct error *pattern_count(const struct pattern *p, size_t *ret)
{
	size_t total = 1;

	for (size_t i = 0; i < p->n; i++) {
		total *= p->pieces[i].last - p->pieces[i].first + 1;
		if (total > LIMIT_RANGE_HOSTS)
			return error_new(ERR_INVALID, "\"%.*s\" stands for more than %d addresses",
					 STR_ARG(p->text), LIMIT_RANGE_HOSTS);
	}
	*ret = total;
	return NULL;
}

static void write_now(const struct pattern *p, struct strbuf *out)
{
	strbuf_reset(out);
	for (size_t i = 0; i < p->n; i++) {
		strbuf_add(out, p->pieces[i].before);
		strbuf_addf(out, "%0*" PRIu64, p->pieces[i].width, p->pieces[i].now);
	}
	strbuf_add(out, p->tail);
}

/* The last range counts fastest. */
static void step(struct pattern *p)
{
	for (size_t i = p->n; i-- > 0;) {
		if (p->pieces[i].now++ < p->pieces[i].last)
			return;
		p->pieces[i].now = p->pieces[i].first;
	}
}

struct error *discovery_expand(struct str pattern, struct arena *arena, struct vec *ret)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct pattern p;
	size_t n = 0;

	if (pattern.n > PATTERN_MAX)
		return error_new(ERR_INVALID, "an address of %zu bytes: \"%.*s...\"", pattern.n,
				 STR_ARG(str_first(pattern, 64)));
	TRY(pattern_read(pattern, &p));
	TRY(pattern_count(&p, &n));
	for (; n > 0; n--, step(&p)) {
		write_now(&p, &text);
		discovery_push(arena, ret, strbuf_str(&text));
	}
	return NULL;
}
