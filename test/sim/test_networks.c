/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of the pool: their names, where they are made, whom they draw, who joins them.
 */
#include "sim/pool.h"

#include "http/url.h"

static may_suspend void swarm_of_three(struct sim *s)
{
	sim_engine(s, "n1", SWARM_MODE_MANAGER);
	sim_engine(s, "n2", SWARM_MODE_WORKER);
	sim_engine(s, "n3");
	sim_up(s);
}

static struct sim_engine *node(struct sim *s, const char *name)
{
	return sim_find_engine(s, name);
}

static const char *home(struct sim *s, const char *network)
{
	for (int i = 1; i <= 3; i++)
		if (sim_has_network(node(s, sim_text(s, "n%d", i)), network))
			return sim_text(s, "n%d", i);
	fail_msg("network %s is nowhere", network);
	return NULL;
}

static may_suspend struct sim_reply make(struct sim *s, const char *name, const char *more)
{
	return sim_post(s, "/networks/create", sim_text(s, "{\"Name\":\"%s\"%s}", name, more));
}

static may_suspend struct sim_reply list(struct sim *s, const char *filters)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_add(&path, STR("/networks?filters="));
	http_encode_query(&path, str_from(filters));
	return sim_get(s, path.p);
}

static may_suspend const char *names(struct sim *s, const char *filters)
{
	struct sim_reply r = list(s, filters);
	struct json_iter it = json_iter(r.json);
	const char *text = "";
	struct json v;

	assert_status(r, 200);
	while (json_next(&it, NULL, &v))
		text = sim_text(s, "%s%s%.*s", text, *text ? " " : "",
				STR_ARG(json_get_str(v, "Name")));
	return text;
}

static const char *on_network(struct sim *s, const char *network)
{
	return sim_text(s, "{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"%s\"}}",
			network);
}

#define CUSTOM "{\"type\":[\"custom\"]}"

static may_suspend void each_node_has_its_own_three(struct sim *s)
{
	pool_up(s, 3);
	assert_string_equal(names(s, "{}"),
			    "n1/bridge n1/host n1/none n2/bridge n2/host n2/none n3/bridge "
			    "n3/host n3/none");
	assert_string_equal(names(s, CUSTOM), "");
	assert_string_equal(names(s, "{\"name\":[\"^bridge$\"],\"node\":[\"n2\"]}"), "n2/bridge");
	sim_settle(s);
}

static may_suspend void one_node_has_plain_names(struct sim *s)
{
	sim_engine(s, "n1");
	sim_up(s);
	assert_string_equal(names(s, "{}"), "bridge host none");
	sim_settle(s);
}

static may_suspend void it_is_made_once(struct sim *s)
{
	struct sim_reply r;
	const char *id;

	pool_up(s, 3);
	r = make(s, "front", "");
	assert_status(r, 201);
	id = sim_string(s, &r, "Id");
	assert_int_equal(pool_count(s, sim_has_network, "front"), 1);
	assert_string_equal(names(s, CUSTOM), "front");
	r = sim_get(s, "/networks/front");
	assert_status(r, 200);
	assert_string_equal(sim_string(s, &r, "Name"), "front");
	assert_string_equal(sim_string(s, &r, "Driver"), "bridge");
	assert_status(sim_get(s, sim_text(s, "/networks/%s", id)), 200);
	assert_status(sim_get(s, sim_text(s, "/networks/%.12s", id)), 200);
	assert_status(sim_get(s, sim_text(s, "/networks/%s/front", home(s, "front"))), 200);
	assert_refused(make(s, "front", ""), 409, "network with name front already exists");
	assert_refused(make(s, "bridge", ""), 403, "predefined bridge network");
	assert_refused(sim_get(s, "/networks/nowhere"), 404, "network nowhere not found");
	sim_settle(s);
}

struct maker {
	struct sim *s;
	struct sim_reply reply;
};

static may_suspend void maker_main(void *arg)
{
	struct maker *m = arg;

	m->reply = make(m->s, "front", "");
}

