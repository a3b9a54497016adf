/* SPDX-License-Identifier: Apache-2.0 */
/* json/parse.c: what is taken, what is refused and in which words. */
#include "unit/testing.h"

#include "base/attr.h"
#include "base/limits.h"
#include "json/json.h"
#include "sample.h"

static void takes(struct str text, const char *dumped)
{
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	/* A copy without a byte behind it, so that a step over the end is seen. */
	char *copy = text.n ? memcpy(arena_alloc(&a, text.n), text.p, text.n) : NULL;
	struct json v;

	assert_ok(json_parse(str_of(copy, text.n), &a, &v));
	dump_value(&out, v);
	assert_buf(out, dumped);
}

static void refuses(struct str text, const char *part)
{
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	char *copy = text.n ? memcpy(arena_alloc(&a, text.n), text.p, text.n) : NULL;
	struct json v = { NULL, 7 };

	assert_err(json_parse(str_of(copy, text.n), &a, &v), ERR_INVALID, part);
	assert_false(json_exists(v));
	assert_int_equal(v.at, 7);
}

static void takes_what_the_rfc_allows(void **state)
{
	static const struct {
		struct str text;
		const char *dumped;
	} cases[] = {
		{ STR_INIT("null"), "n" },
		{ STR_INIT(" \t\r\n true \n"), "t" },
		{ STR_INIT("false"), "f" },
		{ STR_INIT("0"), "#0;" },
		{ STR_INIT("-0"), "#-0;" },
		{ STR_INIT("-1.50E+07"), "#-1.50E+07;" },
		{ STR_INIT("123456789012345678901234567890"), "#123456789012345678901234567890;" },
		{ STR_INIT("\"\""), "\";" },
		{ STR_INIT("\"abcdefg\""), "\"61626364656667;" },
		{ STR_INIT("\"abcdefgh\""), "\"6162636465666768;" },
		{ STR_INIT("[]"), "[]" },
		{ STR_INIT("{ }"), "{}" },
		{ STR_INIT("[1,[],{},[2]]"), "[#1;[]{}[#2;]]" },
		{ STR_INIT("{\"a\":{\"b\":[null]},\"c\":1}"), "{\"61;{\"62;[n]}\"63;#1;}" },
		{ STR_INIT("{\"a\":1,\"a\":2}"), "{\"61;#1;\"61;#2;}" },
		{ STR_INIT("{\"\":0}"), "{\";#0;}" },
		{ STR_INIT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), "[\"225c2f080c0a0d09;]" },
		{ STR_INIT("\"\\u0000\\u00E9\\u20ac\""), "\"00c3a9e282ac;" },
		{ STR_INIT("\"\x7f\""), "\"7f;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		takes(cases[i].text, cases[i].dumped);
}

/* As Go reads them, since the engine behind us would. */
static void reads_odd_characters_as_go_does(void **state)
{
	static const struct {
		struct str text;
		const char *dumped;
	} cases[] = {
		{ STR_INIT("\"\\ud83d\\ude00\""), "\"f09f9880;" },
		{ STR_INIT("\"\\ud83d\""), "\"efbfbd;" },
		{ STR_INIT("\"\\ude00\\ud83d\""), "\"efbfbdefbfbd;" },
		{ STR_INIT("\"\\ud83d\\ud83d\\ude00\""), "\"efbfbdf09f9880;" },
		{ STR_INIT("\"\\ud83d\\u0041\""), "\"efbfbd41;" },
		{ STR_INIT("\"\\ud83d\\n\""), "\"efbfbd0a;" },
		{ STR_INIT("\"a\xff"
			   "b\""),
		  "\"61efbfbd62;" },
		{ STR_INIT("\"\xe2\x82\""), "\"efbfbdefbfbd;" },
		{ STR_INIT("\"\xed\xa0\x80\""), "\"efbfbdefbfbdefbfbd;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		takes(cases[i].text, cases[i].dumped);
}

static void says_what_is_wrong_and_where(void **state)
{
	static const struct {
		struct str text;
		const char *part;
	} cases[] = {
		{ { NULL, 0 }, "it is empty" },
		{ STR_INIT(""), "it is empty" },
		{ STR_INIT("  "), "it ends at byte 2, where a value must follow" },
		{ STR_INIT("nul"), "at byte 0 stands \"nul\": a value" },
		{ STR_INIT("nullx"), "at byte 4 stands \"x\": nothing may follow" },
		{ STR_INIT("NaN"), "at byte 0" },
		{ STR_INIT("-Infinity"), "at byte 1" },
		{ STR_INIT("'a'"), "at byte 0" },
		{ STR_INIT("01"), "at byte 1 stands \"1\": nothing may follow" },
		{ STR_INIT("+1"), "at byte 0" },
		{ STR_INIT("-"), "it ends at byte 1, where a digit" },
		{ STR_INIT("1."), "it ends at byte 2, where a digit" },
		{ STR_INIT(".5"), "at byte 0" },
		{ STR_INIT("1e"), "it ends at byte 2, where a digit" },
		{ STR_INIT("1e+]"), "at byte 3" },
		{ STR_INIT("0x10"), "at byte 1" },
		{ STR_INIT("\"abc"), "it ends at byte 4, where a string must end" },
		{ STR_INIT("\"abc\\"), "it ends at byte 5, where one of" },
		{ STR_INIT("\"\\\""), "it ends at byte 3, where a string" },
		{ STR_INIT("\"\\x\""), "at byte 2 stands \"x\\\"\": one of" },
		{ STR_INIT("\"\\u12g4\""), "at byte 5 stands \"g4\\\"\": four hexadecimal" },
		{ STR_INIT("\"\\u12"), "it ends at byte 5, where four" },
		{ STR_INIT("\"\\\0\""), "at byte 2" },
		{ STR_INIT("\"a\nb\""), "at byte 2 stands \"\\nb\\\"\": control characters" },
		{ STR_INIT("\"12345678\0\""), "at byte 9" },
		{ STR_INIT("[1,]"), "at byte 3 stands \"]\": a value" },
		{ STR_INIT("[,1]"), "at byte 1" },
		{ STR_INIT("[1 2]"), "at byte 3 stands \"2]\": a comma or ] must follow an item" },
		{ STR_INIT("[1}"), "at byte 2 stands \"}\": a comma or ]" },
		{ STR_INIT("[1"), "it ends at byte 2" },
		{ STR_INIT("["), "it ends at byte 1" },
		{ STR_INIT("]"), "at byte 0" },
		{ STR_INIT("{\"a\":1,}"), "at byte 7 stands \"}\": a key" },
		{ STR_INIT("{a:1}"), "at byte 1 stands \"a:1}\": a key" },
		{ STR_INIT("{\"a\"}"), "at byte 4 stands \"}\": a colon" },
		{ STR_INIT("{\"a\":}"), "at byte 5 stands \"}\": a value" },
		{ STR_INIT("{\"a\" 1}"), "at byte 5 stands \"1}\": a colon" },
		{ STR_INIT("{\"a\":1]"),
		  "at byte 6 stands \"]\": a comma or } must follow a member" },
		{ STR_INIT("{\"a\":[{}"), "it ends at byte 8" },
		{ STR_INIT("{} {}"), "at byte 3 stands \"{}\": nothing may follow" },
		{ STR_INIT("\xef\xbb\xbf{}"), "at byte 0" },
		{ STR_INIT("[1,//\n2]"), "at byte 3" },
		{ STR_INIT("1\0"), "at byte 1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refuses(cases[i].text, cases[i].part);
}

static void repeat(struct strbuf *b, const char *text, int n)
{
	while (n--)
		strbuf_add(b, str_from(text));
}

static void takes_depth_up_to_its_limit(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	struct json v;

	(void)state;
	repeat(&text, "[", LIMIT_JSON_DEPTH);
	repeat(&text, "]", LIMIT_JSON_DEPTH);
	assert_ok(json_parse(strbuf_str(&text), &a, &v));
	assert_true(json_equal(v, v));

	strbuf_reset(&text);
	repeat(&text, "{\"a\":", LIMIT_JSON_DEPTH);
	strbuf_add(&text, STR("{}"));
	repeat(&text, "}", LIMIT_JSON_DEPTH);
	refuses(strbuf_str(&text), "deeper than 128 levels at byte 640");
}

static void reads_long_texts(void **state)
{
	enum { N = 100000 };
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	struct json_iter it;
	struct json v, item;
	int64_t n, expected = 0;

	(void)state;
	strbuf_addc(&text, '[');
	for (int i = 0; i < N; i++)
		strbuf_addf(&text, "%d,", i % 10);
	strbuf_add(&text, STR("0]"));
	assert_ok(json_parse(strbuf_str(&text), &a, &v));
	assert_int_equal(json_count(v), N + 1);
	for (it = json_iter(v); json_next(&it, NULL, &item); expected++) {
		assert_true(json_to_i64(item, &n));
		assert_int_equal(n, expected % 10);
	}
	assert_int_equal(expected, N + 1);
}

/* A string that ends in each place of the eight bytes that are read at once. */
static void ends_strings_wherever_they_end(void **state)
{
	static const char *const ends[] = { "", "\\n", "\xc3\xa9", "\\\\" };

	(void)state;
	for (int before = 0; before < 9; before++) {
		for (int n = 0; n < 20; n++) {
			for (size_t e = 0; e < ARRAY_LEN(ends); e++) {
				_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
				_cleanup_(arena_fini) struct arena a = ARENA_INIT;
				struct json v;

				repeat(&text, " ", before);
				strbuf_add(&text, STR("[\""));
				repeat(&text, "x", n);
				strbuf_addf(&text, "%s\", 1]", ends[e]);
				assert_ok(json_parse(strbuf_str(&text), &a, &v));
				assert_int_equal(json_count(v), 2);
				assert_int_equal(json_str(json_item(v, 0)).n,
						 (size_t)n + (e ? 1 + (e == 2) : 0));
				strbuf_truncate(&text, text.n - 5);
				refuses(strbuf_str(&text), "a string must end in a quote");
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_rfc_allows),
		cmocka_unit_test(reads_odd_characters_as_go_does),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(takes_depth_up_to_its_limit),
		cmocka_unit_test(reads_long_texts),
		cmocka_unit_test(ends_strings_wherever_they_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
