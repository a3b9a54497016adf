/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes of the pool: their names, where they are made, whom they draw, how they go.
 */
#include "sim/pool.h"

#include "http/url.h"

static struct sim_engine *node(struct sim *s, const char *name)
{
	return sim_find_engine(s, name);
}

/* The node that has the volume. */
static const char *home(struct sim *s, const char *volume)
{
	for (int i = 1; i <= 3; i++)
		if (sim_has_volume(node(s, sim_text(s, "n%d", i)), volume))
			return sim_text(s, "n%d", i);
	fail_msg("volume %s is nowhere", volume);
	return NULL;
}

static may_suspend struct sim_reply make(struct sim *s, const char *name)
{
	return sim_post(s, "/volumes/create", sim_text(s, "{\"Name\":\"%s\"}", name));
}

static may_suspend struct sim_reply list(struct sim *s, const char *filters)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_add(&path, STR("/volumes?filters="));
	http_encode_query(&path, str_from(filters));
	return sim_get(s, path.p);
}

/* "a n1/b n2/b" */
static may_suspend const char *names(struct sim *s, const char *filters)
{
	struct sim_reply r = list(s, filters);
	struct json_iter it = json_iter(json_get(r.json, "Volumes"));
	const char *text = "";
	struct json v;

	assert_status(r, 200);
	assert_int_equal(json_type(json_get(r.json, "Volumes")), JSON_ARRAY);
	while (json_next(&it, NULL, &v))
		text = sim_text(s, "%s%s%.*s", text, *text ? " " : "",
				STR_ARG(json_get_str(v, "Name")));
	return text;
}

static may_suspend const char *run_with(struct sim *s, const char *name, const char *volume)
{
	return sim_create(s, name,
			  sim_text(s,
				   "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"%s:/x\"]}}",
				   volume));
}

static may_suspend void it_is_made_once(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	r = make(s, "data");
	assert_status(r, 201);
	assert_string_equal(sim_string(s, &r, "Name"), "data");
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 1);
	/* The same name again is the same volume. */
	for (int i = 0; i < 4; i++)
		assert_status(make(s, "data"), 201);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 1);
	r = sim_get(s, "/volumes/data");
	assert_status(r, 200);
	assert_string_equal(sim_string(s, &r, "Name"), "data");
	assert_status(sim_get(s, sim_text(s, "/volumes/%s/data", home(s, "data"))), 200);
	assert_refused(sim_get(s, "/volumes/nowhere"), 404, "get nowhere: no such volume");
	assert_string_equal(names(s, "{}"), "data");
	sim_settle(s);
}

static may_suspend void its_name_may_say_where(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	r = make(s, "n2/data");
	assert_status(r, 201);
	assert_string_equal(sim_string(s, &r, "Name"), "data");
	assert_true(sim_has_volume(node(s, "n2"), "data"));
	/* Another of the name: from now on both say where they are. */
	r = make(s, "n3/data");
	assert_status(r, 201);
	assert_string_equal(sim_string(s, &r, "Name"), "n3/data");
	assert_string_equal(names(s, "{}"), "n2/data n3/data");
	assert_refused(sim_get(s, "/volumes/data"), 400, "n2/data, n3/data");
	r = sim_get(s, "/volumes/n3/data");
	assert_string_equal(sim_string(s, &r, "Name"), "n3/data");
	/* No node: a path perhaps, and the engine's to refuse. */
	assert_refused(make(s, "n9/data"), 400, "create n9/data: \"n9/data\" includes invalid");
	assert_refused(sim_delete(s, "/volumes/data"), 400, "ambiguous");
	assert_status(sim_delete(s, "/volumes/n3/data"), 204);
	assert_string_equal(names(s, "{}"), "data");
	sim_settle(s);
}

static may_suspend void its_labels_may_say_where(struct sim *s)
{
	sim_engine(s, "n1", LABEL("storage", "disk"));
	sim_engine(s, "n2", LABEL("storage", "ssd"));
	sim_engine(s, "n3", LABEL("storage", "disk"));
	sim_up(s);
	assert_status(sim_post(s, "/volumes/create",
			       "{\"Name\":\"fast\",\"Labels\":{\"com.docker.swarm.constraints\":"
			       "\"[\\\"storage==ssd\\\"]\"}}"),
		      201);
	assert_true(sim_has_volume(node(s, "n2"), "fast"));
	assert_refused(sim_post(s, "/volumes/create",
				"{\"Name\":\"no\",\"Labels\":{\"com.docker.swarm.whitelists\":"
				"\"[\\\"node==n7|n8\\\"]\"}}"),
		       500, "n7");
	sim_settle(s);
}

