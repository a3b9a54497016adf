/* SPDX-License-Identifier: Apache-2.0 */
/* docker/filters.c */
#include "unit/testing.h"

#include "docker/filters.h"

static void parse(const char *text, struct arena *arena, struct filters *f)
{
	assert_ok(filters_parse(str_from(text), arena, f));
}

static void test_forms(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{ "", "{}" },
		{ "{}", "{}" },
		{ "null", "{}" },
		{ " {\"label\":[\"a=b\",\"c\"]}", "{\"label\":{\"a=b\":true,\"c\":true}}" },
		{ "{\"label\":{\"a=b\":true,\"c\":true}}",
		  "{\"label\":{\"a=b\":true,\"c\":true}}" },
		{ "{\"label\":{\"a=b\":true,\"c\":false}}", "{\"label\":{\"a=b\":true}}" },
		{ "{\"a\":{},\"b\":{}}", "{\"a\":{},\"b\":{}}" },
		{ "{\"a\":null,\"b\":[\"c\"]}", "{\"a\":{},\"b\":{\"c\":true}}" },
		{ "{\"a\":[\"1\"],\"a\":[\"2\"]}", "{\"a\":{\"2\":true}}" },
		{ "{\"\\u0061\":[\"\\\"\"]}", "{\"a\":{\"\\\"\":true}}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct filters f;

		parse(cases[i].text, &arena, &f);
		assert_str(filters_format(&f, "none", &arena), cases[i].written);
	}
}

static void test_invalid(void **state)
{
	static const char *const cases[] = {
		"nonsense",
		"[]",
		"7",
		"\"a\"",
		"{\"a\":\"b\"}",
		"{\"a\":[1]}",
		"{\"a\":{\"b\":1}}",
		"{\"a\":[\"b\"],\"c\":{\"d\":true}}",
		"{\"a\":true}",
		"{",
		"{\"a\":[\"b\"]} x",
		"{\"a\":[null]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct filters f;

		assert_err(filters_parse(str_from(cases[i]), &arena, &f), ERR_INVALID,
			   "invalid filter");
	}
}

static void test_known(void **state)
{
	static const char *const known[] = { "name", "label", NULL };
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct filters f;

	(void)state;
	parse("{\"label\":[\"a\"],\"name\":[]}", &arena, &f);
	assert_ok(filters_check(&f, known));
	parse("{\"label\":[\"a\"],\"nam\":[\"x\"]}", &arena, &f);
	assert_err(filters_check(&f, known), ERR_INVALID, "Invalid filter 'nam'");
}

static void test_match(void **state)
{
	static const struct {
		const char *text, *subject;
		bool exact, prefix, regex;
	} cases[] = {
		{ "{}", "web", true, true, true },
		{ "{\"other\":[\"x\"]}", "web", true, true, true },
		{ "{\"name\":[]}", "web", true, true, true },
		{ "{\"name\":[\"web\"]}", "web", true, true, true },
		{ "{\"name\":[\"db\",\"web\"]}", "web", true, true, true },
		{ "{\"name\":[\"we\"]}", "web", false, true, true },
		{ "{\"name\":[\"eb\"]}", "web", false, false, true },
		{ "{\"name\":[\"^eb\"]}", "web", false, false, false },
		{ "{\"name\":[\"^w.b$\"]}", "web", false, false, true },
		{ "{\"name\":[\"db\"]}", "web", false, false, false },
		{ "{\"name\":[\"(\"]}", "web(", false, false, false }, /* no pattern: ignored */
		{ "{\"name\":[\"(\"]}", "(", true, true, true },
		{ "{\"name\":[\"\"]}", "web", false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str subject = str_from(cases[i].subject);
		struct filters f;

		parse(cases[i].text, &arena, &f);
		assert_int_equal(filters_match_exact(&f, "name", subject), cases[i].exact);
		assert_int_equal(filters_match_prefix(&f, "name", subject), cases[i].prefix);
		assert_int_equal(filters_match_regex(&f, "name", subject), cases[i].regex);
		assert_int_equal(filters_match_regex(&f, "name", subject), cases[i].regex);
		assert_ok(filters_check_patterns(&f));
	}
}

static void test_hostile_pattern(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	static char text[200];
	struct filters f;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	parse("{\"name\":[\"web\",\"(a+)+$\"]}", &arena, &f);
	assert_false(filters_match_regex(&f, "name", str_of(text, sizeof(text))));
	assert_err(filters_check_patterns(&f), ERR_INVALID,
		   "Invalid filter 'name=(a+)+$': the pattern takes too long to match");
}

/* Labels as "k=v;k=v", for the test. */
static bool get_label(const void *labels, struct str key, struct str *ret_value)
{
	struct str rest = *(const struct str *)labels, pair, k, v;

	while (str_next(&rest, ';', &pair)) {
		str_cut(pair, '=', &k, &v);
		if (str_eq(k, key)) {
			*ret_value = v;
			return true;
		}
	}
	return false;
}

static void test_labels(void **state)
{
	static const struct {
		const char *text, *labels;
		bool match;
	} cases[] = {
		{ "{}", "", true },
		{ "{\"label\":[]}", "", true },
		{ "{\"label\":[\"a\"]}", "", false },
		{ "{\"label\":[\"a\"]}", "a=1", true },
		{ "{\"label\":[\"a=1\"]}", "a=1", true },
		{ "{\"label\":[\"a=2\"]}", "a=1", false },
		{ "{\"label\":[\"a=\"]}", "a=1", false },
		{ "{\"label\":[\"a=\"]}", "a=", true },
		{ "{\"label\":[\"a=1\",\"b\"]}", "a=1", false },
		{ "{\"label\":[\"a=1\",\"b\"]}", "a=1;b=", true },
		{ "{\"label\":[\"a=b=c\"]}", "a=b=c", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str labels = str_from(cases[i].labels);
		struct filters f;

		parse(cases[i].text, &arena, &f);
		assert_int_equal(filters_match_labels(&f, "label", get_label, &labels),
				 cases[i].match);
	}
}

static void test_get(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct filters f;

	(void)state;
	parse("{\"node\":[\"n1\"],\"name\":[\"web\"]}", &arena, &f);
	assert_int_equal(filters_get(&f, "node")->n, 1);
	assert_str(filters_get(&f, "node")->values[0], "n1");
	assert_null(filters_get(&f, "nodes"));
	assert_true(filters_have(&f, "node", STR("n1")));
	assert_false(filters_have(&f, "node", STR("n2")));
	assert_false(filters_have(&f, "other", STR("n1")));
	assert_str(filters_format(&f, "node", &arena), "{\"name\":{\"web\":true}}");
}

static void test_add(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{ "", "{\"name\":{\"w\":true}}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":{\"b\":true},\"name\":{\"w\":true}}" },
		{ "{\"name\":[]}", "{\"name\":{\"w\":true}}" },
		{ "{\"name\":[\"v\"],\"a\":[]}", "{\"name\":{\"v\":true,\"w\":true},\"a\":{}}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct filters f;

		parse(cases[i].text, &arena, &f);
		filters_add(&f, "name", STR("w"), &arena);
		assert_str(filters_format(&f, "none", &arena), cases[i].written);
		assert_true(filters_match_regex(&f, "name", STR("two")));
		assert_false(filters_match_regex(&f, "name", STR("x")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),  cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_known),  cmocka_unit_test(test_match),
		cmocka_unit_test(test_labels), cmocka_unit_test(test_hostile_pattern),
		cmocka_unit_test(test_get),    cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
