/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pool tells of itself that no engine has: its nodes, where a container would go.
 */
#include "sim/sim.h"

static may_suspend void nodes_are_listed(struct sim *s)
{
	struct sim_reply r;
	struct json node;

	sim_engine(s, "n1", CPUS(2), LABEL("storage", "ssd"));
	sim_engine(s, "n2");
	sim_engine(s, "n3", DOWN);
	sim_up(s);
	r = sim_get(s, "/nodes");
	assert_status(r, 200);
	assert_int_equal(json_count(r.json), 3);
	node = json_item(r.json, 0);
	assert_true(json_str_eq(json_path(node, "Description.Hostname"), STR("n1")));
	assert_int_equal(json_get_i64(json_path(node, "Description.Resources"), "NanoCPUs", 0),
			 2000000000);
	assert_true(json_str_eq(json_path(node, "Description.Engine.Labels.storage"), STR("ssd")));
	assert_true(json_str_eq(json_path(node, "Status.State"), STR("ready")));
	node = json_item(r.json, 2);
	assert_true(json_str_eq(json_path(node, "Status.State"), STR("unknown")));
	assert_true(json_get_str(json_get(node, "Status"), "Message").n > 0);

	r = sim_get(s, "/nodes?filters=%7B%22name%22%3A%5B%22n2%22%5D%7D");
	assert_int_equal(json_count(r.json), 1);
	r = sim_get(s, "/nodes?filters=%7B%22label%22%3A%5B%22storage%3Dssd%22%5D%7D");
	assert_int_equal(json_count(r.json), 1);
	assert_refused(sim_get(s, "/nodes?filters=%7B%22x%22%3A%5B%22n2%22%5D%7D"), 400,
		       "Invalid filter 'x'");
}

static may_suspend void one_node_is_inspected(struct sim *s)
{
	struct sim_reply r;
	const char *id;

	sim_engine(s, "n1");
	sim_up(s);
	r = sim_get(s, "/nodes/n1");
	assert_status(r, 200);
	id = sim_string(s, &r, "ID");
	r = sim_get(s, sim_text(s, "/nodes/%s", id));
	assert_status(r, 200);
	assert_string_equal(sim_string(s, &r, "Spec.Name"), "n1");
	assert_refused(sim_get(s, "/nodes/other"), 404, "node other not found");
	sim_cut(sim_find_engine(s, "n1"));
	sim_run(s, MINUTE);
	r = sim_get(s, "/nodes/n1");
	assert_string_equal(sim_string(s, &r, "Status.State"), "down");
}

static may_suspend void two(struct sim *s)
{
	sim_engine(s, "n1", LABEL("storage", "ssd"));
	sim_engine(s, "n2", IMAGE("busybox"), IMAGE("app:1"));
	sim_up(s);
}

static may_suspend struct sim_reply place(struct sim *s, const char *body)
{
	return sim_post(s, "/placement", body);
}

static may_suspend void placement_tells_what_a_create_does(struct sim *s)
{
	static const char body[] =
		"{\"Image\":\"busybox\",\"Env\":[\"constraint:storage==ssd\"],"
		"\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"80\"}]}}}";
	struct sim_reply r;

	two(s);
	r = place(s, body);
	assert_status(r, 200);
	assert_string_equal(sim_string(s, &r, "Node.Name"), "n1");
	assert_string_equal(sim_string(s, &r, "Image"), "present");
	assert_true(str_contains(r.body, STR("{\"Name\":\"n1\",\"Fits\":true}")));
	assert_true(str_contains(r.body, STR("{\"Name\":\"n2\",\"Fits\":false,\"Reason\":")));
	assert_int_equal(sim_calls(sim_find_engine(s, "n1"), "POST /containers/create"), 0);

	sim_create(s, "web", body);
	assert_string_equal(sim_node_of(s, "web"), "n1");
	r = place(s, body);
	assert_status(r, 200);
	assert_int_equal(json_type(json_get(r.json, "Node")), JSON_NULL);
	assert_true(strlen(sim_string(s, &r, "Message")) > 0);
	assert_true(str_contains(r.body, STR("(web)")));
	sim_settle(s);
}

