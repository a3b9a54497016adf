/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler/expr.c */
#include "unit/testing.h"

#include "scheduler/expr.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *key, *value;
		bool negated, soft;
		enum match_kind kind;
	} cases[] = {
		{ "storage==ssd", "storage", "ssd", false, false, MATCH_PLAIN },
		{ "storage!=ssd", "storage", "ssd", true, false, MATCH_PLAIN },
		{ "storage==~ssd", "storage", "ssd", false, true, MATCH_PLAIN },
		{ "storage!=~ssd", "storage", "ssd", true, true, MATCH_PLAIN },
		{ "storage==~~ssd", "storage", "ssd", false, true, MATCH_PLAIN },
		{ "storage==s*", "storage", "s*", false, false, MATCH_GLOB },
		{ "storage==/s.d/", "storage", "s.d", false, false, MATCH_REGEX },
		{ "storage==~/s.d/", "storage", "s.d", false, true, MATCH_REGEX },
		{ "a.b-c_D1==x", "a.b-c_D1", "x", false, false, MATCH_PLAIN },
		{ "_a==x", "_a", "x", false, false, MATCH_PLAIN },
		{ "com.docker.x==y z", "com.docker.x", "y z", false, false, MATCH_PLAIN },
		{ "kk==a==b", "kk", "a==b", false, false, MATCH_PLAIN },
		{ "kk!=a==b", "kk", "a==b", true, false, MATCH_PLAIN },
		{ "kk===b", "kk", "=b", false, false, MATCH_PLAIN },
		{ "kk==b~", "kk", "b~", false, false, MATCH_PLAIN },
		{ "kk==\xc3\xa4", "kk", "\xc3\xa4", false, false, MATCH_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(exprs_fini) struct exprs exprs = { NULL, 0 };
		struct str text = str_from(cases[i].text);

		assert_ok(exprs_parse(&text, 1, &arena, &exprs));
		assert_int_equal(exprs.n, 1);
		assert_str(exprs.v[0].text, cases[i].text);
		assert_str(exprs.v[0].key, cases[i].key);
		assert_str(exprs.v[0].match.text, cases[i].value);
		assert_int_equal(exprs.v[0].negated, cases[i].negated);
		assert_int_equal(exprs.v[0].soft, cases[i].soft);
		assert_int_equal(exprs.v[0].match.kind, cases[i].kind);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "One of operator ==, != is expected" },
		{ "storage", "One of operator ==, != is expected" },
		{ "storage=ssd", "One of operator ==, != is expected" },
		{ "storage>=1", "One of operator ==, != is expected" },
		{ "storage>==1", "Key 'storage>' is invalid" },
		{ "==ssd", "Key '' is invalid" },
		{ "a==b",
		  "Key 'a' is invalid: it takes two or more of letters" }, /* one character is too short, as in the original */
		{ "1a==b", "Key '1a' is invalid" },
		{ "-a==b", "Key '-a' is invalid" },
		{ "a b==c", "Key 'a b' is invalid" },
		{ "a/b==c", "Key 'a/b' is invalid" },
		{ "~kk==c", "Key '~kk' is invalid" },
		{ "kk==", "Value '' is invalid" },
		{ "kk!=", "Value '' is invalid" },
		{ "kk==~", "Value '' is invalid" },
		{ "kk==~~~", "Value '' is invalid" },
		{ "kk==/(/", "Value '/(/' is invalid: missing closing parenthesis" },
		{ "kk!=~/[/", "Value '/[/' is invalid: missing terminating ]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		/* A good one before it, to be given back. */
		const struct str texts[] = { STR_INIT("good==/x/"), str_from(cases[i].text) };
		struct exprs exprs;

		assert_err(exprs_parse(texts, 2, &arena, &exprs), ERR_INVALID,
			   arena_cstr(&arena, arena_printf(&arena, "invalid expression '%s': %s",
							   cases[i].text, cases[i].why)));
		assert_int_equal(exprs.n, 0);
	}
}

static void test_none(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct exprs exprs;

	(void)state;
	assert_ok(exprs_parse(NULL, 0, &arena, &exprs));
	assert_int_equal(exprs.n, 0);
	exprs_fini(&exprs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
