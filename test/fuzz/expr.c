/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions: the first line is one, the second a text that it is matched with. A negated one says
 * the opposite of its twin, and nothing takes long.
 */
#include <stdlib.h>

#include "scheduler/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct expr *e, struct str text)
{
	if (str_empty(e->key) || str_empty(e->text))
		abort();
	if (e->match.kind == MATCH_PLAIN && match_test(&e->match, text) &&
	    !str_eq(e->match.text, text))
		abort();
	if (e->match.kind != MATCH_REGEX && !str_has_char(e->match.text, '|') &&
	    match_test(&e->match, text) != match_test_any(&e->match, text))
		abort();
	for (int i = 0; i < 4; i++)
		(void)match_test(&e->match, text);
	if (e->match.exceeded && match_test(&e->match, text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str line, text;
	struct exprs exprs;
	struct error *err;

	str_cut(str_of((const char *)data, size), '\n', &line, &text);
	err = exprs_parse(&line, 1, &arena, &exprs);
	if (!err)
		check(&exprs.v[0], text);
	else if (!error_is(err, ERR_INVALID) || exprs.n)
		abort();
	error_free(err);
	exprs_fini(&exprs);
	return 0;
}
