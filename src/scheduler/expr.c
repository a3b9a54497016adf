/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads expressions. The words of the refusals are the original Swarm's, with the expression
 * quoted before them.
 */
#include "scheduler/expr.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_key_char(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* At least two characters, as in the original. */
static bool key_valid(struct str key)
{
	if (key.n < 2 || !is_letter(key.p[0]))
		return false;
	for (size_t i = 1; i < key.n; i++)
		if (!is_key_char(key.p[i]))
			return false;
	return true;
}

/* Where the first operator stands: a later one is part of the value. */
static bool operator_find(struct str text, size_t *ret_at)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		if ((text.p[i] == '=' || text.p[i] == '!') && text.p[i + 1] == '=') {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

static must_check struct error *expr_parse(struct str text, struct expr *ret)
{
	struct str value;
	size_t at;

	*ret = (struct expr){ .text = text };
	if (!operator_find(text, &at))
		return error_new(ERR_INVALID, "One of operator ==, != is expected");

	ret->key = str_first(text, at);
	ret->negated = text.p[at] == '!';
	if (!key_valid(ret->key))
		return error_new(ERR_INVALID,
				 "Key '%.*s' is invalid: it takes two or more of letters, digits, "
				 "'_', '.' and '-', the first a letter or '_'",
				 STR_ARG(str_first(ret->key, 256)));

	value = str_skip(text, at + 2);
	while (str_starts(value, STR("~"))) {
		ret->soft = true;
		value = str_skip(value, 1);
	}
	return match_init(&ret->match, value);
}

struct error *exprs_parse(const struct str *texts, size_t n, struct arena *arena, struct exprs *ret)
{
	*ret = (struct exprs){ arena_new_array(arena, struct expr, n), 0 };
	for (size_t i = 0; i < n; i++) {
		struct error *err = expr_parse(texts[i], &ret->v[i]);

		if (err) {
			exprs_fini(ret);
			return error_wrap(err, "invalid expression '%.*s'",
					  STR_ARG(str_first(texts[i], 256)));
		}
		ret->n++;
	}
	return NULL;
}

void exprs_fini(struct exprs *e)
{
	for (size_t i = 0; i < e->n; i++)
		match_fini(&e->v[i].match);
	e->n = 0;
}
