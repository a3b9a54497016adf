/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container is found and what it is called (section 4 of the contract), and what lists show
 * of it (section 6).
 */
#include "sim/sim.h"

#include "http/url.h"

static may_suspend const char *found(struct sim *s, const char *ref)
{
	struct sim_reply r = sim_get(s, sim_text(s, "/containers/%s/json", ref));

	assert_status(r, 200);
	return sim_string(s, &r, "Id");
}

/* GET /containers/json with more parameters ("all=1"), and filters as JSON or NULL. */
static may_suspend struct sim_reply list(struct sim *s, const char *more, const char *filters)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "/containers/json?%s", more);
	if (filters) {
		strbuf_add(&path, STR("&filters="));
		http_encode_query(&path, str_from(filters));
	}
	return sim_get(s, path.p);
}

static may_suspend size_t count_listed(struct sim *s, const char *more, const char *filters)
{
	struct sim_reply r = list(s, more, filters);

	assert_status(r, 200);
	return json_count(r.json);
}

/* ["/web", "/n1/web"] as the list has it for the container of that name. */
static may_suspend const char *names_listed(struct sim *s, const char *id)
{
	struct sim_reply r = list(s, "all=1", sim_text(s, "{\"id\":[\"%s\"]}", id));

	assert_status(r, 200);
	assert_int_equal(json_count(r.json), 1);
	return arena_cstr(sim_arena(s), json_raw(json_get(json_item(r.json, 0), "Names")));
}

static may_suspend void everything_finds_it(struct sim *s)
{
	struct sim_reply r;
	const char *id, *swarm_id;

	sim_engine(s, "n1");
	sim_up(s);
	id = sim_create(s, "web", NULL);
	r = sim_get(s, "/containers/web/json");
	swarm_id = arena_cstr(sim_arena(s), json_get_str(json_path(r.json, "Config.Labels"),
							 "com.docker.swarm.id"));
	assert_int_equal(strlen(swarm_id), 64);

	assert_string_equal(found(s, id), id);
	assert_string_equal(found(s, sim_text(s, "%.12s", id)), id);
	assert_string_equal(found(s, sim_text(s, "%.7s", id)), id);
	assert_string_equal(found(s, swarm_id), id);
	assert_string_equal(found(s, sim_text(s, "%.12s", swarm_id)), id);
	assert_string_equal(found(s, sim_text(s, "%.9s", swarm_id)), id);
	assert_string_equal(found(s, "n1/web"), id);
	assert_string_equal(found(s, "n1%2Fweb"), id);
	assert_string_equal(found(s, "/web"), id);
	assert_refused(sim_get(s, "/containers/we/json"), 404, "No such container: we");
	assert_refused(sim_get(s, "/containers/n2/web/json"), 404, "No such container: n2/web");
	assert_refused(sim_get(s, "/containers/web2/json"), 404, "No such container: web2");
	sim_settle(s);
}

static may_suspend void with_compat_the_node_is_in_each_name(struct sim *s)
{
	const char *id;

	sim_config(s)->compat = true;
	sim_engine(s, "n1");
	sim_up(s);
	id = sim_create(s, "web", NULL);
	assert_string_equal(names_listed(s, id), "[\"/n1/web\"]");
	assert_string_equal(found(s, "web"), id);
	assert_string_equal(found(s, "n1/web"), id);
	sim_settle(s);
}

/* Two engines' users chose the same name: both are there, and neither is simply "web". */
static may_suspend void two_of_one_name_go_by_their_nodes(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1"), *n2 = sim_engine(s, "n2");
	const char *one, *two;
	struct sim_reply r;

	sim_up(s);
	one = sim_local_create(n1, "web", NULL);
	two = sim_local_create(n2, "web", NULL);
	sim_run(s, SECOND);
	assert_string_equal(names_listed(s, one), "[\"/n1/web\"]");
	assert_string_equal(names_listed(s, two), "[\"/n2/web\"]");
	assert_string_equal(found(s, "n1/web"), one);
	assert_string_equal(found(s, "n2/web"), two);
	r = sim_get(s, "/containers/web/json");
	assert_refused(r, 400, "n1/web");
	assert_refused(r, 400, "n2/web");
	/* Inspect says the engine's own name. */
	r = sim_get(s, "/containers/n2/web/json");
	assert_string_equal(sim_string(s, &r, "Name"), "/web");

	assert_status(sim_delete(s, "/containers/n1/web"), 204);
	assert_string_equal(names_listed(s, two), "[\"/web\",\"/n2/web\"]");
	assert_string_equal(found(s, "web"), two);
	sim_settle(s);
}