static may_suspend void a_shared_one_is_everywhere(struct sim *s)
{
	pool_up(s, 3);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"nfs\",\"Driver\":\"shared\"}"),
		      201);
	assert_int_equal(pool_count(s, sim_has_volume, "nfs"), 3);
	/* What the driver has everywhere is made once. */
	assert_int_equal(pool_calls(s, "POST /volumes/create"), 1);
	sim_settle(s);
	assert_string_equal(names(s, "{}"), "nfs");
	assert_status(sim_get(s, "/volumes/nfs"), 200);
	/* It draws nobody. */
	for (int i = 0; i < 3; i++)
		run_with(s, sim_text(s, "u%d", i), "nfs");
	for (int i = 1; i <= 3; i++)
		assert_int_equal(sim_count_containers(node(s, sim_text(s, "n%d", i))), 1);
	for (int i = 0; i < 3; i++)
		assert_status(sim_delete(s, sim_text(s, "/containers/u%d", i)), 204);
	assert_status(sim_delete(s, "/volumes/nfs"), 204);
	assert_int_equal(pool_count(s, sim_has_volume, "nfs"), 0);
	assert_string_equal(names(s, "{}"), "");
	sim_settle(s);
}

static may_suspend void a_driver_that_no_node_has_is_the_engines_refusal(struct sim *s)
{
	pool_up(s, 3);
	assert_refused(sim_post(s, "/volumes/create", "{\"Name\":\"v\",\"Driver\":\"flocker\"}"),
		       404, "plugin \"flocker\" not found");
	assert_status(make(s, "data"), 201);
	assert_refused(sim_post(s, "/volumes/create", "{\"Name\":\"data\",\"Driver\":\"shared\"}"),
		       409, "different driver");
	sim_settle(s);
}

static may_suspend void filters_are_an_engines(struct sim *s)
{
	pool_up(s, 3);
	assert_status(
		sim_post(s, "/volumes/create", "{\"Name\":\"n1/a\",\"Labels\":{\"k\":\"v\"}}"),
		201);
	assert_status(make(s, "n2/b"), 201);
	assert_status(make(s, "n3/b"), 201);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"nfs\",\"Driver\":\"shared\"}"),
		      201);
	run_with(s, "user", "n2/b");
	sim_settle(s);
	assert_string_equal(names(s, "{}"), "a n2/b n3/b nfs");
	assert_string_equal(names(s, "{\"label\":[\"k=v\"]}"), "a");
	assert_string_equal(names(s, "{\"label\":{\"k\":true}}"), "a");
	assert_string_equal(names(s, "{\"driver\":[\"shared\"]}"), "nfs");
	assert_string_equal(names(s, "{\"name\":[\"^b$\"]}"), "n2/b n3/b");
	assert_string_equal(names(s, "{\"name\":[\"n3/b\"]}"), "n3/b");
	/* What has no node in it says nothing of nodes, which are all named n. */
	assert_string_equal(names(s, "{\"name\":[\"n\"]}"), "nfs");
	assert_string_equal(names(s, "{\"name\":[\"^n2\"]}"), "");
	assert_string_equal(names(s, "{\"name\":[\"n\",\"n3/b\"]}"), "n3/b nfs");
	assert_string_equal(names(s, "{\"node\":[\"n2\"]}"), "n2/b nfs");
	assert_string_equal(names(s, "{\"dangling\":[\"true\"]}"), "a n3/b nfs");
	assert_string_equal(names(s, "{\"dangling\":[\"false\"]}"), "n2/b");
	assert_refused(list(s, "{\"dangling\":[\"maybe\"]}"), 400,
		       "Invalid filter 'dangling=[maybe]'");
	assert_refused(list(s, "{\"colour\":[\"red\"]}"), 400, "Invalid filter 'colour'");
	sim_settle(s);
}

static may_suspend void users_go_where_it_is(struct sim *s)
{
	pool_up(s, 3);
	assert_status(make(s, "data"), 201);
	for (int i = 0; i < 4; i++)
		assert_string_equal(sim_node_of(s, run_with(s, sim_text(s, "b%d", i), "data")),
				    home(s, "data"));
	assert_string_equal(
		sim_node_of(s, sim_create(s, "mounted",
					  "{\"Image\":\"busybox\",\"HostConfig\":{\"Mounts\":[{"
					  "\"Type\":\"volume\",\"Source\":\"data\",\"Target\":"
					  "\"/x\"}]}}")),
		home(s, "data"));
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 1);
	sim_settle(s);
}

