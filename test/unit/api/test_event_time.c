/* SPDX-License-Identifier: Apache-2.0 */
/* api/event_time.c: `since` and `until`. */
#include "unit/testing.h"

#include "api/event_time.h"
#include "base/duration.h"

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
		{ "10m", NOW - 10 * MINUTE },
		{ "1h30m", NOW - 90 * MINUTE },
		{ "-10s", NOW + 10 * SECOND },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ns;

		assert_ok(event_time_parse(str_from(cases[i].text), NOW, &ns));
		assert_int_equal(ns, cases[i].ns);
	}
}

static void test_nonsense(void **state)
{
	static const char *const texts[] = { "",   "abc", "12.",	"12.x",
					     ".5", "1 ",  "2026-11-22", "5 m" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t ns;

		assert_err(event_time_parse(str_from(texts[i]), NOW, &ns), ERR_INVALID,
			   "invalid time \"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