static may_suspend void of_several_creates_one_wins(struct sim *s)
{
	struct maker makers[4];
	int made = 0;

	pool_up(s, 3);
	for (int i = 0; i < 4; i++) {
		makers[i] = (struct maker){ .s = s };
		sim_go(s, "maker", maker_main, &makers[i]);
	}
	sim_join(s);
	for (int i = 0; i < 4; i++) {
		made += makers[i].reply.status == 201;
		if (makers[i].reply.status != 201)
			assert_refused(makers[i].reply, 409, "already exists");
	}
	assert_int_equal(made, 1);
	assert_int_equal(pool_count(s, sim_has_network, "front"), 1);
	sim_settle(s);
}

static may_suspend void its_name_may_say_where(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	assert_status(make(s, "n2/front", ",\"Driver\":\"bridge\""), 201);
	assert_true(sim_has_network(node(s, "n2"), "front"));
	assert_string_equal(names(s, CUSTOM), "front");
	assert_refused(make(s, "n2/front", ""), 409, "already exists");
	assert_status(make(s, "n3/front", ""), 201);
	assert_string_equal(names(s, CUSTOM), "n2/front n3/front");
	assert_refused(sim_get(s, "/networks/front"), 400, "may be any of: n2/front (");
	assert_refused(sim_get(s, "/networks/front"), 400, "), n3/front (");
	assert_refused(sim_delete(s, "/networks/front"), 400, "ambiguous");
	r = sim_get(s, "/networks/n3/front");
	assert_string_equal(sim_string(s, &r, "Name"), "n3/front");
	assert_refused(make(s, "n9/x", ""), 400, "No such node: n9");
	assert_status(sim_delete(s, "/networks/n3/front"), 204);
	assert_string_equal(names(s, CUSTOM), "front");
	sim_settle(s);
}

static may_suspend void filters_are_an_engines(struct sim *s)
{
	const char *id;
	struct sim_reply r;

	pool_up(s, 3);
	r = make(s, "n1/a", ",\"Labels\":{\"k\":\"v\"}");
	assert_status(r, 201);
	id = sim_string(s, &r, "Id");
	assert_status(make(s, "n2/b", ",\"Driver\":\"macvlan\""), 201);
	sim_run_container(s, "user", on_network(s, "a"));
	sim_create(s, "stopped", on_network(s, "b"));
	assert_string_equal(names(s, "{\"label\":[\"k\"]}"), "a");
	assert_string_equal(names(s, "{\"driver\":[\"macvlan\"]}"), "b");
	assert_string_equal(names(s, sim_text(s, "{\"id\":[\"%s\"]}", id)), "a");
	assert_string_equal(names(s, "{\"name\":[\"^a$\"]}"), "a");
	assert_string_equal(names(s, "{\"name\":[\"n2/b$\"]}"), "b");
	assert_string_equal(names(s, "{\"name\":[\"n\"],\"type\":[\"custom\"]}"), "");
	assert_string_equal(names(s, "{\"scope\":[\"swarm\"]}"), "");
	assert_string_equal(names(s, "{\"dangling\":[\"true\"]}"), "b");
	assert_string_equal(names(s, "{\"dangling\":[\"0\"],\"type\":[\"custom\"]}"), "a");
	assert_refused(list(s, "{\"type\":[\"odd\"]}"), 400, "invalid filter: 'type'='odd'");
	assert_refused(list(s, "{\"colour\":[\"red\"]}"), 400, "Invalid filter 'colour'");
	sim_settle(s);
}

static may_suspend void a_bare_built_in_has_the_containers_of_all(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	for (int i = 0; i < 3; i++)
		sim_run_container(s, sim_text(s, "c%d", i), NULL);
	r = sim_get(s, "/networks/bridge");
	assert_status(r, 200);
	assert_string_equal(sim_string(s, &r, "Name"), "bridge");
	assert_int_equal(json_count(json_get(r.json, "Containers")), 3);
	r = sim_get(s, "/networks/n2/bridge");
	assert_string_equal(sim_string(s, &r, "Name"), "n2/bridge");
	assert_int_equal(json_count(json_get(r.json, "Containers")), 1);
	assert_refused(sim_delete(s, "/networks/bridge"), 403, "pre-defined network");
	sim_settle(s);
}