static may_suspend void a_new_one_draws_from_then_on(struct sim *s)
{
	const char *first;

	pool_up(s, 3);
	first = sim_node_of(s, run_with(s, "a", "fresh"));
	for (int i = 0; i < 4; i++)
		assert_string_equal(sim_node_of(s, run_with(s, sim_text(s, "b%d", i), "fresh")),
				    first);
	assert_int_equal(pool_count(s, sim_has_volume, "fresh"), 1);
	sim_settle(s);
}

struct user {
	struct sim *s;
	const char *method;
	struct sim_reply reply;
};

static may_suspend void create_user(void *arg)
{
	struct user *u = arg;

	u->reply = sim_post(u->s, "/containers/create",
			    "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"fresh:/x\"]}}");
}

static may_suspend void create_volume(void *arg)
{
	struct user *u = arg;

	u->reply = make(u->s, "fresh");
}

static may_suspend void creates_in_flight_land_together(struct sim *s)
{
	struct user users[6];

	pool_up(s, 3);
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		users[i] = (struct user){ .s = s };
		sim_go(s, "user", i % 3 == 2 ? create_volume : create_user, &users[i]);
	}
	sim_join(s);
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		assert_status(users[i].reply, 201);
	assert_int_equal(pool_count(s, sim_has_volume, "fresh"), 1);
	assert_int_equal(sim_count_containers(node(s, home(s, "fresh"))), 4);
	sim_settle(s);
}

static may_suspend void a_name_with_its_node_is_the_engines_own_there(struct sim *s)
{
	pool_up(s, 3);
	assert_string_equal(sim_node_of(s, run_with(s, "a", "n2/data")), "n2");
	assert_true(sim_has_volume(node(s, "n2"), "data"));
	assert_string_equal(sim_node_of(s, run_with(s, "b", "n3/data")), "n3");
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 2);
	/* Either of them will do. */
	assert_string_not_equal(sim_node_of(s, run_with(s, "c", "data")), "n1");
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 2);
	sim_settle(s);
}

static may_suspend void what_cannot_meet_is_refused_with_the_reason(struct sim *s)
{
	pool_up(s, 3);
	assert_status(make(s, "n1/one"), 201);
	assert_status(make(s, "n2/two"), 201);
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"one:/x\","
				"\"two:/y\"]}}"),
		       500, "volume one is on n1; volume two is on n2");
	assert_refused(sim_post(s, "/containers/create?name=n3/web",
				"{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"one:/x\"]}}"),
		       500, "the container's name asks for another node; volume one is on n1");
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"Env\":[\"constraint:node==n2\"],"
				"\"HostConfig\":{\"Binds\":[\"one:/x\"]}}"),
		       500, "volume one is on n1");
	sim_settle(s);
}

/* Data is where it is: nothing is made anew elsewhere because its node is away. */
static may_suspend void it_keeps_its_users_while_its_node_is_down(struct sim *s)
{
	pool_up(s, 3);
	assert_status(make(s, "n2/data"), 201);
	sim_stop(node(s, "n2"));
	sim_wait(s, strcmp(sim_info_line(s, "n2", "Status"), "Unhealthy") == 0);
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}}"),
		       500, "volume data is on n2");
	assert_refused(sim_get(s, "/volumes/data"), 500, "volume data is on unhealthy node n2");
	assert_refused(make(s, "data"), 500, "volume data is on unhealthy node n2");
	assert_string_equal(names(s, "{}"), "data");
	sim_start(node(s, "n2"));
	sim_wait(s, sim_get(s, "/volumes/data").status == 200);
	sim_settle(s);
}

/* An image can be brought to a volume, and to what a user demands it cannot. */
static may_suspend void a_built_image_and_a_volume_meet(struct sim *s)
{
	const char *body = "{\"Image\":\"app:1\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}}";
	const char *other = "{\"Image\":\"app:1\",\"HostConfig\":{\"Binds\":[\"other:/x\"]}}";
	struct sim_reply r;

	sim_engine(s, "n1");
	sim_engine(s, "n2", IMAGE("app:1"));
	sim_engine(s, "n3");
	sim_up(s);
	assert_status(make(s, "n2/data"), 201);
	assert_string_equal(sim_node_of(s, sim_create(s, "a", body)), "n2");
	assert_status(make(s, "n3/other"), 201);
	r = sim_post(s, "/placement", other);
	assert_string_equal(sim_string(s, &r, "Image"), "brought");
	assert_false(sim_has_image(node(s, "n3"), "app:1"));
	assert_string_equal(sim_node_of(s, sim_create(s, "b", other)), "n3");
	assert_true(sim_has_image(node(s, "n3"), "app:1"));
	assert_false(sim_has_image(node(s, "n1"), "app:1"));
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"app:1\",\"Env\":[\"constraint:node==n1\"]}"),
		       500, "the image is not there");
	sim_settle(s);
}

