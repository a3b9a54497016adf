/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /system/df: what the disks of all nodes hold, as one engine tells it of its own.
 */
#include "sim/sim.h"

static may_suspend void three(struct sim *s)
{
	for (int i = 1; i <= 3; i++)
		sim_engine(s, sim_text(s, "n%d", i), IMAGE("busybox"),
			   IMAGE(sim_text(s, "only-%d", i)));
	sim_up(s);
	sim_create(s, "web", NULL);
}

static struct json item_with(struct json list, const char *part)
{
	struct json_iter it = json_iter(list);
	struct json item;

	while (json_next(&it, NULL, &item))
		if (str_contains(json_raw(item), str_from(part)))
			return item;
	fail_msg("no item has %s", part);
	return (struct json){ 0 };
}

static may_suspend void it_is_added_up(struct sim *s)
{
	struct sim_reply r;
	struct json image, container;

	three(s);
	r = sim_get(s, "/system/df");
	assert_status(r, 200);
	assert_int_equal(json_get_i64(r.json, "LayersSize", 0), 24000000);
	assert_int_equal(json_get_i64(r.json, "NewFigure", 0), 9);
	assert_int_equal(json_count(json_get(r.json, "BuildCache")), 3);
	assert_int_equal(json_count(json_get(r.json, "Images")), 4);
	image = item_with(json_get(r.json, "Images"), "busybox:latest");
	assert_int_equal(json_get_i64(image, "Size", 0), 12000000);
	assert_int_equal(json_get_i64(image, "Containers", 0), 1);
	assert_int_equal(json_count(json_get(image, "RepoTags")), 1);
	assert_int_equal(json_type(json_get(image, "RepoDigests")), JSON_NULL);
	container = item_with(json_get(r.json, "Containers"), "web");
	assert_int_equal(json_get_i64(container, "SizeRw", 0), 1000);
	assert_true(str_contains(json_raw(container), str_from(sim_text(s, "[\"/web\",\"/%s/web\"]",
									sim_node_of(s, "web")))));
	assert_status(sim_get(s, "/system/df?type=image"), 200);
	assert_int_equal(sim_calls(sim_find_engine(s, "n1"), "GET /system/df?type=image"), 1);
}

static may_suspend void volumes_have_their_names_in_the_pool(struct sim *s)
{
	struct sim_reply r;

	three(s);
	for (int i = 1; i <= 2; i++)
		sim_local_create(
			sim_find_engine(s, sim_text(s, "n%d", i)), sim_text(s, "db%d", i),
			"{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"data:/d\"]}}");
	sim_run(s, SECOND);
	r = sim_get(s, "/system/df");
	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "Volumes")), 3);
	item_with(json_get(r.json, "Volumes"), "\"n1/data\"");
	item_with(json_get(r.json, "Volumes"), "\"n2/data\"");
}

static may_suspend void a_failure_is_named(struct sim *s, enum fault_kind kind, int status)
{
	three(s);
	sim_fault(s, sim_find_engine(s, "n2"), kind, "GET /system/df", 1);
	assert_refused(sim_get(s, "/system/df"), status, "n2: ");
	sim_fault_clear(s);
	assert_status(sim_get(s, "/system/df"), 200);
	sim_settle(s);
}

static may_suspend void a_reset_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_RESET, 502);
}

static may_suspend void an_end_in_the_middle_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_CUT, 502);
}

static may_suspend void garbage_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_GARBAGE, 502);
}

static may_suspend void a_node_that_hangs_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_STALL, 504);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(it_is_added_up),	 STORY(volumes_have_their_names_in_the_pool),
		STORY(a_reset_is_named), STORY(an_end_in_the_middle_is_named),
		STORY(garbage_is_named), STORY(a_node_that_hangs_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
