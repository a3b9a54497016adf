/* SPDX-License-Identifier: Apache-2.0 */
/* docker/version.c */
#include "unit/testing.h"

#include "base/attr.h"

#include "docker/version.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int major, minor;
	} cases[] = {
		{ "1.41", true, 1, 41 },
		{ "1.24", true, 1, 24 },
		{ "2.0", true, 2, 0 },
		{ "1.041", true, 1, 41 },
		{ "", false, 0, 0 },
		{ "1", false, 0, 0 },
		{ ".", false, 0, 0 },
		{ "1.", false, 0, 0 },
		{ ".41", false, 0, 0 },
		{ "1.4x", false, 0, 0 },
		{ "1.41.2", false, 0, 0 },
		{ "-1.41", false, 0, 0 },
		{ " 1.41", false, 0, 0 },
		{ "1.+4", false, 0, 0 },
		{ "1.99999999999", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct api_version v = { 0, 0 };

		assert_int_equal(api_version_parse(str_from(cases[i].text), &v), cases[i].ok);
		assert_int_equal(v.major, cases[i].major);
		assert_int_equal(v.minor, cases[i].minor);
	}
}

static void test_order(void **state)
{
	(void)state;
	assert_true(api_version_cmp(API_VERSION(1, 9), API_VERSION(1, 24)) < 0);
	assert_true(api_version_cmp(API_VERSION(2, 0), API_VERSION(1, 51)) > 0);
	assert_int_equal(api_version_cmp(API_VERSION(1, 41), API_VERSION(1, 41)), 0);

	assert_int_equal(
		api_version_clamp(API_VERSION(1, 12), API_VERSION_OLDEST, API_VERSION_NEWEST).minor,
		24);
	assert_int_equal(
		api_version_clamp(API_VERSION(1, 99), API_VERSION_OLDEST, API_VERSION_NEWEST).minor,
		51);
	assert_int_equal(
		api_version_clamp(API_VERSION(1, 30), API_VERSION_OLDEST, API_VERSION_NEWEST).minor,
		30);
}

static void test_check(void **state)
{
	(void)state;
	assert_ok(api_version_check(API_VERSION(1, 24), API_VERSION(1, 24), API_VERSION(1, 41)));
	assert_ok(api_version_check(API_VERSION(1, 41), API_VERSION(1, 24), API_VERSION(1, 41)));
	assert_err(api_version_check(API_VERSION(1, 20), API_VERSION(1, 24), API_VERSION(1, 41)),
		   ERR_INVALID,
		   "client version 1.20 is too old. Minimum supported API version is 1.24, please "
		   "upgrade your client to a newer version");
	assert_err(api_version_check(API_VERSION(1, 42), API_VERSION(1, 24), API_VERSION(1, 41)),
		   ERR_INVALID,
		   "client version 1.42 is too new. Maximum supported API version is 1.41");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
