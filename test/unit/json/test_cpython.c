/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our reader against CPython's json module, on texts made at random, half of them spoiled. What we
 * made of each goes to cpython.py, which reads the text too and ends with 1 where it disagrees.
 */
#include "unit/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "json/json.h"
#include "sample.h"

static void tell(FILE *judge, struct str text, int *taken)
{
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	struct error *err;
	struct json v;

	base64_encode(text, &line);
	strbuf_addc(&line, ' ');
	err = json_parse(text, &a, &v);
	if (err)
		strbuf_addc(&line, '-');
	else
		dump_value(&line, v);
	*taken += !err;
	error_free(err);
	fprintf(judge, "%s\n", line.p);
}

static void tell_deep(FILE *judge, int depth, int *taken)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	for (int i = 0; i < depth; i++)
		strbuf_add(&text, i % 2 ? STR("[") : STR("{\"a\":"));
	strbuf_addc(&text, '1');
	for (int i = depth; i-- > 0;)
		strbuf_addc(&text, i % 2 ? ']' : '}');
	tell(judge, strbuf_str(&text), taken);
}

static void agrees_with_cpython(void **state)
{
	enum { N = 20000 };
	FILE *judge = popen("/usr/bin/python3 test/unit/json/cpython.py", "w");
	int taken = 0;

	(void)state;
	assert_non_null(judge);
	rand_seed(20261122);
	for (int depth = 126; depth < 131; depth++)
		tell_deep(judge, depth, &taken);
	for (int i = 0; i < N; i++) {
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

		sample_value(&text, (int)rand_below(4));
		for (uint64_t spoils = rand_below(2) * rand_between(1, 3); spoils; spoils--)
			sample_spoil(&text);
		tell(judge, strbuf_str(&text), &taken);
	}
	fprintf(judge, "end %d\n", N + 5);
	assert_int_equal(pclose(judge), 0);
	assert_in_range(taken, N / 4, N - N / 4); /* it was about both */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_cpython),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
