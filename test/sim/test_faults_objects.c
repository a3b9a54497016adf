/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests about volumes and networks under every fault at every step: one clear error at most,
 * and afterwards nothing is claimed, no name is held, and what there is can be used.
 */
#include "sim/acting.h"

static may_suspend void volume_create_act(struct sim *s)
{
	act(s, "POST", "/volumes/create",
	    "{\"Name\":\"data\",\"Labels\":{\"com.docker.compose.project\":\"shop\"}}", NULL);
	check_answer(s, 201);
}

static may_suspend void volume_create_after(struct sim *s)
{
	assert_true(pool_count(s, sim_has_volume, "data") <= 1);
	if (acting.reply.status == 201)
		assert_int_equal(pool_count(s, sim_has_volume, "data"), 1);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"data\"}"), 201);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 1);
}

static const char user[] = "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}}";

static may_suspend void volume_user_act(struct sim *s)
{
	act(s, "POST", "/containers/create?name=x", user, NULL);
	check_answer(s, 201);
}

static may_suspend void volume_user_after(struct sim *s)
{
	if (acting.reply.status == 201)
		assert_int_equal(pool_count(s, sim_has_volume, "data"), 1);
	sim_create(s, "another", user);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 1);
}

static may_suspend void volume_remove_prepare(struct sim *s)
{
	two_nodes(s);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"data\"}"), 201);
}

static may_suspend void volume_remove_act(struct sim *s)
{
	act(s, "DELETE", "/volumes/data", NULL, NULL);
	check_answer(s, 204);
}

static may_suspend void volume_remove_after(struct sim *s)
{
	if (acting.reply.status == 204)
		assert_int_equal(pool_count(s, sim_has_volume, "data"), 0);
	assert_status(sim_delete(s, "/volumes/data?force=1"), 204);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 0);
}

static may_suspend void volume_prune_prepare(struct sim *s)
{
	two_nodes(s);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n1/data\"}"), 201);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n2/data\"}"), 201);
}

static may_suspend void volume_prune_act(struct sim *s)
{
	act(s, "POST", "/volumes/prune", NULL, NULL);
	check_answer(s, 200);
}

static may_suspend void volume_prune_after(struct sim *s)
{
	if (acting.reply.status == 200)
		assert_int_equal(pool_count(s, sim_has_volume, "data"), 0);
	assert_status(sim_post(s, "/volumes/prune", NULL), 200);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 0);
}

static may_suspend void image_brought_prepare(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("app:1"));
	sim_engine(s, "n2");
	sim_up(s);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n2/data\"}"), 201);
}

static may_suspend void image_brought_act(struct sim *s)
{
	act(s, "POST", "/containers/create?name=x",
	    "{\"Image\":\"app:1\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}}", NULL);
	check_answer(s, 201);
}

static may_suspend void image_brought_after(struct sim *s)
{
	size_t n = copies_of(s, "x");

	assert_true(n <= 1);
	if (acting.reply.status == 201)
		assert_string_equal(sim_node_of(s, "x"), "n2");
	if (n)
		return;
	sim_create(s, "x", "{\"Image\":\"app:1\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}}");
	assert_string_equal(sim_node_of(s, "x"), "n2");
}

static may_suspend void network_create_act(struct sim *s)
{
	act(s, "POST", "/networks/create", "{\"Name\":\"front\"}", NULL);
	check_answer(s, 201);
}

/* Whatever the client heard: the name is taken where there is such a network, else free. */
static may_suspend void network_create_after(struct sim *s)
{
	size_t n = pool_count(s, sim_has_network, "front");

	assert_true(n <= 1);
	if (acting.reply.status == 201)
		assert_int_equal(n, 1);
	assert_status(sim_post(s, "/networks/create", "{\"Name\":\"front\"}"), n ? 409 : 201);
	assert_int_equal(pool_count(s, sim_has_network, "front"), 1);
}

static may_suspend void network_inspect_prepare(struct sim *s)
{
	two_nodes(s);
	sim_run_container(s, "x", NULL);
	sim_run_container(s, "y", NULL);
}

/* A node that does not tell is left out: what the others say is the answer. */
static may_suspend void network_inspect_act(struct sim *s)
{
	act(s, "GET", "/networks/bridge", NULL, NULL);
	check_answer(s, 200);
}

static may_suspend void network_inspect_after(struct sim *s)
{
	struct sim_reply r = sim_get(s, "/networks/bridge");

	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "Containers")), 2);
}

static may_suspend void network_connect_prepare(struct sim *s)
{
	two_nodes(s);
	assert_status(sim_post(s, "/networks/create", "{\"Name\":\"n1/front\"}"), 201);
	sim_run_container(s, "n1/web", NULL);
}

static may_suspend void network_connect_act(struct sim *s)
{
	act(s, "POST", "/networks/front/connect", "{\"Container\":\"web\"}", NULL);
	check_answer(s, 200);
}

static may_suspend void network_connect_after(struct sim *s)
{
	struct sim_reply r = sim_post(s, "/networks/front/connect", "{\"Container\":\"web\"}");

	assert_true(r.status == 200 || r.status == 403);
	assert_status(sim_post(s, "/networks/front/disconnect", "{\"Container\":\"web\"}"), 200);
}

static may_suspend void network_remove_prepare(struct sim *s)
{
	two_nodes(s);
	assert_status(sim_post(s, "/networks/create", "{\"Name\":\"front\"}"), 201);
}

static may_suspend void network_remove_act(struct sim *s)
{
	act(s, "DELETE", "/networks/front", NULL, NULL);
	check_answer(s, 204);
}

static may_suspend void network_remove_after(struct sim *s)
{
	struct sim_reply r;

	if (acting.reply.status == 204)
		assert_int_equal(pool_count(s, sim_has_network, "front"), 0);
	r = sim_delete(s, "/networks/front");
	assert_true(r.status == 204 || r.status == 404);
	assert_int_equal(pool_count(s, sim_has_network, "front"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_STORY(volume_create, two_nodes),
		FAULT_STORY(volume_user, two_nodes),
		FAULT_STORY(image_brought, image_brought_prepare),
		FAULT_STORY(volume_remove, volume_remove_prepare),
		FAULT_STORY(volume_prune, volume_prune_prepare),
		FAULT_STORY(network_create, two_nodes),
		FAULT_STORY(network_inspect, network_inspect_prepare),
		FAULT_STORY(network_connect, network_connect_prepare),
		FAULT_STORY(network_remove, network_remove_prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