static may_suspend void it_is_removed_where_it_is(struct sim *s)
{
	pool_up(s, 3);
	assert_status(make(s, "data"), 201);
	run_with(s, "user", "data");
	assert_refused(sim_delete(s, "/volumes/data"), 409, "volume is in use");
	assert_status(sim_delete(s, "/containers/user"), 204);
	assert_status(sim_delete(s, "/volumes/data"), 204);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 0);
	assert_string_equal(names(s, "{}"), "");
	assert_refused(sim_delete(s, "/volumes/data"), 404, "no such volume");
	assert_status(sim_delete(s, "/volumes/data?force=1"), 204);
	sim_settle(s);
}

static may_suspend void what_others_do_is_seen(struct sim *s)
{
	pool_up(s, 3);
	sim_local_create(node(s, "n1"), "local",
			 "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"made:/x\"]}}");
	sim_wait(s, sim_get(s, "/volumes/made").status == 200);
	sim_local(node(s, "n1"), 204, "DELETE", "/containers/local");
	sim_local(node(s, "n1"), 204, "DELETE", "/volumes/made");
	sim_wait(s, sim_get(s, "/volumes/made").status == 404);
	sim_settle(s);
}

static may_suspend void all_nodes_are_pruned(struct sim *s)
{
	struct sim_reply r;
	struct json deleted;

	pool_up(s, 3);
	assert_status(make(s, "n1/left"), 201);
	assert_status(make(s, "n2/left"), 201);
	assert_status(make(s, "n3/alone"), 201);
	run_with(s, "user", "kept");
	r = sim_post(s, "/volumes/prune", NULL);
	assert_status(r, 200);
	deleted = json_get(r.json, "VolumesDeleted");
	assert_int_equal(json_count(deleted), 3);
	assert_str(json_raw(deleted), "[\"n1/left\",\"n2/left\",\"alone\"]");
	assert_int_equal(json_get_i64(r.json, "SpaceReclaimed", 0), 300);
	assert_string_equal(names(s, "{}"), "kept");
	sim_settle(s);
}

static may_suspend void with_compat_it_is_on_every_node(struct sim *s)
{
	struct sim_reply r;

	sim_config(s)->compat = true;
	pool_up(s, 3);
	r = make(s, "data");
	assert_status(r, 201);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 3);
	assert_string_equal(names(s, "{}"), "n1/data n2/data n3/data");
	assert_status(sim_get(s, "/volumes/data"), 200);
	assert_status(make(s, "data"), 201);
	run_with(s, "user", "data");
	assert_status(sim_delete(s, "/containers/user"), 204);
	assert_status(sim_delete(s, "/volumes/data"), 204);
	assert_int_equal(pool_count(s, sim_has_volume, "data"), 0);
	sim_settle(s);
}

/* The first one's answer would be the client's. */
static may_suspend void with_compat_a_node_that_makes_no_sense_is_named(struct sim *s)
{
	sim_config(s)->compat = true;
	for (int i = 1; i <= 3; i++)
		sim_engine(s, sim_text(s, "n%d", i));
	sim_up(s);
	sim_script(sim_find_engine(s, "n1"), "POST /volumes/create", 201, "<html>");
	assert_refused(sim_post(s, "/volumes/create", "{\"Name\":\"data\"}"), 502, "n1: ");
	for (int i = 2; i <= 3; i++)
		assert_true(sim_has_volume(sim_find_engine(s, sim_text(s, "n%d", i)), "data"));
	sim_script(sim_find_engine(s, "n1"), NULL, 0, NULL);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(it_is_made_once),
		STORY(its_name_may_say_where),
		STORY(its_labels_may_say_where),
		STORY(a_shared_one_is_everywhere),
		STORY(a_driver_that_no_node_has_is_the_engines_refusal),
		STORY(filters_are_an_engines),
		STORY(users_go_where_it_is),
		STORY(a_new_one_draws_from_then_on),
		STORY(creates_in_flight_land_together),
		STORY(a_name_with_its_node_is_the_engines_own_there),
		STORY(what_cannot_meet_is_refused_with_the_reason),
		STORY(it_keeps_its_users_while_its_node_is_down),
		STORY(a_built_image_and_a_volume_meet),
		STORY(it_is_removed_where_it_is),
		STORY(what_others_do_is_seen),
		STORY(all_nodes_are_pruned),
		STORY(with_compat_it_is_on_every_node),
		STORY(with_compat_a_node_that_makes_no_sense_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
