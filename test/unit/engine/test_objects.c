/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's volumes and networks: listed, refreshed one by one, told of in events. */
#include "fake.h"

#include <stdio.h>

#include "fiber/clock.h"

static may_suspend void story_listed(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add_object(f, OBJECT_VOLUME, "data", "local");
	fake_add_object(f, OBJECT_NETWORK, "ab12", "local");
	node_start(&n);
	until(is(&n, ENGINE_HEALTHY), SECOND);
	assert_buf(n.ear.heard, "+volume data local\n+network ab12 local\nstate Healthy\n");
	assert_non_null(map_get(engine_volumes(n.e), STR("data")));
	assert_non_null(map_get(engine_networks(n.e), STR("ab12")));
}

/* What does not change is not told again; what changed behind our back is, at the reconcile. */
static may_suspend void story_reconciled(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add_object(f, OBJECT_VOLUME, "data", "local");
	fake_add_object(f, OBJECT_VOLUME, "old", "local");
	fake_add_object(f, OBJECT_NETWORK, "ab12", "local");
	node_up(&n);
	f->n_objects[OBJECT_VOLUME] = 1;
	f->n_objects[OBJECT_NETWORK] = 0;
	fake_add_object(f, OBJECT_NETWORK, "ab12", "swarm");
	pass(61 * SECOND);
	assert_buf(n.ear.heard, "info\n-volume old local\n~network ab12 swarm\n");
}

static may_suspend void story_events(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	unsigned int lists;

	node_up(&n);
	lists = f->object_lists;
	fake_add_object(f, OBJECT_VOLUME, "data", "local");
	fake_event(f, "volume", "create", "data", "\"driver\":\"local\"");
	fake_add_object(f, OBJECT_NETWORK, "ab12", "local");
	fake_event(f, "network", "create", "ab12", "\"name\":\"x\"");
	pass(SECOND);
	assert_true(ear_heard(&n.ear, "+volume data local\n"));
	assert_true(ear_heard(&n.ear, "+network ab12 local\n"));
	assert_int_equal(f->object_inspects, 2);

	f->n_objects[OBJECT_VOLUME] = f->n_objects[OBJECT_NETWORK] = 0;
	fake_event(f, "volume", "destroy", "data", "");
	fake_event(f, "network", "destroy", "ab12", "");
	pass(SECOND);
	assert_true(ear_heard(&n.ear, "-volume data local\n"));
	assert_true(ear_heard(&n.ear, "-network ab12 local\n"));
	assert_int_equal(f->object_inspects, 2);
	assert_int_equal(f->object_lists, lists);
}

/* A manager of a swarm tells that the last container left, and has the network still. */
static may_suspend void story_swarm_network(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add_object(f, OBJECT_NETWORK, "ab12", "swarm");
	node_up(&n);
	fake_event(f, "network", "destroy", "ab12", "");
	pass(SECOND);
	assert_int_equal(engine_networks(n.e)->n, 1);
	f->n_objects[OBJECT_NETWORK] = 0;
	fake_event(f, "network", "remove", "ab12", "");
	pass(SECOND);
	assert_int_equal(engine_networks(n.e)->n, 0);
}

/* Who mounts it, and who is in it, is nothing that the tables hold. */
static may_suspend void story_uses(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	char id[65] = { 0 }, attributes[100];

	fake_add(f, "web");
	memcpy(id, fake_id("web").p, 64);
	fake_add_object(f, OBJECT_VOLUME, "data", "local");
	fake_add_object(f, OBJECT_NETWORK, "ab12", "local");
	node_up(&n);
	fake_event(f, "volume", "mount", "data", "");
	snprintf(attributes, sizeof(attributes), "\"container\":\"%s\"", id);
	fake_event(f, "network", "connect", "ab12", attributes);
	pass(SECOND);
	assert_int_equal(f->object_inspects, 0);
	assert_true(ear_heard(&n.ear, "~web"));
}

static may_suspend void story_refreshed(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	fake_add_object(f, OBJECT_VOLUME, "data", "local");
	assert_ok(engine_refresh_volume(n.e, STR("data")));
	assert_buf(n.ear.heard, "+volume data local\n");
	fake_add_object(f, OBJECT_NETWORK, "ab12", "local");
	/* An id is the whole of it: the list has what begins with it, too. */
	assert_ok(engine_refresh_network(n.e, STR("ab")));
	assert_int_equal(engine_networks(n.e)->n, 0);
	assert_ok(engine_refresh_network(n.e, STR("ab12")));
	assert_int_equal(engine_networks(n.e)->n, 1);

	f->n_objects[OBJECT_VOLUME] = 0;
	assert_ok(engine_refresh_volume(n.e, STR("data")));
	assert_int_equal(engine_volumes(n.e)->n, 0);
	engine_forget_object(n.e, OBJECT_NETWORK, STR("ab12"));
	assert_int_equal(engine_networks(n.e)->n, 0);
}

static may_suspend void story_null_list(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	f->broken_path = "/volumes";
	f->broken_status = 200;
	f->broken_body = "{\"Volumes\":null,\"Warnings\":null}";
	node_up(&n);
	assert_int_equal(engine_volumes(n.e)->n, 0);
}

TEST(listed)
TEST(reconciled)
TEST(events)
TEST(swarm_network)
TEST(uses)
TEST(refreshed)
TEST(null_list)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listed),	  cmocka_unit_test(test_reconciled),
		cmocka_unit_test(test_events),	  cmocka_unit_test(test_swarm_network),
		cmocka_unit_test(test_uses),	  cmocka_unit_test(test_refreshed),
		cmocka_unit_test(test_null_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
