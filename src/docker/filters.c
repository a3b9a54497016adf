/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `filters` parameter as Docker Engine reads and applies it (api/types/filters): a key without
 * values filters nothing, several values of a key are alternatives (for labels: all of them).
 */
#include "docker/filters.h"

#include "base/limits.h"
#include "base/strbuf.h"
#include "docker/pattern.h"
#include "json/build.h"
#include "json/json.h"

/* A value as a pattern, compiled when the first text is tested. */
struct filter_pattern {
	struct pattern *compiled; /* NULL: not yet, or not a pattern at all */
	bool tried;
};

/* Which of the two forms a text is in: an engine does not take both in one. */
enum form { FORM_ANY, FORM_MAP, FORM_LIST };

static must_check struct error *invalid_filter(void)
{
	return error_new(ERR_INVALID, "invalid filter");
}

static bool form_is(enum form *form, enum form this)
{
	if (*form == FORM_ANY)
		*form = this;
	return *form == this;
}

/* One value of a key: `{"running": true}` or `["running"]`. One that says false is not asked. */
static bool value_read(struct str key, struct json v, bool map, struct str *values, size_t *n)
{
	if (!map) {
		if (json_type(v) != JSON_STRING)
			return false;
		values[(*n)++] = json_str(v);
		return true;
	}
	if (json_type(v) != JSON_TRUE && json_type(v) != JSON_FALSE)
		return false;
	if (json_is_true(v))
		values[(*n)++] = key;
	return true;
}

static must_check struct error *filter_read(struct json v, enum form *form, struct arena *arena,
					    struct filter *ret)
{
	bool map = json_type(v) == JSON_OBJECT;
	struct str *values = arena_new_array(arena, struct str, json_count(v));
	struct json_iter it = json_iter(v);
	struct json item;
	struct str key = STR_NONE;

	if (json_type(v) == JSON_NULL)
		return NULL;
	if (!map && json_type(v) != JSON_ARRAY)
		return invalid_filter();
	if (!form_is(form, map ? FORM_MAP : FORM_LIST))
		return invalid_filter();

	while (json_next(&it, &key, &item))
		if (!value_read(key, item, map, values, &ret->n))
			return invalid_filter();
	ret->values = values;
	ret->patterns = arena_new_array(arena, struct filter_pattern, ret->n);
	ret->arena = arena;
	return NULL;
}

/* Where a key stands twice, the last counts. */
static struct filter *filter_slot(struct filter *v, size_t *n, struct str key)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(v[i].key, key))
			return &v[i];
	return &v[(*n)++];
}

struct error *filters_parse(struct str text, struct arena *arena, struct filters *ret)
{
	enum form form = FORM_ANY;
	struct json root, value;
	struct json_iter it;
	struct filter *v;
	struct str key;
	size_t n = 0;

	*ret = (struct filters){ NULL, 0 };
	if (str_empty(text))
		return NULL;

	_cleanup_(error_freep) struct error *err = json_parse(text, arena, &root);
	if (err)
		return invalid_filter();
	if (json_type(root) == JSON_NULL)
		return NULL;
	if (json_type(root) != JSON_OBJECT)
		return invalid_filter();
	if (json_count(root) > LIMIT_FILTERS)
		return error_over_limit(ERR_INVALID, "invalid filter: more than %d keys",
					LIMIT_FILTERS);

	v = arena_new_array(arena, struct filter, json_count(root));
	it = json_iter(root);
	while (json_next(&it, &key, &value)) {
		struct filter *f = filter_slot(v, &n, key);

		*f = (struct filter){ .key = key };
		TRY(filter_read(value, &form, arena, f));
	}
	*ret = (struct filters){ v, n };
	return NULL;
}

void filters_add(struct filters *f, const char *key, struct str value, struct arena *arena)
{
	struct filter *v = arena_new_array(arena, struct filter, f->n + 1), *one;
	size_t n = f->n;
	struct str *values;

	for (size_t i = 0; i < n; i++)
		v[i] = f->v[i];
	one = filter_slot(v, &n, str_from(key));
	values = arena_new_array(arena, struct str, one->n + 1);
	for (size_t i = 0; i < one->n; i++)
		values[i] = one->values[i];
	values[one->n] = value;
	*one = (struct filter){
		.key = str_from(key),
		.values = values,
		.n = one->n + 1,
		.patterns = arena_new_array(arena, struct filter_pattern, one->n + 1),
		.arena = arena,
	};
	*f = (struct filters){ v, n };
}