static may_suspend void it_draws_its_containers(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	assert_status(make(s, "front", ""), 201);
	for (int i = 0; i < 3; i++)
		assert_string_equal(sim_node_of(s, sim_run_container(s, sim_text(s, "c%d", i),
								     on_network(s, "front"))),
				    home(s, "front"));
	assert_string_equal(
		sim_node_of(s, sim_run_container(s, "e",
						 "{\"Image\":\"busybox\",\"NetworkingConfig\":{"
						 "\"EndpointsConfig\":{\"front\":{}}}}")),
		home(s, "front"));
	r = sim_get(s, "/networks/front");
	assert_int_equal(json_count(json_get(r.json, "Containers")), 4);
	sim_settle(s);
}

static may_suspend void node_names_are_the_engines_own_there(struct sim *s)
{
	pool_up(s, 3);
	assert_status(make(s, "n2/front", ""), 201);
	assert_status(make(s, "n3/front", ""), 201);
	assert_string_equal(sim_node_of(s, sim_run_container(s, "a", on_network(s, "n3/front"))),
			    "n3");
	assert_string_equal(sim_node_of(s, sim_run_container(s, "b", on_network(s, "n2/bridge"))),
			    "n2");
	assert_string_not_equal(sim_node_of(s, sim_run_container(s, "c", on_network(s, "front"))),
				"n1");
	sim_settle(s);
}

static may_suspend void what_cannot_meet_is_refused_with_the_reason(struct sim *s)
{
	pool_up(s, 3);
	assert_status(make(s, "n1/front", ""), 201);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n2/data\"}"), 201);
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"front\","
				"\"Binds\":[\"data:/x\"]}}"),
		       500, "volume data is on n2; network front is on n1");
	sim_settle(s);
}

static may_suspend void containers_join_and_leave(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	assert_status(make(s, "n2/front", ""), 201);
	sim_run_container(s, "n2/web", NULL);
	sim_run_container(s, "n1/far", NULL);
	assert_status(sim_post(s, "/networks/front/connect", "{\"Container\":\"web\"}"), 200);
	r = sim_get(s, "/networks/front");
	assert_int_equal(json_count(json_get(r.json, "Containers")), 1);
	r = sim_get(s, "/containers/json?filters=%7B%22network%22%3A%5B%22front%22%5D%7D");
	assert_int_equal(json_count(r.json), 1);
	r = sim_get(s, "/containers/json?filters=%7B%22network%22%3A%5B%22n2/front%22%5D%7D");
	assert_int_equal(json_count(r.json), 1);
	r = sim_get(s, "/containers/json?filters=%7B%22network%22%3A%5B%22n1/front%22%5D%7D");
	assert_int_equal(json_count(r.json), 0);
	assert_status(sim_post(s, "/networks/n2/front/disconnect",
			       "{\"Container\":\"n2/web\",\"Force\":false}"),
		      200);
	r = sim_get(s, "/networks/front");
	assert_int_equal(json_count(json_get(r.json, "Containers")), 0);
	/* The bridge that is meant is that of the container's node. */
	assert_status(sim_post(s, "/networks/bridge/disconnect", "{\"Container\":\"web\"}"), 200);
	assert_status(sim_post(s, "/networks/bridge/connect", "{\"Container\":\"web\"}"), 200);
	assert_refused(sim_post(s, "/networks/front/connect", "{\"Container\":\"far\"}"), 404,
		       "network front not found on n1");
	assert_refused(sim_post(s, "/networks/front/connect", "{\"Container\":\"nobody\"}"), 404,
		       "No such container: nobody");
	assert_refused(sim_post(s, "/networks/nowhere/connect", "{\"Container\":\"web\"}"), 404,
		       "network nowhere not found");
	assert_refused(sim_post(s, "/networks/front/connect", "{}"), 400,
		       "invalid name or ID supplied: \"\"");
	assert_refused(
		sim_post(s, "/networks/front/disconnect", "{\"Container\":\"\",\"Force\":true}"),
		400, "invalid name or ID supplied: \"\"");
	sim_settle(s);
}

