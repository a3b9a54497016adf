/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler/reason.c */
#include "unit/testing.h"

#include "scheduler/reason.h"

static void add(struct reasons *r, const void *about, const char *text, const char *node,
		struct str detail)
{
	struct reason *reason = reasons_get(r, about);

	if (str_empty(reason->text))
		reason->text = str_from(text);
	reason_add(reason, str_from(node), detail);
}

static void test_order(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct reasons r = { .arena = &arena };
	const int a = 1, b = 2, c = 3;

	(void)state;
	add(&r, &a, "the longest of them:", "n1", STR("because"));
	add(&r, &b, "short:", "n2", STR_NONE);
	add(&r, &a, "not used", "n3", STR("because"));
	add(&r, &c, "shor:", "n4", STR("x"));
	reasons_write(&r, &out);
	assert_buf(out, "short: n2; shor: n4 (x); the longest of them: n1, n3 (because)");
}

static void test_names(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct reasons r = { .arena = &arena };
	const int a = 1;

	(void)state;
	for (int i = 0; i < 5; i++)
		add(&r, &a, "on", "n", STR_NONE);
	reasons_write(&r, &out);
	assert_buf(out, "on n, n, n, n, n");

	/* Details are those of the nodes named. */
	strbuf_reset(&out);
	add(&r, &a, "on", "n", STR("unseen"));
	reasons_write(&r, &out);
	assert_buf(out, "on n, n, n, n, n and 1 more");
}

static void test_many(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct reasons r = { .arena = &arena };
	static char abouts[100];

	(void)state;
	for (size_t i = 0; i < sizeof(abouts); i++)
		add(&r, &abouts[i], "a reason of its own on", "n", STR_NONE);
	reasons_write(&r, &out);
	assert_int_equal(r.n, REASONS_MAX);
	assert_true(str_starts(strbuf_str(&out), STR("a reason of its own on n; ")));
	assert_true(
		str_ends(strbuf_str(&out), STR("; other reasons on n, n, n, n, n and 64 more")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
