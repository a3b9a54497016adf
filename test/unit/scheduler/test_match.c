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

/* How many texts are tested until the time of a placement is spent. */
static int tests_in_time(const char *value, const char *text)
{
	int64_t left = LIMIT_PATTERN_TIME;
	struct match m;
	int n = 0;

	assert_ok(match_init(&m, str_from(value)));
	match_begin(&m, &left);
	for (; !m.exceeded && n < 10000000; n++)
		(void)match_test(&m, str_from(text));
	assert_true(left == 0 || n == 10000000);
	/* From then on the answer is no, at once, and it stays exceeded in the next placement. */
	if (m.exceeded)
		assert_false(match_test(&m, str_from(text)));
	left = LIMIT_PATTERN_TIME;
	match_begin(&m, &left);
	assert_int_equal(m.exceeded, n < 10000000);
	match_fini(&m);
	return n;
}

/* One placement's patterns have a fixed time, whatever the number of texts and their length. */
static void test_time(void **state)
{
	static char hostile[1001], text[40001];

	(void)state;
	assert_in_range(tests_in_time("/^web.$/", "p123-other-7"), 100000, 200001);
	assert_in_range(tests_in_time("/web/", "my-web"), 50000, 200000);
	assert_in_range(tests_in_time("web*", "p123-other-7"), 400000, 500001);
	assert_int_equal(tests_in_time("web", "web"), 10000000);
	memset(hostile, 'a', 1000);
	hostile[0] = '*';
	hostile[999] = 'b';
	memset(text, 'a', 40000);
	assert_in_range(tests_in_time(hostile, text), 1, 3);
}

/* The time is the placement's: what one pattern took another has no more. */
static void test_time_shared(void **state)
{
	int64_t left = LIMIT_PATTERN_TIME;
	struct match a, b;

	(void)state;
	assert_ok(match_init(&a, STR("a*")));
	assert_ok(match_init(&b, STR("/b/")));
	match_begin(&a, &left);
	match_begin(&b, &left);
	assert_true(match_test(&b, STR("b")));
	while (!a.exceeded)
		(void)match_test(&a, STR("b"));
	assert_false(match_test(&b, STR("b")));
	assert_true(b.exceeded);
	match_fini(&a);
	match_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_invalid), cmocka_unit_test(test_budget),
		cmocka_unit_test(test_time),	cmocka_unit_test(test_time_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