/* Of 17 ids two at least begin alike. */
static may_suspend void the_beginning_of_several_ids_is_refused(struct sim *s)
{
	static const char *const words = "is ambiguous, it may be any of: n";
	const char *digit = "";
	struct json network;
	struct sim_reply r;
	struct json_iter it;
	int n[128] = { 0 };

	pool_up(s, 3);
	for (int i = 0; i < 8; i++)
		assert_status(make(s, sim_text(s, "n1/net%d", i), ""), 201);
	sim_run_container(s, "web", NULL);
	r = list(s, "{}");
	assert_int_equal(json_count(r.json), 17);
	it = json_iter(r.json);
	while (json_next(&it, NULL, &network)) {
		int first = json_get_str(network, "Id").p[0];

		if (n[first]++)
			digit = sim_text(s, "%c", first);
	}
	assert_refused(sim_get(s, sim_text(s, "/networks/%s", digit)), 400, words);
	assert_refused(sim_delete(s, sim_text(s, "/networks/%s", digit)), 400, words);
	assert_refused(
		sim_post(s, sim_text(s, "/networks/%s/connect", digit), "{\"Container\":\"web\"}"),
		400, words);
	sim_settle(s);
}

/* A project of Compose can be started wherever its first network or volume landed. */
static may_suspend void a_project_is_together(struct sim *s)
{
	const char *labels = "\"Labels\":{\"com.docker.compose.project\":\"shop\"}";

	pool_up(s, 3);
	for (int i = 0; i < 4; i++) {
		assert_status(make(s, sim_text(s, "net%d", i), sim_text(s, ",%s", labels)), 201);
		assert_status(sim_post(s, "/volumes/create",
				       sim_text(s, "{\"Name\":\"vol%d\",%s}", i, labels)),
			      201);
		assert_string_equal(home(s, sim_text(s, "net%d", i)), home(s, "net0"));
		sim_create(s, sim_text(s, "c%d", i),
			   sim_text(s,
				    "{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":"
				    "\"net%d\",\"Binds\":[\"vol%d:/x\"]}}",
				    i, i));
	}
	/* Unless somebody says where. */
	assert_status(make(s, "n1/one", sim_text(s, ",%s", labels)), 201);
	assert_status(make(s, "n2/two", sim_text(s, ",%s", labels)), 201);
	assert_true(sim_has_network(node(s, "n2"), "two"));
	sim_settle(s);
}

static may_suspend void it_is_removed_where_it_is(struct sim *s)
{
	pool_up(s, 3);
	assert_status(make(s, "front", ""), 201);
	sim_run_container(s, "web", on_network(s, "front"));
	assert_refused(sim_delete(s, "/networks/front"), 403, "has active endpoints");
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	assert_status(sim_delete(s, "/networks/front"), 204);
	assert_int_equal(pool_count(s, sim_has_network, "front"), 0);
	assert_string_equal(names(s, CUSTOM), "");
	assert_refused(sim_delete(s, "/networks/front"), 404, "network front not found");
	assert_status(make(s, "front", ""), 201);
	sim_settle(s);
}

static may_suspend void all_nodes_are_pruned(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	assert_status(make(s, "n1/left", ""), 201);
	assert_status(make(s, "n2/left", ""), 201);
	assert_status(make(s, "n3/alone", ""), 201);
	assert_status(make(s, "n3/kept", ""), 201);
	sim_run_container(s, "user", on_network(s, "kept"));
	r = sim_post(s, "/networks/prune", NULL);
	assert_status(r, 200);
	assert_str(json_raw(json_get(r.json, "NetworksDeleted")),
		   "[\"n1/left\",\"n2/left\",\"alone\"]");
	assert_string_equal(names(s, CUSTOM), "kept");
	sim_settle(s);
}

static may_suspend void what_others_do_is_seen(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	assert_status(make(s, "n1/front", ""), 201);
	r = sim_get(s, "/networks/front");
	sim_local(node(s, "n1"), 204, "DELETE",
		  sim_text(s, "/networks/%s", sim_string(s, &r, "Id")));
	sim_wait(s, sim_get(s, "/networks/front").status == 404);
	sim_settle(s);
}

