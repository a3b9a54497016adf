/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests under way, counted by client.
 */
#include "unit/testing.h"

#include "api/in_flight.h"

static void test_each_client_has_its_share(_unused_ void **state)
{
	struct in_flight f;
	struct in_flight_client *one[2], *other, *unset;
	struct error *err;

	in_flight_init(&f, 2);
	for (int i = 0; i < 2; i++)
		assert_null(in_flight_begin(&f, STR("10.0.0.1"), &one[i]));
	err = in_flight_begin(&f, STR("10.0.0.1"), &unset);
	assert_int_equal(error_status(err), 429);
	error_free(err);
	assert_null(in_flight_begin(&f, STR("10.0.0.2"), &other));

	in_flight_end(&f, one[0]);
	assert_null(in_flight_begin(&f, STR("10.0.0.1"), &one[0]));
	in_flight_end(&f, one[0]);
	in_flight_end(&f, one[1]);
	in_flight_end(&f, other);
	in_flight_end(&f, NULL);
	/* Who has nothing under way takes no memory; this asserts it. */
	in_flight_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_client_has_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
