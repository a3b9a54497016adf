/* SPDX-License-Identifier: Apache-2.0 */
/* docker/pattern.c: what matches, and that a hostile pattern is cut off soon. */
#include "unit/testing.h"

#include "base/limits.h"
#include "docker/pattern.h"

static void test_find(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool found;
	} cases[] = {
		{ "web", "my-web-1", true },
		{ "^web", "my-web-1", false },
		{ "^/?web$", "/web", true },
		{ "web$", "web\n", false }, /* the very end, as in Go */
		{ "", "anything", true },
		{ "", "", true },
		{ "a.c", "a\nc", false },
		{ "(?i)WEB", "web", true },
		{ "[[:digit:]]+", "web-12", true },
		{ "^.$", "\xc3\xa4", true }, /* one character of two bytes */
		{ "b",
		  "\xff"
		  "b",
		  true }, /* not UTF-8 */
		{ "a|b|c", "xcx", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct pattern *p;

		assert_ok(pattern_new(str_from(cases[i].pattern), &arena, &p));
		assert_int_equal(pattern_find(p, str_from(cases[i].text)), cases[i].found);
		assert_false(pattern_exceeded(p));
	}
}

static void test_invalid(void **state)
{
	static const struct {
		const char *pattern, *why;
	} cases[] = {
		{ "(", "missing closing parenthesis at character 1" },
		{ "a[", "missing terminating ] for character class at character 2" },
		{ "*", "quantifier does not follow a repeatable item at character 0" },
		{ "\\C", "\\C is disabled" },
		{ "\xff", "UTF-8 error" },
		{ "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a)))))))))))))))"
		  ")))))))))))))))))))))))))))))))))))))))))))))))",
		  "too deeply nested" },
		{ "(((a{1000}){1000}){1000})", "too large" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct pattern *p;

		assert_err(pattern_new(str_from(cases[i].pattern), &arena, &p), ERR_INVALID,
			   cases[i].why);
	}
}

static void test_too_long(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	static char text[LIMIT_PATTERN + 1];
	struct pattern *p;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_ok(pattern_new(str_of(text, LIMIT_PATTERN), &arena, &p));
	assert_err(pattern_new(str_of(text, sizeof(text)), &arena, &p), ERR_INVALID,
		   "longer than 1024 bytes");
}

static void test_budget(void **state)
{
	static const char *const hostile[] = {
		"(a+)+$", "(a|aa)+$", "(a|a)*$", "(.*)*[xy]", "((a*)*)*[bc]", "^(([a-z])+.)+[A-Z]$",
	};
	static char text[201];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '!';
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct pattern *p;

		assert_ok(pattern_new(str_from(hostile[i]), &arena, &p));
		assert_false(pattern_find(p, str_of(text, sizeof(text))));
		assert_true(pattern_exceeded(p));
		/* From then on it answers no, without trying. */
		assert_false(pattern_find(p, STR("ab")));
		assert_true(arena.total < 4 * MIB);
	}
}

/* Names by the hundred thousand do not use up the budget of an ordinary pattern. */
static void test_budget_refills(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct pattern *p;
	size_t total, found = 0;

	(void)state;
	assert_ok(pattern_new(STR("^/?.*web.*-[0-9]+$"), &arena, &p));
	found += pattern_find(p, STR("/my-project-web-frontend-1"));
	total = arena.total;
	for (int i = 0; i < 20000; i++) {
		found += pattern_find(p, STR("/my-project-web-frontend-1"));
		found += pattern_find(p, STR("/my-project-database-of-things"));
	}
	assert_int_equal(found, 20001);
	assert_false(pattern_exceeded(p));
	assert_int_equal(arena.total, total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	       cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_too_long),       cmocka_unit_test(test_budget),
		cmocka_unit_test(test_budget_refills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