static may_suspend void without_a_driver_it_is_overlay_where_that_can_be(struct sim *s)
{
	struct sim_reply r;

	swarm_of_three(s);
	assert_status(make(s, "over", ""), 201);
	assert_true(sim_has_network(node(s, "n1"), "over"));
	r = sim_get(s, "/networks/over");
	assert_string_equal(sim_string(s, &r, "Driver"), "overlay");
	assert_string_equal(sim_string(s, &r, "Scope"), "swarm");
	assert_true(json_is_true(json_get(r.json, "Attachable")));
	/* Somebody who wants a bridge gets one, anywhere. */
	assert_status(make(s, "n3/own", ""), 201);
	r = sim_get(s, "/networks/own");
	assert_string_equal(sim_string(s, &r, "Driver"), "bridge");
	sim_settle(s);
}

/* Containers on either node of the swarm join it, and none on the third. */
static may_suspend void a_swarms_network_is_of_its_nodes(struct sim *s)
{
	struct sim_reply r;

	swarm_of_three(s);
	assert_status(make(s, "over", ",\"Driver\":\"overlay\",\"Attachable\":false"), 201);
	for (int i = 0; i < 4; i++)
		assert_string_not_equal(sim_node_of(s, sim_run_container(s, sim_text(s, "c%d", i),
									 on_network(s, "over"))),
					"n3");
	sim_run(s, SECOND);
	assert_int_equal(pool_count(s, sim_has_network, "over"), 2);
	assert_string_equal(names(s, CUSTOM), "over");
	assert_string_equal(names(s, "{\"scope\":[\"swarm\"],\"node\":[\"n2\"]}"), "over");
	r = sim_get(s, "/networks/over");
	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "Containers")), 4);
	assert_refused(make(s, "over", ""), 409, "already exists");
	assert_refused(sim_post(s, "/containers/create?name=n3/no", on_network(s, "over")), 500,
		       "network over is on");
	for (int i = 0; i < 4; i++)
		assert_status(sim_delete(s, sim_text(s, "/containers/c%d?force=1", i)), 204);
	assert_status(sim_delete(s, "/networks/over"), 204);
	assert_int_equal(pool_count(s, sim_has_network, "over"), 0);
	assert_string_equal(names(s, CUSTOM), "");
	sim_settle(s);
}

static may_suspend void a_lost_container_leaves_by_another_node(struct sim *s)
{
	swarm_of_three(s);
	assert_status(make(s, "over", ""), 201);
	sim_run_container(s, "n2/web", on_network(s, "over"));
	sim_cut(node(s, "n2"));
	sim_wait(s, strcmp(sim_info_line(s, "n2", "Status"), "Unhealthy") == 0);
	assert_refused(
		sim_post(s, "/networks/over/disconnect", "{\"Container\":\"web\",\"Force\":false}"),
		500, "running on unhealthy node n2");
	/* The manager is asked; this simulated one has no endpoint of it. */
	assert_int_equal(sim_calls(node(s, "n1"), "POST /networks/"), 1);
	assert_true(
		sim_post(s, "/networks/over/disconnect", "{\"Container\":\"web\",\"Force\":true}")
			.status != 200);
	assert_int_equal(sim_calls(node(s, "n1"), "POST /networks/"), 2);
	sim_heal(node(s, "n2"));
	sim_settle(s);
}

/* So many containers does the list tell of the network, as a client of that version sees it. */
static may_suspend size_t told_containers(struct sim *s, const char *version, const char *network)
{
	struct sim_reply r = sim_get(s, sim_text(s, "/%s/networks", version));
	struct json_iter it = json_iter(r.json);
	struct json entry;

	assert_status(r, 200);
	while (json_next(&it, NULL, &entry))
		if (json_str_eq(json_get(entry, "Name"), str_from(network)))
			return json_count(json_get(entry, "Containers"));
	fail_msg("%s is not listed", network);
	return 0;
}

