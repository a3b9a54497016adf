/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `filters` query parameter: {"label":["a=b"]} or the older {"label":{"a=b":true}}.
 */
#ifndef DOCKER_FILTERS_H
#define DOCKER_FILTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct filter_pattern;

struct filter {
	struct str key;
	const struct str *values;
	size_t n;
	struct filter_pattern *patterns; /* of filters.c: the values compiled; NULL: none are */
	struct arena *arena;
};

struct filters {
	const struct filter *v;
	size_t n;
};

/* Empty text: no filters. ERR_INVALID in the engine's words where it is no JSON of that shape. */
must_check struct error *filters_parse(struct str text, struct arena *arena, struct filters *ret);

/* One value more for the key, in the arena; key and value are borrowed. */
void filters_add(struct filters *f, const char *key, struct str value, struct arena *arena);

/* ERR_INVALID "Invalid filter 'x'" for a key that is not among `known` (NULL-terminated). */
must_check struct error *filters_check(const struct filters *f, const char *const *known);

const struct filter *filters_get(const struct filters *f, const char *key);    /* NULL: not asked */
bool filters_have(const struct filters *f, const char *key, struct str value); /* exactly this */

/*
 * No such key asked, or some value fits the text, as an engine's ExactMatch, FuzzyMatch and Match
 * have it: equal to it; the beginning of it; equal, or a regular expression found anywhere in it.
 */
bool filters_match_exact(const struct filters *f, const char *key, struct str text);
bool filters_match_prefix(const struct filters *f, const char *key, struct str text);
bool filters_match_regex(const struct filters *f, const char *key, struct str text);

/* Its value `i` alone fits the text, as in filters_match_regex. */
bool filter_finds(const struct filter *f, size_t i, struct str text);

/* Some value of the key is "node/name", as the pool calls what several nodes have. */
bool filters_have_qualified(const struct filters *f, const char *key, struct str node,
			    struct str name);

/*
 * ERR_INVALID, by name, where a pattern took too long in filters_match_regex or filter_finds (which
 * then answered no): to be asked after the last match, before the answer is used.
 */
must_check struct error *filters_check_patterns(const struct filters *f);

/*
 * Every value "k" or "k=v" of the key is among the labels (get answers a label's value, false:
 * none).
 */
bool filters_match_labels(const struct filters *f, const char *key,
			  bool (*get)(const void *labels, struct str key, struct str *ret_value),
			  const void *labels);

/* As `filters` text again, without `key`: what is passed on when one was for us. */
struct str filters_format(const struct filters *f, const char *without_key, struct arena *arena);

#endif
