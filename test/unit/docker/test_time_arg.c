/* SPDX-License-Identifier: Apache-2.0 */
/* docker/time_arg.c: `since` and `until`. */
#include "unit/testing.h"

#include "base/duration.h"
#include "docker/time_arg.h"

#define NOW (INT64_C(1795328975) * SECOND)

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "0", 0 },
		{ "1416857879", INT64_C(1416857879) * SECOND },
		{ "1416857879.5", INT64_C(1416857879) * SECOND + 500 * MILLISECOND },
		{ "1416857879.000000012", INT64_C(1416857879) * SECOND + 12 },
		{ "1416857879.0000000129", INT64_C(1416857879) * SECOND + 12 },
		{ "-1.5", -1500 * MILLISECOND },
		{ "99999999999999", INT64_MAX },
		{ "-99999999999999", INT64_MIN },
		{ "2026-11-22T06:29:35Z", NOW },
		{ "2026-11-22T07:29:35.25+01:00", NOW + 250 * MILLISECOND },
		{ "2026-11-22T06:29:35", NOW },
		{ "2026-11-22T06:29", NOW - 35 * SECOND },
		{ "2026-11-22", NOW - (6 * HOUR + 29 * MINUTE + 35 * SECOND) },
		{ "10m", NOW - 10 * MINUTE },
		{ "1h30m", NOW - 90 * MINUTE },
		{ "-10s", NOW + 10 * SECOND },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ns;

		assert_ok(time_arg_parse(str_from(cases[i].text), NOW, &ns));
		assert_int_equal(ns, cases[i].ns);
	}
}

static void test_nonsense(void **state)
{
	static const char *const texts[] = {
		"", "abc", "12.", "12.x", ".5", "1 ", "2026-11", "5 m"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t ns;

		assert_err(time_arg_parse(str_from(texts[i]), NOW, &ns), ERR_INVALID,
			   "invalid time \"");
	}
}

static void test_ahead(void **state)
{
	static const struct {
		const char *text, *ahead;
	} cases[] = {
		{ "1700000000", "1700000002.500000000" },
		{ "1700000000.25", "1700000002.750000000" },
		{ "2023-11-14T22:13:20Z", "1700000002.500000000" },
		{ "2023-11-14T22:13:20+01:00", "1699996402.500000000" },
		{ "2023-11-14", "2023-11-14" },
		{ "2023-11-14T22:13:20", "2023-11-14T22:13:20" },
		{ "24h", "24h" },
		{ "0", "0" },
		{ "-1", "-1" },
		{ "soon", "soon" },
		{ "", "" },
		{ "9999999999999", "9999999999999" },
	};
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(time_arg_ahead(str_from(cases[i].text), 5 * SECOND / 2, &arena),
			   cases[i].ahead);
	assert_str(time_arg_ahead(STR("1700000000"), 0, &arena), "1700000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
