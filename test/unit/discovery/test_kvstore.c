/* SPDX-License-Identifier: Apache-2.0 */
/* discovery/kvstore.c: how often a store that cannot be read is asked. */
#include "heard.h"

#include "fiber/clock.h"
#include "net/dial.h"

/* When somebody tried to connect. */
static struct {
	int64_t at[100];
	size_t n;
} tries;

static may_suspend struct error *refuse(const struct addr *a, _unused_ void *arg,
					_unused_ struct stream **ret)
{
	assert_true(tries.n < ARRAY_LEN(tries.at));
	tries.at[tries.n++] = clock_now();
	return error_new(ERR_REFUSED, "cannot connect to %s", a->host);
}

/* As cli/follow.c goes about it: a fetch, whatever becomes of it, and a wait. */
static may_suspend void follow_for(struct discovery *d, int64_t span)
{
	int64_t until = clock_now() + span;

	while (clock_now() < until) {
		struct discovery_entries entries;

		assert_err(discovery_fetch(d, &entries), ERR_REFUSED, "cannot connect to host");
		assert_ok(discovery_wait(d));
	}
}

static may_suspend void retries_main(void *arg)
{
	static const int64_t pauses[] = { 250, 500, 1000, 2000, 4000, 5000, 5000, 5000 };
	_cleanup_(discovery_closep) struct discovery *d = NULL;

	dial_set_hook(refuse, NULL);
	tries.n = 0;
	assert_ok(discovery_open(str_from(arg), &no_options, &d));
	follow_for(d, 5 * MINUTE);
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		assert_int_equal(tries.at[i + 1] - tries.at[i], pauses[i] * MILLISECOND);
	assert_in_range(tries.n, 60, 70);
	discovery_stop(d);
	dial_set_hook(NULL, NULL);
}

/* ZooKeeper's client connects by itself: the end-to-end tests bound that. */
static void asks_ever_more_seldom(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, retries_main, (void *)(uintptr_t) "etcd://host");
	loop_run(LOOP_VIRTUAL, retries_main, (void *)(uintptr_t) "consul://host");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_ever_more_seldom, ear_setup, ear_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