static may_suspend void an_ambiguous_prefix_names_its_candidates(struct sim *s)
{
	const char *ids[40];
	struct sim_reply r;

	sim_engine(s, "n1");
	sim_up(s);
	/* Of 40 ids two begin with the same digit. */
	for (int i = 0; i < 40; i++)
		ids[i] = sim_create(s, sim_text(s, "container-%d", i), NULL);
	for (int i = 1; i < 40; i++) {
		if (ids[i][0] != ids[0][0])
			continue;
		r = sim_get(s, sim_text(s, "/containers/%c/json", ids[0][0]));
		assert_refused(r, 400, "ambiguous");
		assert_refused(r, 400, "container-0");
		return;
	}
	/* Once in a dozen seeds there is no such pair, and nothing to look at. */
}

static may_suspend void a_rename_is_seen_at_once(struct sim *s)
{
	const char *id;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	id = sim_create(s, "old", NULL);
	sim_create(s, "other", NULL);
	assert_refused(sim_post(s, "/containers/old/rename?name=other", NULL), 409,
		       "other is already assigned");
	assert_status(sim_post(s, "/containers/old/rename?name=new", NULL), 204);
	assert_string_equal(found(s, "new"), id);
	assert_refused(sim_get(s, "/containers/old/json"), 404, "No such container: old");
	assert_string_equal(names_listed(s, id),
			    sim_text(s, "[\"/new\",\"/%s/new\"]", sim_node_of(s, "new")));
	sim_create(s, "old", NULL);
	assert_refused(sim_post(s, "/containers/old/rename", NULL), 400, "");
	assert_refused(sim_post(s, "/containers/nothing/rename?name=x", NULL), 404,
		       "No such container: nothing");
	sim_settle(s);
}

/* What an engine draws is unique on it alone. */
static may_suspend void names_are_drawn_for_those_without(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	for (int i = 0; i < 20; i++)
		sim_create(s, NULL, NULL);
	r = list(s, "all=1", NULL);
	assert_int_equal(json_count(r.json), 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(json_count(json_get(json_item(r.json, i), "Names")), 2);
	r = sim_post(s, "/containers/create?name=/", "{\"Image\":\"busybox\"}");
	assert_refused(r, 400, "Invalid container name (/), only [a-zA-Z0-9]");
	sim_settle(s);
}

static may_suspend void ps_shows_what_runs(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	sim_create(s, "made", NULL);
	sim_run_container(s, "runs", NULL);
	sim_run_container(s, "done", "{\"Image\":\"busybox\",\"Cmd\":[\"exit\",\"3\"]}");
	sim_run(s, 3 * SECOND);
	assert_int_equal(count_listed(s, "", NULL), 1);
	assert_int_equal(count_listed(s, "all=1", NULL), 3);
	assert_int_equal(count_listed(s, "limit=2", NULL), 2);
	r = list(s, "", NULL);
	assert_str(json_get_str(json_item(r.json, 0), "Status"), "Up 3 seconds");
	r = list(s, "all=1", "{\"name\":[\"done\"]}");
	assert_str(json_get_str(json_item(r.json, 0), "Status"), "Exited (3) 3 seconds ago");
	r = list(s, "all=1", "{\"name\":[\"made\"]}");
	assert_str(json_get_str(json_item(r.json, 0), "Status"), "Created");
	sim_settle(s);
}

static may_suspend void filters_are_the_engines(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	sim_run_container(s, "n1/web1", "{\"Image\":\"busybox\",\"Labels\":{\"tier\":\"front\"}}");
	sim_run_container(s, "n2/web2", "{\"Image\":\"busybox\",\"Labels\":{\"tier\":\"back\"}}");
	sim_run_container(s, "n2/gone", "{\"Image\":\"busybox\",\"Cmd\":[\"exit\",\"5\"]}");
	sim_run(s, SECOND);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"web\"]}"), 2);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^/web1$\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"n2/web\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"label\":[\"tier\"]}"), 2);
	assert_int_equal(count_listed(s, "", "{\"label\":[\"tier=back\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"label\":{\"tier=front\":true}}"), 1);
	assert_int_equal(count_listed(s, "", "{\"status\":[\"exited\"]}"), 1);
	assert_int_equal(count_listed(s, "all=1", "{\"exited\":[\"5\"]}"), 1);
	assert_int_equal(count_listed(s, "all=1", "{\"exited\":[\"4\"]}"), 0);
	assert_int_equal(count_listed(s, "", "{\"node\":[\"n2\"]}"), 1);
	assert_int_equal(count_listed(s, "all=1", "{\"node\":[\"n2\"]}"), 2);
	assert_int_equal(count_listed(s, "", "{\"ancestor\":[\"busybox\"]}"), 2);
	assert_int_equal(count_listed(s, "", "{\"name\":[],\"id\":[],\"status\":[]}"), 2);
	assert_int_equal(count_listed(s, "all=1", "{\"exited\":[],\"publish\":[]}"), 3);
	assert_int_equal(count_listed(s, "", "{\"ancestor\":[]}"), 0);
	assert_int_equal(count_listed(s, "all=1", "{\"before\":[\"web2\"]}"), 1);
	assert_int_equal(count_listed(s, "all=1", "{\"since\":[\"web2\"]}"), 1);
	assert_refused(list(s, "", "{\"colour\":[\"red\"]}"), 400, "colour");
	assert_refused(list(s, "", "{\"status\":[\"asleep\"]}"), 400, "asleep");
	assert_refused(list(s, "", "no json"), 400, "");
	assert_refused(list(s, "", "{\"before\":[\"nobody\"]}"), 404, "No such container: nobody");
	sim_settle(s);
}