static may_suspend void placement_knows_images(struct sim *s)
{
	struct sim_reply r;

	two(s);
	for (int i = 0; i < 5; i++) {
		r = place(s, "{\"Image\":\"app:1\"}");
		assert_string_equal(sim_string(s, &r, "Node.Name"), "n2");
		assert_string_equal(sim_string(s, &r, "Image"), "present");
	}
	r = place(s, "{\"Image\":\"nowhere\"}");
	assert_string_equal(sim_string(s, &r, "Image"), "unknown");
	sim_settle(s);
}

/* Each node's verdict is by all that a create looks at: volumes, the other nodes, this client. */
static may_suspend void placement_knows_all_that_decides(struct sim *s)
{
	static const char volume[] = "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":"
				     "[\"data:/x\"]}}";
	static const char even[] = "{\"Image\":\"busybox\",\"Env\":[\"spread:by==node\"]}";
	struct sim_reply r;

	two(s);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n2/data\"}"), 201);
	r = place(s, volume);
	assert_string_equal(sim_string(s, &r, "Node.Name"), "n2");
	assert_true(str_contains(r.body, STR("{\"Name\":\"n1\",\"Fits\":false,\"Reason\":"
					     "\"volume data is on n2\"}")));
	assert_true(str_contains(r.body, STR("{\"Name\":\"n2\",\"Fits\":true}")));

	sim_create(s, "web", "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==n1\"]}");
	r = place(s, even);
	assert_string_equal(sim_string(s, &r, "Node.Name"), "n2");
	assert_true(str_contains(r.body, STR("{\"Name\":\"n1\",\"Fits\":false,\"Reason\":"
					     "\"spread by==node does not allow n1 "
					     "(1 there, 0 elsewhere)\"}")));
	r = place(s, "{\"Image\":\"app:1\"}");
	assert_true(str_contains(r.body, STR("\"Reason\":\"the image is not there\"")));
	sim_settle(s);
}

/* Where this client was told to pull it, its next create goes. */
static may_suspend void placement_knows_a_clients_pull(struct sim *s)
{
	struct sim_reply r;
	const char *first;

	two(s);
	sim_registry_put(s, "nginx", false);
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":\"nginx\"}"), 404, "");
	r = place(s, "{\"Image\":\"nginx\"}");
	first = sim_string(s, &r, "Node.Name");
	for (int i = 0; i < 10; i++) {
		r = place(s, "{\"Image\":\"nginx\"}");
		assert_string_equal(sim_string(s, &r, "Node.Name"), first);
	}
	sim_settle(s);
}

static may_suspend void placement_refuses_as_a_create(struct sim *s)
{
	two(s);
	sim_create(s, "web", NULL);
	assert_refused(sim_post(s, "/placement?name=web", "{\"Image\":\"busybox\"}"), 409,
		       "The name web is already assigned");
	assert_refused(place(s, "{"), 400, "");
	assert_refused(place(s, "{\"Image\":\"busybox\",\"Env\":[\"constraint:x==/(/\"]}"), 400,
		       "");
	sim_create(s, "free", NULL);
	sim_settle(s);
}

static may_suspend void plugins_are_joined(struct sim *s)
{
	struct sim_reply r;

	two(s);
	r = sim_get(s, "/plugins");
	assert_status(r, 200);
	assert_int_equal(json_count(r.json), 3);
	assert_true(str_contains(r.body, STR("\"Name\":\"n1/shared:latest\"")));
	assert_true(str_contains(r.body, STR("\"Name\":\"n2/shared:latest\"")));
	assert_true(str_contains(r.body, STR("\"Name\":\"only-on-n1\"")));
	sim_fault(s, sim_find_engine(s, "n2"), FAULT_GARBAGE, "GET /plugins", 1);
	assert_refused(sim_get(s, "/plugins"), 502, "n2: ");
	sim_fault_clear(s);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(nodes_are_listed),
		STORY(one_node_is_inspected),
		STORY(placement_tells_what_a_create_does),
		STORY(placement_knows_images),
		STORY(placement_knows_all_that_decides),
		STORY(placement_knows_a_clients_pull),
		STORY(placement_refuses_as_a_create),
		STORY(plugins_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
