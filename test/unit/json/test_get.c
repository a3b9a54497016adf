/* SPDX-License-Identifier: Apache-2.0 */
/* json/get.c, json/value.c, json/equal.c */
#include "unit/testing.h"

#include "base/attr.h"
#include "json/json.h"

static struct arena arena;

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static struct json parse(const char *text)
{
	struct json v = { NULL, 0 };

	assert_ok(json_parse(str_from(text), &arena, &v));
	return v;
}

static void finds_members(void **state)
{
	struct json v = parse("{\"Id\":\"x\",\"HostConfig\":{\"Memory\":7,\"Binds\":[1,{\"a\":2}]},"
			      "\"k\\u0065y\":1,\"Id\":\"y\",\"caf\xc3\xa9\":3,\"\\ud800\":4}");

	(void)state;
	assert_str(json_get_str(v, "Id"), "y"); /* the last */
	assert_int_equal(json_get_i64(v, "key", -1), 1);
	assert_int_equal(json_get_i64(v, "caf\xc3\xa9", -1), 3);
	assert_int_equal(json_get_i64(v, "\xef\xbf\xbd", -1), 4);
	assert_false(json_exists(json_get(v, "id")));
	assert_false(json_exists(json_get(v, "I")));
	assert_false(json_exists(json_get(v, "ke")));
	assert_false(json_exists(json_get(v, "keyy")));
	assert_false(json_exists(json_get(v, "Memory"))); /* deeper */
	assert_str(json_raw(json_path(v, "HostConfig.Memory")), "7");
	assert_str(json_raw(json_get(json_get(v, "HostConfig"), "Binds")), "[1,{\"a\":2}]");
	assert_false(json_exists(json_path(v, "HostConfig.Memory.x")));
	assert_false(json_exists(json_path(v, "Nothing.Memory")));
}

static void finds_fields_as_go_does(void **state)
{
	struct json v = parse("{\"hostconfig\":1,\"HOSTCONFIG\":2,\"Host\":3,\"label\\u0073\":4,"
			      "\"\\u212aey\":5,\"Label\xc5\xbf\":6,\"Stra\xc3\x9f"
			      "e\":7}");

	(void)state;
	assert_int_equal(json_get_i64(v, "HostConfig", -1), -1);
	assert_str(json_raw(json_field(v, "HostConfig")), "2");
	assert_str(json_raw(json_field(v, "HOST")), "3");
	assert_str(json_raw(json_field(v, "Key")), "5");
	assert_str(json_raw(json_field(v, "Labels")), "6");
	assert_false(json_exists(json_field(v, "Strasse")));
	assert_false(json_exists(json_field(v, "Label")));
}

static void answers_for_what_is_missing(void **state)
{
	struct json none = { NULL, 0 }, v;
	struct json_iter it = json_iter(none);
	struct json array = parse("[1]"), number = parse("5");
	double d = 1.5;
	int64_t n = 5;
	uint64_t u = 5;

	(void)state;
	assert_int_equal(json_type(none), JSON_MISSING);
	assert_false(json_exists(json_get(none, "a")));
	assert_false(json_exists(json_field(array, "a")));
	assert_false(json_exists(json_path(number, "a.b")));
	assert_false(json_exists(json_item(number, 0)));
	assert_false(json_exists(json_item(array, 1)));
	assert_false(json_exists(json_item(parse("{\"a\":1}"), 0)));
	assert_int_equal(json_count(none), 0);
	assert_int_equal(json_count(number), 0);
	assert_false(json_next(&it, NULL, &v));
	assert_str(json_str(none), "");
	assert_str(json_str(number), "");
	assert_null(json_raw(none).p);
	assert_false(json_to_i64(none, &n));
	assert_false(json_to_u64(array, &u));
	assert_false(json_to_double(parse("\"1\""), &d));
	assert_false(json_is_true(none));
	assert_false(json_get_bool(number, "a"));
	assert_int_equal(json_get_i64(none, "a", 9), 9);
	assert_false(json_str_eq(none, STR("")));
	assert_false(json_str_eq(number, STR("5")));
	assert_true(json_equal(none, none));
	assert_false(json_equal(none, number));
	assert_int_equal(n, 5);
}

static void walks_in_the_order_of_the_text(void **state)
{
	struct json v = parse("{\"b\":[1,[2,3],{}],\"a\\n\":null,\"b\":{\"x\":{}}}");
	static const char *const keys[] = { "b", "a\n", "b" };
	static const char *const raws[] = { "[1,[2,3],{}]", "null", "{\"x\":{}}" };
	struct json_iter it = json_iter(v);
	struct json value;
	struct str key;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_true(json_next(&it, &key, &value));
		assert_str(key, keys[i]);
		assert_str(json_raw(value), raws[i]);
	}
	assert_false(json_next(&it, &key, &value));
	assert_int_equal(json_count(v), 3);
	v = json_item(parse("[[1,2],[3,[4]],5]"), 1);
	assert_str(json_raw(v), "[3,[4]]");
	assert_str(json_raw(json_item(v, 1)), "[4]");
	assert_int_equal(json_count(v), 2);
}

