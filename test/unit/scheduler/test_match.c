/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler/match.c */
#include "unit/testing.h"

#include "base/attr.h"
#include "base/limits.h"
#include "scheduler/match.h"

static void test_values(void **state)
{
	static const struct {
		const char *value, *text;
		bool match;
	} cases[] = {
		{ "ssd", "ssd", true },
		{ "ssd", "ssd2", false },
		{ "ssd", "SSD", false },
		{ "a.c", "abc", false }, /* no regex without slashes */
		{ "*", "", true },
		{ "*", "anything", true },
		{ "s*", "ssd", true },
		{ "*d", "ssd", true },
		{ "*s*d*", "ssd", true },
		{ "s*x", "ssd", false },
		{ "a*b*c", "abbbc", true },
		{ "a*b*c", "acb", false },
		{ "*aab", "aaaaab", true },
		{ "**", "x", true },
		{ "a*", "b", false },
		{ "=b", "=b", true },
		{ "/", "/", true },
		{ "/ssd", "/ssd", true },
		{ "/s.d/", "ssd", true },
		{ "/s.d/", "an ssd here", true },
		{ "/^s.d$/", "ssd2", false },
		{ "//", "anything", true },
		{ "/a\\/b/", "a/b", true },
		{ "/(?i)SSD/", "ssd", true },
		{ "/a*/", "", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(match_fini) struct match m;

		assert_ok(match_init(&m, str_from(cases[i].value)));
		if (match_test(&m, str_from(cases[i].text)) != cases[i].match)
			fail_msg("%s with %s", cases[i].value, cases[i].text);
		assert_false(m.exceeded);
	}
}

static void test_alternatives(void **state)
{
	static const struct {
		const char *value, *text;
		bool match;
	} cases[] = {
		{ "a", "a", true },	 { "a|b|c", "b", true },    { "a|b|c", "c", true },
		{ "a|b|c", "d", false }, { "a|b|c", "a|b", false }, { "a|n*", "node-1", true },
		{ "a||b", "x", false },	 { "/a|n/", "node", true }, { "|", "x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(match_fini) struct match m;

		assert_ok(match_init(&m, str_from(cases[i].value)));
		if (match_test_any(&m, str_from(cases[i].text)) != cases[i].match)
			fail_msg("%s with %s", cases[i].value, cases[i].text);
	}
}

static void test_invalid(void **state)
{
	static char text[LIMIT_PATTERN + 2];
	struct match m;

	(void)state;
	assert_err(match_init(&m, STR("")), ERR_INVALID, "Value '' is invalid: it is empty");
	assert_err(match_init(&m, STR("/(/")), ERR_INVALID,
		   "Value '/(/' is invalid: missing closing parenthesis at character 1");
	memset(text, 'a', sizeof(text));
	assert_err(match_init(&m, str_of(text, sizeof(text))), ERR_INVALID,
		   "is invalid: it is longer than 1024 bytes");
	text[0] = '*';
	assert_err(match_init(&m, str_of(text, sizeof(text))), ERR_INVALID, "longer than 1024");
}

static void test_budget(void **state)
{
	_cleanup_(match_fini) struct match m;
	static char text[201];

	(void)state;
	memset(text, 'a', 200);
	assert_ok(match_init(&m, STR("/(a+)+$/")));
	assert_true(match_test(&m, str_of(text, 200)));
	assert_false(m.exceeded);
	text[200] = '!';
	assert_false(match_test(&m, str_of(text, 201)));
	assert_true(m.exceeded);
	assert_false(match_test(&m, STR("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