/* What is called by its whole name or its id is looked up, and found as if it were searched for. */
static may_suspend void filters_find_one(struct sim *s)
{
	_cleanup_(strbuf_fini) struct strbuf filters = STRBUF_INIT;
	const char *id;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	id = sim_run_container(s, "n1/web", NULL);
	assert_int_equal(count_listed(s, "", "{\"id\":[\"\"]}"), 0); /* though only one begins so */
	sim_run_container(s, "n2/web-2", NULL);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^web$\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^/?web$\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^/web$\",\"^web$\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^/web$\",\"^web-2$\"]}"), 2);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^/web$\",\"b-2\"]}"), 2);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^/we.$\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^web$\"],\"node\":[\"n2\"]}"), 0);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"^we$\"]}"), 0);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"n1/w\"]}"), 1);
	assert_int_equal(count_listed(s, "", "{\"name\":[\"n\",\"n1/web\"]}"), 1);

	strbuf_addf(&filters, "{\"id\":[\"%.12s\",\"%s\"]}", id, id);
	assert_int_equal(count_listed(s, "", filters.p), 1);
	strbuf_reset(&filters);
	strbuf_addf(&filters, "{\"id\":[\"%.12s\"],\"name\":[\"web-2\"]}", id);
	assert_int_equal(count_listed(s, "", filters.p), 0);
	assert_int_equal(count_listed(s, "", "{\"id\":[\"\"]}"), 0);
	sim_settle(s);
}

/* Ports of all addresses of a node are its own. */
static may_suspend void ports_are_the_nodes(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1");
	sim_up(s);
	sim_run_container(s, "web",
			  "{\"Image\":\"busybox\",\"HostConfig\":{\"PortBindings\":{\"80/tcp\":"
			  "[{\"HostPort\":\"8080\"}]}}}");
	r = list(s, "", NULL);
	assert_str(json_get_str(json_item(json_get(json_item(r.json, 0), "Ports"), 0), "IP"),
		   "10.0.0.1");
	r = sim_get(s, "/containers/web/json");
	assert_str(json_get_str(
			   json_item(json_get(json_path(r.json, "NetworkSettings.Ports"), "80/tcp"),
				     0),
			   "HostIp"),
		   "10.0.0.1");
	sim_settle(s);
}

static may_suspend void containers_of_a_dead_node_are_host_down(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1");
	struct sim_reply r;
	const char *id;

	sim_engine(s, "n2");
	sim_up(s);
	id = sim_run_container(s, "n1/web", NULL);
	sim_run_container(s, "n2/other", NULL);
	sim_cut(n1);
	sim_wait(s, strcmp(sim_info_line(s, "n1", "Status"), "Unhealthy") == 0);

	assert_int_equal(count_listed(s, "", NULL), 1);
	r = list(s, "all=1", "{\"name\":[\"web\"]}");
	assert_int_equal(json_count(r.json), 1);
	assert_str(json_get_str(json_item(r.json, 0), "Status"), "Host Down");
	assert_refused(sim_post(s, "/containers/web/stop", NULL), 500,
		       "Container web running on unhealthy node n1");
	assert_refused(sim_get(s, sim_text(s, "/containers/%s/json", id)), 500,
		       "running on unhealthy node n1");
	assert_refused(sim_post(s, "/containers/create?name=web", "{\"Image\":\"busybox\"}"), 409,
		       "web is already assigned");
	sim_heal(n1);
	sim_wait(s, sim_get(s, "/containers/web/json").status == 200);
	assert_int_equal(count_listed(s, "", NULL), 2);
	sim_settle(s);
}

