/* SPDX-License-Identifier: Apache-2.0 */
/* docker/platform.c */
#include "unit/testing.h"

#include "docker/platform.h"

static void test_texts(void **state)
{
	static const struct {
		const char *text, *os, *architecture; /* os NULL: no platform */
		int variant;
	} cases[] = {
		{ "linux/amd64", "linux", "amd64", 0 },
		{ "linux", "linux", "", 0 },
		{ "arm64", "", "arm64", 8 },
		{ "aarch64", "", "arm64", 8 },
		{ "Linux/X86_64", "linux", "amd64", 0 },
		{ "windows/amd64", "windows", "amd64", 0 },
		{ "linux/arm/v7", "linux", "arm", 7 },
		{ "linux/arm/7", "linux", "arm", 7 },
		{ "linux/armhf", "linux", "arm", 7 },
		{ "linux/arm", "linux", "arm", 0 },
		{ "linux/arm64/v8", "linux", "arm64", 8 },
		{ "linux/amd64/v3", "linux", "amd64", 0 },
		{ "linux/i686", "linux", "386", 0 },
		{ "", NULL, NULL, 0 },
		{ "/", NULL, NULL, 0 },
		{ "linux/", NULL, NULL, 0 },
		{ "linux/pdp11", NULL, NULL, 0 },
		{ "pdp11", NULL, NULL, 0 },
		{ "amd64/linux", NULL, NULL, 0 },
		{ "linux/arm/", NULL, NULL, 0 },
		{ "linux/arm/v4", NULL, NULL, 0 },
		{ "linux/arm/v7/x", NULL, NULL, 0 },
		{ "linux/amd64,linux/arm64", NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform p;
		bool is_one = platform_parse(str_from(cases[i].text), &p);

		if (is_one != (cases[i].os != NULL))
			fail_msg("\"%s\" is%s a platform", cases[i].text, is_one ? "" : " not");
		assert_str(p.os, is_one ? cases[i].os : "");
		assert_str(p.architecture, is_one ? cases[i].architecture : "");
		assert_int_equal(p.variant, cases[i].variant);
	}
}

static void test_what_runs_what(void **state)
{
	static const struct {
		const char *os, *machine, *wanted;
		bool runs;
	} cases[] = {
		{ "linux", "x86_64", "linux/amd64", true },
		{ "linux", "x86_64", "linux", true },
		{ "linux", "x86_64", "amd64", true },
		{ "linux", "x86_64", "linux/amd64/v3", true },
		{ "linux", "x86_64", "linux/386", true },
		{ "linux", "i686", "linux/amd64", false },
		{ "linux", "x86_64", "linux/arm64", false },
		{ "linux", "x86_64", "windows/amd64", false },
		{ "windows", "x86_64", "windows", true },
		{ "linux", "aarch64", "linux/arm64", true },
		{ "linux", "aarch64", "linux/arm/v7", true },
		{ "linux", "armv7l", "linux/arm/v7", true },
		{ "linux", "armv7l", "linux/arm/v6", true },
		{ "linux", "armv6l", "linux/arm/v7", false },
		{ "linux", "armv6l", "linux/arm", true },
		{ "linux", "armv7l", "linux/arm64", false },
		{ "linux", "pdp11", "linux", true },
		{ "linux", "pdp11", "linux/amd64", false },
		{ "", "", "linux", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform wanted, has;

		assert_true(platform_parse(str_from(cases[i].wanted), &wanted));
		has = platform_of_engine(str_from(cases[i].os), str_from(cases[i].machine));
		if (platform_runs(&has, &wanted) != cases[i].runs)
			fail_msg("%s/%s and %s", cases[i].os, cases[i].machine, cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_what_runs_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
