/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions that come with a build: `--build-arg constraint:storage==ssd`, which a client sends
 * as {"constraint:storage":"=ssd"}, and the header of a client that has no build args to send.
 */
#include "base/limits.h"
#include "docker/build.h"
#include "docker/config_internal.h"
#include "json/build.h"

/* The key was cut at the first "=", as of an environment. */
static struct str whole_expression(struct str key, struct json value, struct arena *arena)
{
	if (json_type(value) != JSON_STRING)
		return key;
	return arena_printf(arena, "%.*s=%.*s", STR_ARG(key), STR_ARG(json_str(value)));
}

/* Beyond the limit they are only counted. */
static void add(struct str_array *to, struct str text, struct arena *arena)
{
	struct str *v = (struct str *)to->v;

	if (!v)
		to->v = v = arena_new_array(arena, struct str, LIMIT_LABEL_EXPRS);
	if (to->n < LIMIT_LABEL_EXPRS)
		v[to->n] = text;
	to->n++;
}

/* One build arg: an expression goes to its kind, all else to `rest`. */
static void read_arg(struct str_array *const *slots, struct str key, struct json value,
		     struct arena *arena, struct json_out *rest)
{
	const struct config_expr_kind *kind = config_expr_kind(key);

	if (!kind) {
		json_key_str(rest, key);
		json_raw_value(rest, json_raw(value));
		return;
	}
	key = str_skip(key, kind->env_prefix.n);
	add(slots[kind - config_expr_kinds], whole_expression(key, value, arena), arena);
}

static bool has_too_many(const struct build_args *args)
{
	return args->constraints.n > LIMIT_LABEL_EXPRS || args->affinities.n > LIMIT_LABEL_EXPRS ||
	       args->whitelists.n > LIMIT_LABEL_EXPRS;
}

struct error *build_args_read(struct str text, struct arena *arena, struct build_args *ret)
{
	_cleanup_(strbuf_fini) struct strbuf rest = STRBUF_INIT;
	struct str_array reschedule = { 0 };
	struct str_array *const slots[EXPR_KINDS] = { &ret->constraints, &ret->affinities,
						      &ret->whitelists, &reschedule };
	struct json_out o = json_out(&rest);
	struct json root, value;
	struct error *no_json = json_parse(text, arena, &root);
	struct json_iter it;
	struct str key;

	*ret = (struct build_args){ .rest = text };
	error_free(no_json);
	if (no_json || json_type(root) != JSON_OBJECT)
		return NULL;
	json_begin_object(&o);
	it = json_iter(root);
	while (json_next(&it, &key, &value))
		read_arg(slots, key, value, arena, &o);
	json_end_object(&o);
	if (has_too_many(ret))
		return error_over_limit(ERR_INVALID,
					"more than %d expressions of a kind among the build "
					"args",
					LIMIT_LABEL_EXPRS);
	if (ret->constraints.n + ret->affinities.n + ret->whitelists.n + reschedule.n)
		ret->rest = arena_dup(arena, strbuf_str(&rest));
	return NULL;
}

static struct error *header_error(struct str header)
{
	return error_new(ERR_INVALID,
			 "header X-Swarm-Constraints takes a JSON array of strings, as in "
			 "[\"storage==ssd\"]: %.*s",
			 STR_ARG(str_first(header, 200)));
}

struct error *build_constraints_read(struct str header, struct arena *arena, struct str_array *ret)
{
	struct json array, item;
	struct json_iter it;
	struct error *err;

	*ret = (struct str_array){ 0 };
	if (str_empty(header))
		return NULL;
	err = json_parse(header, arena, &array);
	error_free(err);
	if (err || json_type(array) != JSON_ARRAY || json_count(array) > LIMIT_LABEL_EXPRS)
		return header_error(header);
	it = json_iter(array);
	while (json_next(&it, NULL, &item)) {
		if (json_type(item) != JSON_STRING)
			return header_error(header);
		add(ret, json_str(item), arena);
	}
	return NULL;
}
