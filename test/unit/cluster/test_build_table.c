/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/build_table.c: what belongs together meets, and what nobody takes part in is gone. */
#include "unit/testing.h"

#include "base/duration.h"
#include "cluster/build_table.h"

static const struct engine_observer nobody;

static struct engine *engine_at(const char *addr)
{
	const struct engine_config config = { .refresh_min = MINUTE,
					      .refresh_max = MINUTE,
					      .failure_retry = 3,
					      .observer = &nobody };
	struct addr a;

	assert_ok(addr_parse_host_port(str_from(addr), &a));
	return engine_new(&a, &config);
}

static void test_meetings(void **state)
{
	_cleanup_(engine_unrefp) struct engine *a = engine_at("a:2375"), *b = engine_at("b:2375");
	struct build_table t = { 0 };
	struct meeting *first, *second, *other;

	(void)state;
	build_table_init(&t);
	first = meeting_join(&t, MEETING_SESSION, STR("x"));
	second = meeting_join(&t, MEETING_SESSION, STR("x"));
	other = meeting_join(&t, MEETING_BUILD, STR("x"));
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, other);
	assert_null(meeting_find(&t, MEETING_SESSION, STR("x")));

	/* The first node counts, of that meeting alone. */
	meeting_set_engine(&t, first, a);
	meeting_set_engine(&t, second, b);
	assert_ptr_equal(meeting_find(&t, MEETING_SESSION, STR("x")), a);
	assert_null(meeting_find(&t, MEETING_BUILD, STR("x")));

	/* It is known until the last has left. */
	meeting_leave(&t, first);
	assert_ptr_equal(meeting_find(&t, MEETING_SESSION, STR("x")), a);
	meeting_leave(&t, second);
	assert_null(meeting_find(&t, MEETING_SESSION, STR("x")));
	meeting_leave(&t, other);
	meeting_leave(&t, NULL);
	assert_int_equal(t.meetings.n, 0);
	build_table_fini(&t);
}

/* These engines were never well, so a pin is never used again: each takes the place of the last. */
static void test_a_pin_whose_node_is_not_well(void **state)
{
	_cleanup_(engine_unrefp) struct engine *a = engine_at("a:2375"), *b = engine_at("b:2375");
	struct build_table t = { 0 };
	struct build_pin *old, *new;

	(void)state;
	build_table_init(&t);
	assert_null(build_pin_use(&t, STR("c")));
	old = build_pin_make(&t, STR("c"), a);
	assert_null(build_pin_use(&t, STR("c")));
	new = build_pin_make(&t, STR("c"), b);
	assert_int_equal(t.pins.n, 1);

	/* Whoever uses the old one goes on with it. */
	assert_ptr_equal(old->engine, a);
	build_pin_leave(&t, old);
	assert_int_equal(t.pins.n, 1);
	build_pin_leave(&t, new);
	build_pin_leave(&t, NULL);
	assert_false(list_empty(&t.lapsed));
	build_table_clear(&t);
	assert_int_equal(t.pins.n, 0);
	build_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meetings),
		cmocka_unit_test(test_a_pin_whose_node_is_not_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