/* Before API 1.28 a list told what only inspect tells since. */
static may_suspend void an_old_list_tells_the_containers(struct sim *s)
{
	const char *join = "{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"over\"}}";

	swarm_of_three(s);
	assert_status(make(s, "over", ",\"Driver\":\"overlay\",\"Attachable\":true"), 201);
	assert_status(make(s, "n3/local", ",\"Driver\":\"bridge\""), 201);
	sim_run_container(s, "n1/aa", join);
	sim_run_container(s, "n2/bb", join);
	assert_int_equal(told_containers(s, "v1.27", "over"), 2);
	assert_int_equal(told_containers(s, "v1.24", "over"), 2);
	assert_int_equal(told_containers(s, "v1.24", "local"), 0);
	assert_int_equal(told_containers(s, "v1.28", "over"), 0);

	/* A node that does not tell is no reason to have no list. */
	sim_fault(s, node(s, "n2"), FAULT_GARBAGE, "GET /networks", 0);
	assert_int_equal(told_containers(s, "v1.27", "over"), 1);
	sim_fault_clear(s);
	sim_settle(s);
}

static may_suspend void with_compat_names_are_long_and_overlay_is_meant(struct sim *s)
{
	sim_config(s)->compat = true;
	pool_up(s, 3);
	assert_refused(make(s, "over", ""), 503, "not a swarm manager");
	assert_status(make(s, "n2/front", ",\"Driver\":\"bridge\""), 201);
	assert_string_equal(names(s, CUSTOM), "n2/front");
	assert_status(sim_get(s, "/networks/front"), 200);
	sim_settle(s);
}

/* What others are configured from is a thing of its node; they are made beside it. */
static may_suspend void a_configuration_keeps_its_network(struct sim *s)
{
	struct sim_reply r;

	swarm_of_three(s);
	assert_status(make(s, "conf", ",\"ConfigOnly\":true"), 201);
	assert_string_equal(names(s, "{\"driver\":[\"overlay\"]}"), "");
	assert_status(make(s, "n3/other", ",\"ConfigOnly\":true,\"Driver\":\"macvlan\""), 201);
	for (int i = 0; i < 3; i++) {
		const char *name = sim_text(s, "from%d", i);

		r = make(s, name, ",\"ConfigFrom\":{\"Network\":\"other\"}");
		assert_status(r, 201);
		assert_string_equal(home(s, name), "n3");
		r = make(s, sim_text(s, "%sd", name),
			 ",\"Driver\":\"bridge\",\"ConfigFrom\":{\"Network\":\"n3/other\"}");
		assert_status(r, 201);
		assert_string_equal(home(s, sim_text(s, "%sd", name)), "n3");
	}
	assert_refused(make(s, "n1/from", ",\"ConfigFrom\":{\"Network\":\"other\"}"), 500,
		       "network other is not there");
	assert_refused(make(s, "lost", ",\"ConfigFrom\":{\"Network\":\"nowhere\"}"), 404,
		       "configuration network \"nowhere\" does not exist");
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(each_node_has_its_own_three),
		STORY(one_node_has_plain_names),
		STORY(it_is_made_once),
		STORY(of_several_creates_one_wins),
		STORY(its_name_may_say_where),
		STORY(filters_are_an_engines),
		STORY(a_bare_built_in_has_the_containers_of_all),
		STORY(it_draws_its_containers),
		STORY(node_names_are_the_engines_own_there),
		STORY(what_cannot_meet_is_refused_with_the_reason),
		STORY(containers_join_and_leave),
		STORY(the_beginning_of_several_ids_is_refused),
		STORY(a_project_is_together),
		STORY(it_is_removed_where_it_is),
		STORY(all_nodes_are_pruned),
		STORY(what_others_do_is_seen),
		STORY(without_a_driver_it_is_overlay_where_that_can_be),
		STORY(an_old_list_tells_the_containers),
		STORY(a_swarms_network_is_of_its_nodes),
		STORY(a_lost_container_leaves_by_another_node),
		STORY(with_compat_names_are_long_and_overlay_is_meant),
		STORY(a_configuration_keeps_its_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
