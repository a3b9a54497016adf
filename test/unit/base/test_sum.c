/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/testing.h"

#include "base/sum.h"

static void test_capped(void **state)
{
	static const struct {
		int64_t a, b, sum;
	} cases[] = {
		{ 0, 0, 0 },
		{ 2, -3, -1 },
		{ INT64_MAX - 1, 1, INT64_MAX },
		{ INT64_MAX, 1, INT64_MAX },
		{ INT64_MAX, INT64_MAX, INT64_MAX },
		{ INT64_MIN, -1, INT64_MIN },
		{ INT64_MIN, INT64_MAX, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(sum_capped(cases[i].a, cases[i].b), cases[i].sum);
		assert_int_equal(sum_capped(cases[i].b, cases[i].a), cases[i].sum);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