static may_suspend void swarms_own_containers_are_hidden(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("busybox"), IMAGE("swarm"));
	sim_up(s);
	sim_run_container(s, "manager", "{\"Image\":\"swarm\"}");
	sim_run_container(s, "web", NULL);
	assert_int_equal(count_listed(s, "", NULL), 1);
	assert_int_equal(count_listed(s, "all=1", NULL), 2);
	sim_settle(s);
}

static may_suspend void what_happens_on_a_node_is_known(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1");
	const char *id;

	sim_up(s);
	id = sim_local_create(n1, "web", NULL);
	sim_run(s, 100 * MILLISECOND);
	sim_check(s);
	sim_local(n1, 204, "POST", "/containers/web/start");
	sim_run(s, 100 * MILLISECOND);
	sim_check(s);
	sim_local(n1, 204, "POST", "/containers/web/pause");
	sim_run(s, 100 * MILLISECOND);
	sim_check(s);
	sim_local(n1, 204, "POST", "/containers/web/unpause");
	sim_local(n1, 204, "POST", "/containers/web/rename?name=app");
	sim_run(s, 100 * MILLISECOND);
	sim_check(s);
	assert_string_equal(found(s, "app"), id);
	sim_local(n1, 204, "DELETE", "/containers/app?force=1");
	sim_run(s, 100 * MILLISECOND);
	sim_check(s);
	assert_refused(sim_get(s, "/containers/app/json"), 404, "No such container: app");
	sim_settle(s);
}

/* One container's news costs requests about that one, not about all. */
static may_suspend void news_of_one_lists_not_all(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1");
	size_t before;

	sim_up(s);
	for (int i = 0; i < 20; i++)
		sim_create(s, NULL, NULL);
	before = sim_calls(n1, "GET /containers/json?all=1 ");
	for (int i = 0; i < 10; i++) {
		sim_local_create(n1, sim_text(s, "c%d", i), NULL);
		sim_run(s, 100 * MILLISECOND);
	}
	assert_int_equal(sim_calls(n1, "GET /containers/json?all=1 "), before);
	sim_settle(s);
}

/* `docker rm --link web/db`: what is before the slash is the container that calls another so. */
static may_suspend void a_link_is_removed_where_it_leads_from(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	const char *id;

	sim_engine(s, "n2");
	id = sim_local_create(e, "store", "{\"Image\":\"busybox\"}");
	sim_local_create(e, "web",
			 "{\"Image\":\"busybox\",\"HostConfig\":{\"Links\":"
			 "[\"store:db\",\"store:base\"]}}");
	sim_up(s);
	assert_string_equal(names_listed(s, id),
			    "[\"/store\",\"/n1/store\",\"/web/db\",\"/web/base\"]");
	assert_status(sim_delete(s, "/containers/web/db?link=1"), 204);
	assert_string_equal(names_listed(s, id), "[\"/store\",\"/n1/store\",\"/web/base\"]");
	assert_status(sim_delete(s, "/containers/n1/web/base?v=1&link=1"), 204);
	assert_int_equal(sim_calls(e, "DELETE /containers/web/base?v=1&link=1"), 1);
	assert_string_equal(names_listed(s, id), "[\"/store\",\"/n1/store\"]");

	assert_refused(sim_delete(s, "/containers/web/db?link=1"), 404,
		       "No such container: web/db");
	assert_refused(sim_delete(s, "/containers/n1/web?link=1&force=1"), 500,
		       "cannot remove the default name");
	assert_refused(sim_delete(s, "/containers/web?link=1"), 500,
		       "cannot remove the default name");
	assert_refused(sim_delete(s, "/containers/nobody/db?link=1"), 404,
		       "No such container: nobody/db");
	assert_int_equal(sim_count_containers(e), 2);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(everything_finds_it),
		STORY(with_compat_the_node_is_in_each_name),
		STORY(two_of_one_name_go_by_their_nodes),
		STORY(an_ambiguous_prefix_names_its_candidates),
		STORY(a_rename_is_seen_at_once),
		STORY(names_are_drawn_for_those_without),
		STORY(ps_shows_what_runs),
		STORY(filters_are_the_engines),
		STORY(filters_find_one),
		STORY(ports_are_the_nodes),
		STORY(containers_of_a_dead_node_are_host_down),
		STORY(swarms_own_containers_are_hidden),
		STORY(what_happens_on_a_node_is_known),
		STORY(news_of_one_lists_not_all),
		STORY(a_link_is_removed_where_it_leads_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
