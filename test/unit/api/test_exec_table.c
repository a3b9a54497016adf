/* SPDX-License-Identifier: Apache-2.0 */
/* api/exec_table.c: which engine has an exec, for the most recent ones. */
#include "unit/testing.h"

#include <stdio.h>

#include "api/exec_table.h"
#include "base/limits.h"
#include "base/duration.h"

static const struct engine_observer nobody;

static struct engine *engine_at(const char *addr)
{
	const struct engine_config config = { .refresh_min = MINUTE,
					      .refresh_max = MINUTE,
					      .failure_retry = 3,
					      .observer = &nobody };
	struct addr a;

	assert_ok(addr_parse_host_port(str_from(addr), &a));
	return engine_new(&a, &config);
}

static bool is_at(struct exec_table *t, const char *id, const struct engine *e)
{
	_cleanup_(engine_unrefp) struct engine *found = exec_table_get(t, str_from(id));

	return found == e;
}

static void test_the_last_word_counts(void **state)
{
	_cleanup_(engine_unrefp) struct engine *a = engine_at("a:2375"), *b = engine_at("b:2375");
	_cleanup_(exec_table_fini) struct exec_table t;

	(void)state;
	exec_table_init(&t);
	assert_true(is_at(&t, "x", NULL));
	exec_table_put(&t, STR("x"), a);
	exec_table_put(&t, STR("y"), b);
	assert_true(is_at(&t, "x", a));
	assert_true(is_at(&t, "y", b));
	exec_table_put(&t, STR("x"), b);
	assert_true(is_at(&t, "x", b));
	exec_table_forget(&t, STR("x"));
	exec_table_forget(&t, STR("x"));
	assert_true(is_at(&t, "x", NULL));
}

static void test_the_longest_unused_goes(void **state)
{
	_cleanup_(engine_unrefp) struct engine *a = engine_at("a:2375");
	_cleanup_(exec_table_fini) struct exec_table t;

	(void)state;
	exec_table_init(&t);
	exec_table_put(&t, STR("first"), a);
	exec_table_put(&t, STR("second"), a);
	for (int i = 2; i < LIMIT_EXECS; i++) {
		char id[16];
		int n = snprintf(id, sizeof(id), "%d", i);

		exec_table_put(&t, str_of(id, (size_t)n), a);
	}
	assert_true(is_at(&t, "first", a));
	exec_table_put(&t, STR("one more"), a);
	assert_true(is_at(&t, "second", NULL));
	assert_true(is_at(&t, "first", a));
	assert_int_equal(t.by_id.n, LIMIT_EXECS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_word_counts),
		cmocka_unit_test(test_the_longest_unused_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