static void borrows_strings_that_read_as_they_stand(void **state)
{
	const char *text = "[\"plain\",\"caf\xc3\xa9\",\"\\u0061\"]";
	struct json v = parse(text);
	const char *end = text + strlen(text);
	struct str s;

	(void)state;
	s = json_str(json_item(v, 0));
	assert_true(s.p > text && s.p < end);
	s = json_str(json_item(v, 1));
	assert_true(s.p > text && s.p < end);
	assert_str(s, "caf\xc3\xa9");
	s = json_str(json_item(v, 2));
	assert_false(s.p > text && s.p < end);
	assert_str(s, "a");
	assert_true(json_str_eq(json_item(v, 2), STR("a")));
	assert_true(json_str_eq(json_item(v, 1), STR("caf\xc3\xa9")));
	assert_false(json_str_eq(json_item(v, 2), STR("ab")));
	assert_false(json_str_eq(json_item(v, 0), STR("plai")));
}

static void reads_integers(void **state)
{
	static const struct {
		const char *text;
		bool is_i64;
		int64_t i64;
		bool is_u64;
		uint64_t u64;
	} cases[] = {
		{ "0", true, 0, true, 0 },
		{ "-0", true, 0, true, 0 },
		{ "0.0e99", true, 0, true, 0 },
		{ "0e-5", true, 0, true, 0 },
		{ "42", true, 42, true, 42 },
		{ "-42", true, -42, false, 0 },
		{ "100", true, 100, true, 100 },
		{ "1000000000000", true, 1000000000000, true, 1000000000000 },
		{ "1.0", true, 1, true, 1 },
		{ "1.50", false, 0, false, 0 },
		{ "1.5e1", true, 15, true, 15 },
		{ "1e3", true, 1000, true, 1000 },
		{ "1E+3", true, 1000, true, 1000 },
		{ "1200e-2", true, 12, true, 12 },
		{ "1e-1", false, 0, false, 0 },
		{ "0.001e3", true, 1, true, 1 },
		{ "1.000000000000000000000000000000", true, 1, true, 1 },
		{ "9223372036854775807", true, INT64_MAX, true, INT64_MAX },
		{ "9223372036854775808", false, 0, true, 9223372036854775808u },
		{ "-9223372036854775808", true, INT64_MIN, false, 0 },
		{ "-9223372036854775809", false, 0, false, 0 },
		{ "18446744073709551615", false, 0, true, UINT64_MAX },
		{ "18446744073709551616", false, 0, false, 0 },
		{ "18446744073709551620", false, 0, false, 0 },
		{ "1e19", false, 0, true, 10000000000000000000u },
		{ "1e20", false, 0, false, 0 },
		{ "1e99999999999999999999", false, 0, false, 0 },
		{ "1e-99999999999999999999", false, 0, false, 0 },
		{ "0e99999999999999999999", true, 0, true, 0 },
		{ "123456789012345678901234567890", false, 0, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json v = parse(cases[i].text);
		int64_t n = 0;
		uint64_t u = 0;

		if (json_to_i64(v, &n) != cases[i].is_i64 || n != cases[i].i64 ||
		    json_to_u64(v, &u) != cases[i].is_u64 || u != cases[i].u64)
			fail_msg("%s", cases[i].text);
	}
}

static void reads_doubles(void **state)
{
	double d = 0;

	(void)state;
	assert_true(json_to_double(parse("-12.5e1"), &d));
	assert_true(d == -125.0);
	assert_true(json_to_double(parse("0.1"), &d));
	assert_true(d == 0.1);
	assert_true(json_to_double(parse("1e-999"), &d));
	assert_true(d == 0.0);
	assert_false(json_to_double(parse("1e999"), &d));
	assert_true(json_is_true(parse("true")));
	assert_false(json_is_true(parse("\"true\"")));
	assert_true(json_get_bool(parse("{\"a\":true}"), "a"));
}

static void tells_whether_values_are_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "1", " 1 ", true },
		{ "1", "1.0", false },
		{ "\"a\"", "\"\\u0061\"", true },
		{ "[1,2]", "[1, 2]", true },
		{ "[1,2]", "[2,1]", false },
		{ "[1,2]", "[1,2,3]", false },
		{ "[1,2,3]", "[1,2]", false },
		{ "[]", "{}", false },
		{ "null", "false", false },
		{ "{\"a\":1,\"b\":{\"c\":[2]}}", "{ \"b\" : {\"c\":[ 2 ]}, \"\\u0061\" : 1 }",
		  true },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1}", false },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false },
		{ "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false },
		{ "{\"a\":1,\"a\":2}", "{\"a\":2}", true },
		{ "{\"a\":1,\"a\":2}", "{\"a\":1}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json a = parse(cases[i].a), b = parse(cases[i].b);

		if (json_equal(a, b) != cases[i].equal || json_equal(b, a) != cases[i].equal)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_members),
		cmocka_unit_test(finds_fields_as_go_does),
		cmocka_unit_test(answers_for_what_is_missing),
		cmocka_unit_test(walks_in_the_order_of_the_text),
		cmocka_unit_test(borrows_strings_that_read_as_they_stand),
		cmocka_unit_test(reads_integers),
		cmocka_unit_test(reads_doubles),
		cmocka_unit_test(tells_whether_values_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
