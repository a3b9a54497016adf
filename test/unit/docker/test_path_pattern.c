/* SPDX-License-Identifier: Apache-2.0 */
/* docker/path_pattern.c: what fits and what is no pattern, as Go's path.Match has it. */
#include "unit/testing.h"

#include "docker/path_pattern.h"

#include <string.h>

static const struct {
	const char *pattern, *text;
	bool fits;
} matches[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "abc", "abc", true },
	{ "abc", "abcd", false },
	{ "abcd", "abc", false },
	{ "*", "", true },
	{ "*", "abc", true },
	{ "*", "a/b", false },
	{ "*c", "abc", true },
	{ "a*", "a", true },
	{ "a*", "ab/c", false },
	{ "a*/b", "abc/b", true },
	{ "a*/b", "a/c/b", false },
	{ "*/*", "a/b", true },
	{ "**b**", "abc", true },
	{ "a*b*c", "axbyc", true },
	{ "a*b*c", "axbxbyc", true },
	{ "a*b*c", "axbyd", false },
	{ "a*bc", "abbc", true },
	{ "b?x:1.*", "box:1.36", true },
	{ "a?c", "a/c", false },
	{ "a?", "a", false },
	{ "b[n-p]x", "box", true },
	{ "b[^n-p]x", "box", false },
	{ "b[^n-p]x", "bax", true },
	{ "b[!o]x", "bax", false }, /* no negation, as it would be for a shell */
	{ "b[!o]x", "box", true },
	{ "[a-c-]", "b", false }, /* no pattern: see below */
	{ "[a\\-c]", "-", true },
	{ "[\\]a]", "]", true },
	{ "[[:alpha:]]", "a]", true },
	{ "a[*]b", "a*b", true },
	{ "a\\*b", "a*b", true },
	{ "a\\*b", "axb", false },
	{ "*\\*", "ab*", true },
	{ "a]b", "a]b", true },
	{ "[", "[", false },
};

static void test_what_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
		struct str pattern = str_from(matches[i].pattern), text = str_from(matches[i].text);

		if (path_pattern_match(pattern, text) != matches[i].fits)
			fail_msg("\"%s\" against \"%s\"", matches[i].pattern, matches[i].text);
	}
}

static const struct {
	const char *text;
	bool good;
} patterns[] = {
	{ "", true },	   { "*", true },      { "a[b-d]?*:[^x]", true },
	{ "a]", true },	   { "a-b", true },    { "[[:alpha:]]", true },
	{ "[\\]]", true }, { "[a*b]*", true }, { "[", false },
	{ "a[", false },   { "*[", false },    { "busybox:[", false },
	{ "[]", false },   { "[]a]", false },  { "[^", false },
	{ "[^]", false },  { "[a", false },    { "[a-", false },
	{ "[a-]", false }, { "[-a]", false },  { "[a-c-]", false },
	{ "[\\", false },  { "[a\\", false },  { "a\\", false },
};

static void test_what_is_a_pattern(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		_cleanup_(error_freep) struct error *err =
			path_pattern_check(str_from(patterns[i].text));

		if (!err != patterns[i].good)
			fail_msg("\"%s\"", patterns[i].text);
		if (err)
			assert_string_equal(error_message(err), "syntax error in pattern");
	}
}

/* A hundred stars over as many letters that all but fit would take a shell's matcher for ever. */
static void test_no_pattern_takes_long(void **state)
{
	char pattern[400], text[4000];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	memset(text, 'a', sizeof(text));
	pattern[sizeof(pattern) - 1] = 'b';
	assert_false(
		path_pattern_match(str_of(pattern, sizeof(pattern)), str_of(text, sizeof(text))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_fits),
		cmocka_unit_test(test_what_is_a_pattern),
		cmocka_unit_test(test_no_pattern_takes_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
