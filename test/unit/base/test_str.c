/* SPDX-License-Identifier: Apache-2.0 */
/* base/str.c */
#include "unit/testing.h"

#include <stdlib.h>

#include "base/attr.h"

static void compares(void **state)
{
	(void)state;
	assert_true(str_eq(STR("ab"), STR("ab")));
	assert_false(str_eq(STR("ab"), STR("aB")));
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_true(str_eq(STR_NONE, STR("")));
	assert_true(str_eq_nocase(STR("Content-Type"), STR("cONTENT-tYPE")));
	assert_false(str_eq_nocase(STR("a["), STR("a{")));
	assert_false(str_eq_nocase(STR("@"), STR("`")));
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("ab"), STR("a")) > 0);
	assert_true(str_cmp(STR_NONE, STR("a")) < 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("a"), STR("a")), 0);
}

static void looks_for_parts(void **state)
{
	struct str s = STR("one.two.three");

	(void)state;
	assert_true(str_starts(s, STR("one")));
	assert_true(str_starts(s, STR("")));
	assert_false(str_starts(STR("on"), STR("one")));
	assert_true(str_ends(s, STR("three")));
	assert_false(str_ends(s, STR("two")));
	assert_false(str_ends(STR("e"), STR("three")));
	assert_int_equal(str_find_char(s, '.'), 3);
	assert_int_equal(str_rfind_char(s, '.'), 7);
	assert_int_equal(str_find_char(STR_NONE, '.'), -1);
	assert_int_equal(str_find(s, STR("two")), 4);
	assert_int_equal(str_find(s, STR("four")), -1);
	assert_int_equal(str_find(s, STR("")), 0);
	assert_int_equal(str_find(STR_NONE, STR("a")), -1);
	assert_true(str_contains(s, STR(".t")));
	assert_false(str_has_char(s, 'x'));
}

static void takes_parts(void **state)
{
	(void)state;
	assert_str(str_skip(STR("abc"), 1), "bc");
	assert_str(str_skip(STR("abc"), 9), "");
	assert_str(str_skip(STR_NONE, 1), "");
	assert_str(str_first(STR("abc"), 2), "ab");
	assert_str(str_first(STR("abc"), 9), "abc");
	assert_str(str_trim(STR(" \t\r\n a b \v\f")), "a b");
	assert_str(str_trim(STR("  ")), "");
	assert_str(str_strip_prefix(STR("/name"), STR("/")), "name");
	assert_str(str_strip_prefix(STR("name"), STR("/")), "name");
}

static void cuts(void **state)
{
	struct str before, after;

	(void)state;
	assert_true(str_cut(STR("a=b=c"), '=', &before, &after));
	assert_str(before, "a");
	assert_str(after, "b=c");
	assert_true(str_rcut(STR("a=b=c"), '=', &before, &after));
	assert_str(before, "a=b");
	assert_str(after, "c");
	assert_false(str_cut(STR("abc"), '=', &before, &after));
	assert_str(before, "abc");
	assert_str(after, "");
	assert_true(str_cut(STR("abc="), '=', &before, &after));
	assert_str(before, "abc");
	assert_str(after, "");
	assert_false(str_rcut(STR_NONE, '=', &before, &after));
}

static void splits(void **state)
{
	static const struct {
		struct str text;
		size_t n;
		const char *parts[4];
	} cases[] = {
		{ STR_INIT("a,,b"), 3, { "a", "", "b" } },
		{ STR_INIT("a,"), 2, { "a", "" } },
		{ STR_INIT(",a"), 2, { "", "a" } },
		{ STR_INIT("a"), 1, { "a" } },
		{ STR_INIT(""), 1, { "" } },
		{ { NULL, 0 }, 0, { NULL } },
	};
	struct str rest, part;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = 0;

		rest = cases[i].text;
		for (; str_next(&rest, ',', &part); n++) {
			assert_true(n < cases[i].n);
			assert_str(part, cases[i].parts[n]);
		}
		assert_int_equal(n, cases[i].n);
	}
}

static void reads_numbers(void **state)
{
	static const char *const no_u64[] = { "",
					      "-1",
					      "+1",
					      " 1",
					      "1 ",
					      "1x",
					      "x",
					      "18446744073709551616",
					      "99999999999999999999" };
	static const char *const no_i64[] = {
		"", "-", "+", "--1", "- 1", "9223372036854775808", "1.0", "-9223372036854775809"
	};
	uint64_t u = 7;
	int64_t n = 7;

	(void)state;
	assert_true(str_to_u64(STR("18446744073709551615"), &u));
	assert_int_equal(u, UINT64_MAX);
	assert_true(str_to_u64(STR("007"), &u));
	assert_int_equal(u, 7);
	for (size_t i = 0; i < ARRAY_LEN(no_u64); i++)
		assert_false(str_to_u64(str_from(no_u64[i]), &u));
	assert_int_equal(u, 7);

	assert_true(str_to_i64(STR("-9223372036854775808"), &n));
	assert_int_equal(n, INT64_MIN);
	assert_true(str_to_i64(STR("+9223372036854775807"), &n));
	assert_int_equal(n, INT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(no_i64); i++)
		assert_false(str_to_i64(str_from(no_i64[i]), &n));
	assert_int_equal(n, INT64_MAX);
}

static void copies(void **state)
{
	char *copy = str_dup(str_of("abcdef", 3));
	char *empty = str_dup(STR_NONE);

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(empty, "");
	free(copy);
	free(empty);
}

/* As CPython 3.11, which hashes with SipHash-1-3, has them under PYTHONHASHSEED=0. */
static void hashes_as_siphash_1_3(void **state)
{
	static const uint64_t zero_key[2] = { 0, 0 };
	static const struct {
		struct str text;
		uint64_t hash;
	} cases[] = {
		{ STR_INIT("a"), 0x407448d2b89b1813 },
		{ STR_INIT("abcdefg"), 0x6db12aae9070f506 },
		{ STR_INIT("abcdefgh"), 0x3f7b849c0b8e35ea },
		{ STR_INIT("abcdefghi"), 0xf89b34a3d11eb6e5 },
	};
	char bytes[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(str_hash_keyed(cases[i].text, zero_key) == cases[i].hash);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	assert_true(str_hash_keyed(str_of(bytes, 64), zero_key) == 0x75e05fd5bbc870c6);
	assert_true(str_hash(STR("a")) == str_hash(STR("a")));
	assert_true(str_hash(STR("a")) != str_hash_keyed(STR("a"), zero_key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),    cmocka_unit_test(looks_for_parts),
		cmocka_unit_test(takes_parts), cmocka_unit_test(cuts),
		cmocka_unit_test(splits),      cmocka_unit_test(reads_numbers),
		cmocka_unit_test(copies),      cmocka_unit_test(hashes_as_siphash_1_3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