struct error *filters_check(const struct filters *f, const char *const *known)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *const *k = known;

		while (*k && !str_eq(f->v[i].key, str_from(*k)))
			k++;
		if (!*k)
			return error_new(ERR_INVALID, "Invalid filter '%.*s'",
					 STR_ARG(f->v[i].key));
	}
	return NULL;
}

struct error *filters_check_patterns(const struct filters *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct filter *one = &f->v[i];

		for (size_t j = 0; one->patterns && j < one->n; j++)
			if (one->patterns[j].compiled &&
			    pattern_exceeded(one->patterns[j].compiled))
				return error_new(ERR_INVALID,
						 "Invalid filter '%.*s=%.*s': the pattern takes "
						 "too long to match",
						 STR_ARG(one->key), STR_ARG(one->values[j]));
	}
	return NULL;
}

const struct filter *filters_get(const struct filters *f, const char *key)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->v[i].key, str_from(key)))
			return &f->v[i];
	return NULL;
}

static bool filter_has(const struct filter *f, struct str value)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->values[i], value))
			return true;
	return false;
}

bool filters_have(const struct filters *f, const char *key, struct str value)
{
	const struct filter *one = filters_get(f, key);

	return one && filter_has(one, value);
}

bool filters_have_qualified(const struct filters *f, const char *key, struct str node,
			    struct str name)
{
	const struct filter *one = filters_get(f, key);
	struct str value_node, rest;

	for (size_t i = 0; one && i < one->n; i++)
		if (str_cut(one->values[i], '/', &value_node, &rest) && str_eq(value_node, node) &&
		    str_eq(rest, name))
			return true;
	return false;
}

bool filters_match_exact(const struct filters *f, const char *key, struct str text)
{
	const struct filter *one = filters_get(f, key);

	return !one || one->n == 0 || filter_has(one, text);
}

bool filters_match_prefix(const struct filters *f, const char *key, struct str text)
{
	const struct filter *one = filters_get(f, key);

	if (!one || one->n == 0)
		return true;
	for (size_t i = 0; i < one->n; i++)
		if (str_starts(text, one->values[i]))
			return true;
	return false;
}

/* A value that is no valid pattern matches only what is equal to it, and that was tried before. */
static bool value_finds(const struct filter *f, size_t i, struct str text)
{
	struct filter_pattern *p = &f->patterns[i];

	if (!p->tried) {
		p->tried = true;
		error_free(pattern_new(f->values[i], f->arena, &p->compiled));
	}
	return p->compiled && pattern_find(p->compiled, text);
}

bool filter_finds(const struct filter *f, size_t i, struct str text)
{
	return str_eq(f->values[i], text) || value_finds(f, i, text);
}

bool filters_match_regex(const struct filters *f, const char *key, struct str text)
{
	const struct filter *one = filters_get(f, key);

	if (!one || one->n == 0 || filter_has(one, text))
		return true;
	for (size_t i = 0; one->patterns && i < one->n; i++)
		if (value_finds(one, i, text))
			return true;
	return false;
}

bool filters_match_labels(const struct filters *f, const char *key,
			  bool (*get)(const void *labels, struct str key, struct str *ret_value),
			  const void *labels)
{
	const struct filter *one = filters_get(f, key);

	for (size_t i = 0; one && i < one->n; i++) {
		struct str name, wanted, value;
		bool has_value = str_cut(one->values[i], '=', &name, &wanted);

		if (!get(labels, name, &value))
			return false;
		if (has_value && !str_eq(value, wanted))
			return false;
	}
	return true;
}

struct str filters_format(const struct filters *f, const char *without_key, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json_out o = json_out(&b);

	json_begin_object(&o);
	for (size_t i = 0; i < f->n; i++) {
		if (str_eq(f->v[i].key, str_from(without_key)))
			continue;
		json_key_str(&o, f->v[i].key);
		json_begin_object(&o);
		for (size_t j = 0; j < f->v[i].n; j++) {
			json_key_str(&o, f->v[i].values[j]);
			json_bool_value(&o, true);
		}
		json_end_object(&o);
	}
	json_end_object(&o);
	return arena_dup(arena, strbuf_str(&b));
}
