/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images where they are: what they draw, what goes to several nodes (load, tag, push, remove,
 * save), and their list. How they come there is test_pull.c's affair.
 */
#include "sim/pool.h"

#include "fiber/clock.h"
#include "http/url.h"

static may_suspend void a_built_image_draws_its_containers(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2", IMAGE("app:1"));
	sim_engine(s, "n3");
	sim_up(s);
	for (int i = 0; i < 5; i++) {
		struct sim_reply r = sim_post(s, "/containers/create", "{\"Image\":\"app:1\"}");

		assert_status(r, 201);
		assert_string_equal(sim_node_of(s, sim_string(s, &r, "Id")), "n2");
	}
	assert_int_equal(pool_calls(s, "POST /images/create"), 0);
	sim_settle(s);
}

static may_suspend void a_load_goes_everywhere(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	r = sim_post(s, "/images/load", "image app:1\nimage app:2\n");
	assert_status(r, 200);
	assert_int_equal(pool_count(s, sim_has_image, "app:1"), 3);
	assert_int_equal(pool_count(s, sim_has_image, "app:2"), 3);
	assert_int_equal(json_count(sim_get(s, "/images/json").json), 3);
	assert_status(sim_get(s, "/images/app:2/json"), 200);
	sim_settle(s);
}

/* As of an engine, whose answer has begun before it looks into an archive. */
static may_suspend void what_is_no_archive_is_said_in_the_stream(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 3);
	r = sim_post(s, "/images/load", "nonsense");
	assert_status(r, 200);
	assert_str(r.body, "{\"errorDetail\":{\"message\":\"archive/tar: invalid tar header\"},"
			   "\"error\":\"archive/tar: invalid tar header\"}\r\n");
	sim_settle(s);
}

/* One that takes no byte while the others wait is left behind, and named. */
static may_suspend void a_stuck_node_does_not_hold_up_a_load(struct sim *s)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct sim_reply r;
	int64_t began, took;

	pool_up(s, 3);
	strbuf_add(&body, STR("image app:1\n"));
	while (body.n < 2 * MIB)
		strbuf_add(&body, STR("padding padding padding padding padding padding\n"));
	sim_fault(s, sim_find_engine(s, "n2"), FAULT_STALL, "POST /images/load", 3);
	began = clock_now();
	r = sim_post(s, "/images/load", body.p);
	took = clock_now() - began;
	assert_true(sim_fault_fired(s));
	assert_true(took >= 60 * SECOND && took < 62 * SECOND);
	assert_int_equal(count_lines(r, "errorDetail"), 1);
	assert_true(str_contains(r.body, STR("n2")));
	assert_true(sim_has_image(sim_find_engine(s, "n1"), "app:1"));
	assert_true(sim_has_image(sim_find_engine(s, "n3"), "app:1"));
	sim_fault_clear(s);
	sim_settle(s);
}

static may_suspend void a_tag_goes_where_the_image_is(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("app:1"));
	sim_engine(s, "n2", IMAGE("app:1"));
	sim_engine(s, "n3");
	sim_up(s);
	assert_status(sim_post(s, "/images/app:1/tag?repo=app&tag=2", NULL), 201);
	assert_int_equal(pool_count(s, sim_has_image, "app:2"), 2);
	assert_status(sim_get(s, "/images/app:2/json"), 200);
	assert_refused(sim_post(s, "/images/other/tag?repo=app&tag=2", NULL), 404,
		       "No such image: other");
	sim_settle(s);
}

/* Without a tag all tags are pushed, from a node that has them. */
static may_suspend void a_push_of_all_tags_goes_where_they_are(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("app:1"));
	sim_engine(s, "n2", IMAGE("app:1"), IMAGE("app:2"), IMAGE("app/other:3"));
	sim_engine(s, "n3", IMAGE("split:1"), IMAGE("reg:5000/split:2"));
	sim_up(s);
	assert_status(sim_post(s, "/images/app/push", NULL), 200);
	assert_int_equal(sim_calls(sim_find_engine(s, "n2"), "POST /images/app/push"), 1);
	assert_status(sim_post(s, "/images/app/push?tag=2", NULL), 200);
	assert_int_equal(sim_calls(sim_find_engine(s, "n2"), "POST /images/app/push"), 2);
	assert_status(sim_post(s, "/images/reg:5000/split/push", NULL), 200);
	sim_local(sim_find_engine(s, "n1"), 201, "POST", "/images/app:1/tag?repo=split&tag=4");
	sim_wait(s, sim_get(s, "/images/split:4/json").status == 200);
	assert_refused(sim_post(s, "/images/split/push", NULL), 409, "no node has all tags");
}

/* In the words of an engine, which says it in the stream. */
static may_suspend void a_push_of_what_nobody_has_is_an_engines_to_refuse(struct sim *s)
{
	static const char *const paths[] = { "/images/nowhere/push", "/images/nowhere/push?tag=1" };

	pool_up(s, 3);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct sim_reply r = sim_post(s, paths[i], NULL);

		assert_status(r, 200);
		assert_int_equal(count_lines(r, "does not exist locally"), 1);
	}
	assert_refused(sim_post(s, "/images/No/push", NULL), 400, "must be lowercase");
	sim_settle(s);
}

static may_suspend void a_removal_goes_where_the_image_is(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", IMAGE("app:1"));
	sim_engine(s, "n2", IMAGE("app:1"));
	sim_engine(s, "n3");
	sim_up(s);
	r = sim_delete(s, "/images/app:1");
	assert_status(r, 200);
	assert_true(json_count(r.json) >= 2);
	assert_int_equal(pool_count(s, sim_has_image, "app:1"), 0);
	assert_refused(sim_delete(s, "/images/app:1"), 404, "No such image: app:1");
	sim_settle(s);
}

static may_suspend void an_image_in_use_is_kept(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("app:1"));
	sim_engine(s, "n2", IMAGE("app:1"));
	sim_engine(s, "n3");
	sim_up(s);
	assert_status(sim_post(s, "/containers/create", "{\"Image\":\"app:1\"}"), 201);
	assert_refused(sim_delete(s, "/images/app:1"), 409, "must force");
	sim_settle(s);
}

static may_suspend void the_list_is_one_of_ids(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", IMAGE("app:1"), PULLED_IMAGE("nginx"));
	sim_engine(s, "n2", IMAGE("app:1"));
	sim_engine(s, "n3", IMAGE("other"));
	sim_up(s);
	sim_local(sim_find_engine(s, "n2"), 201, "POST", "/images/app:1/tag?repo=app&tag=here");
	sim_wait(s, sim_get(s, "/images/app:here/json").status == 200);
	r = sim_get(s, "/images/json");
	assert_int_equal(json_count(r.json), 3);
	r = sim_get(s, "/images/json?filters=%7B%22node%22%3A%5B%22n3%22%5D%7D");
	assert_int_equal(json_count(r.json), 1);
	r = sim_get(s, "/images/json?filters=%7B%22reference%22%3A%5B%22app%22%5D%7D");
	assert_int_equal(json_count(r.json), 1);
	assert_int_equal(json_count(json_get(json_item(r.json, 0), "RepoTags")), 2);
	sim_settle(s);
}

static may_suspend int n_listed(struct sim *s, const char *filters)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct sim_reply r;

	strbuf_add(&path, STR("/images/json?filters="));
	http_encode_query(&path, str_from(filters));
	r = sim_get(s, path.p);
	assert_status(r, 200);
	return (int)json_count(r.json);
}

/* One node got it from its registry, the other from a mirror of that. */
static may_suspend void one_image_by_two_names(struct sim *s)
{
	sim_registry_put(s, "app:1", false);
	sim_registry_mirror(s, "mirror/app:1", "app:1");
	sim_engine(s, "n1", IMAGE("other"));
	sim_engine(s, "n2", IMAGE("other"));
	sim_local(sim_find_engine(s, "n1"), 200, "POST", "/images/create?fromImage=app&tag=1");
	sim_local(sim_find_engine(s, "n2"), 200, "POST",
		  "/images/create?fromImage=mirror/app&tag=1");
	sim_up(s);
}

/* As two registries call one image, and each node has it from another. */
static may_suspend void the_list_has_the_digests_of_all_nodes(struct sim *s)
{
	struct json names, entry;
	struct sim_reply r;
	struct str digests;

	one_image_by_two_names(s);
	r = sim_get(s, "/images/json?filters=%7B%22reference%22%3A%5B%22app%22,%22*/app%22%5D%7D");
	assert_int_equal(json_count(r.json), 1);
	entry = json_item(r.json, 0);
	names = json_get(entry, "RepoTags");
	assert_int_equal(json_count(names), 2);
	names = json_get(entry, "RepoDigests");
	digests = json_raw(names);
	assert_int_equal(json_count(names), 2);
	assert_true(str_contains(digests, STR("\"app@sha256:")));
	assert_true(str_contains(digests, STR("\"mirror/app@sha256:")));
	sim_settle(s);
}

/* The one entry that there is has this name, in both lists, and no other. */
static may_suspend void check_lists_only(struct sim *s, const char *filters, const char *repository)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct json entry, digests;
	struct sim_reply r;

	strbuf_add(&path, STR("/images/json?filters="));
	http_encode_query(&path, str_from(filters));
	r = sim_get(s, path.p);
	assert_status(r, 200);
	assert_int_equal(json_count(r.json), 1);
	entry = json_item(r.json, 0);
	assert_str(json_raw(json_get(entry, "RepoTags")), sim_text(s, "[\"%s:1\"]", repository));
	digests = json_get(entry, "RepoDigests");
	assert_int_equal(json_count(digests), 1);
	assert_true(str_starts(json_str(json_item(digests, 0)),
			       str_from(sim_text(s, "%s@sha256:", repository))));
}

/* Each node has the image under another name: what the other's copy says is not what is asked. */
static may_suspend void the_list_has_the_names_that_were_asked_for(struct sim *s)
{
	one_image_by_two_names(s);
	check_lists_only(s, "{\"reference\":[\"app\"]}", "app");
	check_lists_only(s, "{\"reference\":[\"mirror/app\"]}", "mirror/app");
	sim_settle(s);
}

/* Of one node the list tells what that has, and no name that is another's. */
static may_suspend void the_list_of_a_node_is_its_own(struct sim *s)
{
	one_image_by_two_names(s);
	check_lists_only(s, "{\"node\":[\"n1\"],\"reference\":[\"*app\",\"*/app\"]}", "app");
	check_lists_only(s, "{\"node\":[\"n2\"],\"since\":[\"other\"]}", "mirror/app");
	assert_int_equal(n_listed(s, "{\"node\":[\"n2\"],\"reference\":[\"app\"]}"), 0);
	sim_settle(s);
}

/* Without a value, or with both, it is "true", as for an engine. */
static may_suspend void the_list_of_what_dangles(struct sim *s)
{
	pool_up(s, 1);
	assert_int_equal(n_listed(s, "{\"dangling\":[\"false\"]}"), 1);
	assert_int_equal(n_listed(s, "{\"dangling\":{\"0\":true}}"), 1);
	assert_int_equal(n_listed(s, "{\"dangling\":[\"true\"]}"), 0);
	assert_int_equal(n_listed(s, "{\"dangling\":[]}"), 0);
	assert_int_equal(n_listed(s, "{\"dangling\":[\"true\",\"false\"]}"), 0);
	assert_refused(sim_get(s, "/images/json?filters=%7B%22dangling%22:[%22TRUE%22]%7D"), 400,
		       "Invalid filter 'dangling=[TRUE]'");
	sim_settle(s);
}

static may_suspend void a_reference_is_a_pattern(struct sim *s)
{
	pool_up(s, 1);
	assert_int_equal(n_listed(s, "{\"reference\":[\"b[t-v]s*\"]}"), 1);
	assert_int_equal(n_listed(s, "{\"reference\":[\"b[^u]s*\",\"x\"]}"), 0);
	assert_refused(sim_get(s, "/images/json?filters=%7B%22reference%22:[%22[%22]%7D"), 500,
		       "syntax error in pattern");
	assert_refused(sim_get(s, "/v1.24/images/json?filter=["), 500, "syntax error in pattern");
	sim_settle(s);
}

static may_suspend void the_list_of_what_is_older_or_newer(struct sim *s)
{
	static const struct {
		const char *filters, *expected; /* "": none */
	} cases[] = {
		{ "%7B%22before%22:[%22late:1%22]%7D", "[\"busybox:latest\"]" },
		{ "%7B%22since%22:[%22busybox%22]%7D", "[\"late:1\"]" },
		{ "%7B%22before%22:[%22busybox%22]%7D", "" },
		{ "%7B%22since%22:[%22late:1%22]%7D", "" },
	};

	pool_up(s, 2);
	sim_create(s, "a", NULL);
	sim_run(s, 5 * SECOND);
	assert_status(sim_post(s, "/commit?container=a&repo=late&tag=1", NULL), 201);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sim_reply r =
			sim_get(s, sim_text(s, "/images/json?filters=%s", cases[i].filters));

		assert_status(r, 200);
		assert_int_equal(json_count(r.json), cases[i].expected[0] ? 1 : 0);
		assert_str(json_raw(json_get(json_item(r.json, 0), "RepoTags")), cases[i].expected);
	}
	sim_settle(s);
}

/* Builds that are to give the same bytes again date their images to 1970. */
static may_suspend void what_is_of_1970_is_older_than_all(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("old:1"), IMAGE("new:1"));
	sim_date_image(sim_find_engine(s, "n1"), "old:1", 0);
	sim_up(s);
	assert_int_equal(n_listed(s, "{}"), 2);
	assert_int_equal(n_listed(s, "{\"before\":[\"old:1\"]}"), 0);
	assert_int_equal(n_listed(s, "{\"since\":[\"old:1\"]}"), 1);
	assert_int_equal(n_listed(s, "{\"before\":[\"new:1\"]}"), 1);
	sim_settle(s);
}

/* `docker images -f dangling=false app` sends both, before API 1.41. */
static may_suspend void the_old_filter_is_one_reference_more(struct sim *s)
{
	static const struct {
		const char *version, *query;
		size_t n;
	} cases[] = {
		{ "v1.24", "filter=app", 1 },
		{ "v1.24", "filter=app&filters=%7B%22dangling%22:[%22false%22]%7D", 1 },
		{ "v1.24", "filter=app&filters=%7B%22reference%22:[%22other%22]%7D", 2 },
		{ "v1.24", "filter=app&filters=%7B%22reference%22:[]%7D", 1 },
		{ "v1.40", "filter=app&filters=%7B%22dangling%22:[%22false%22]%7D", 1 },
		{ "v1.41", "filter=app&filters=%7B%22dangling%22:[%22false%22]%7D", 3 },
	};

	sim_engine(s, "n1", IMAGE("app:1"), IMAGE("other:1"), IMAGE("third:1"));
	sim_up(s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sim_reply r = sim_get(
			s, sim_text(s, "/%s/images/json?%s", cases[i].version, cases[i].query));

		assert_status(r, 200);
		assert_int_equal(json_count(r.json), cases[i].n);
	}
	sim_settle(s);
}

static struct json listed_as(struct sim *s, const char *path)
{
	struct sim_reply r = sim_get(s, path);

	assert_status(r, 200);
	assert_int_equal(json_count(r.json), 1);
	return json_item(r.json, 0);
}

/* An engine counts an image's users from version 1.51 on, and its own ones only. */
static may_suspend void the_list_counts_the_users_of_all_nodes(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("app:1"));
	sim_engine(s, "n2", API("1.24", "1.51"), IMAGE("app:1"));
	sim_up(s);
	for (int i = 0; i < 3; i++)
		assert_status(sim_post(s, "/containers/create", "{\"Image\":\"app:1\"}"), 201);
	assert_int_equal(json_get_i64(listed_as(s, "/v1.51/images/json"), "Containers", 0), 3);
	assert_int_equal(json_get_i64(listed_as(s, "/v1.50/images/json"), "Containers", 0), -1);
	assert_int_equal(json_get_i64(listed_as(s, "/v1.41/images/json"), "Containers", 0), -1);
	assert_true(json_exists(json_get(listed_as(s, "/v1.43/images/json"), "VirtualSize")));
	assert_false(json_exists(json_get(listed_as(s, "/v1.44/images/json"), "VirtualSize")));
	sim_settle(s);
}

/* The size in a list and the one of an image that is read anew are different sums there. */
static may_suspend void an_image_in_containerds_store_keeps_its_size(struct sim *s)
{
	int64_t size;

	sim_engine(s, "n1", API("1.24", "1.51"), CONTAINERD_STORE, IMAGE("app:1"));
	sim_up(s);
	size = json_get_i64(listed_as(s, "/v1.51/images/json"), "Size", 0);
	sim_local(sim_find_engine(s, "n1"), 201, "POST", "/images/app:1/tag?repo=app&tag=here");
	sim_wait(s, sim_get(s, "/images/app:here/json").status == 200);
	assert_int_equal(json_get_i64(listed_as(s, "/v1.51/images/json"), "Size", 0), size);
	assert_int_equal(json_get_i64(listed_as(s, "/v1.41/images/json"), "VirtualSize", 0), size);
	assert_true(json_exists(json_get(listed_as(s, "/v1.48/images/json"), "Descriptor")));
	assert_false(json_exists(json_get(listed_as(s, "/v1.47/images/json"), "Descriptor")));
	sim_settle(s);
}

/* Asked of the engines, where the client's version has it. */
static may_suspend void details_come_from_all_nodes(struct sim *s)
{
	struct json entry, manifest;

	sim_engine(s, "n1", IMAGE("app:1"));
	sim_engine(s, "n2", API("1.24", "1.51"), CONTAINERD_STORE, IMAGE("app:1"));
	sim_engine(s, "n3", API("1.24", "1.51"), CONTAINERD_STORE, IMAGE("app:1"));
	sim_up(s);
	for (int i = 0; i < 3; i++)
		assert_status(sim_post(s, "/containers/create", "{\"Image\":\"app:1\"}"), 201);
	entry = listed_as(s, "/v1.47/images/json?manifests=1");
	manifest = json_item(json_get(entry, "Manifests"), 0);
	assert_int_equal(json_count(json_path(manifest, "ImageData.Containers")), 2);
	assert_int_equal(json_get_i64(entry, "SharedSize", 0), -1);
	entry = listed_as(s, "/v1.46/images/json?manifests=1");
	assert_false(json_exists(json_get(entry, "Manifests")));
	entry = listed_as(s, "/v1.42/images/json?shared-size=1");
	assert_int_not_equal(json_get_i64(entry, "SharedSize", -1), -1);
	entry = listed_as(s, "/v1.41/images/json?shared-size=1");
	assert_int_equal(json_get_i64(entry, "SharedSize", 0), -1);

	/* A node that does not tell is no reason to have no list. */
	sim_fault(s, sim_find_engine(s, "n3"), FAULT_GARBAGE, "GET /images/json", 0);
	entry = listed_as(s, "/v1.47/images/json?manifests=1");
	manifest = json_item(json_get(entry, "Manifests"), 0);
	assert_int_equal(json_count(json_path(manifest, "ImageData.Containers")), 1);
	assert_true(sim_logged(s, "a node does not tell the details of its images"));
	sim_fault_clear(s);
	sim_settle(s);
}

/* What somebody committed, imported or built is there for the next request. */
static may_suspend void a_new_image_is_known_at_once(struct sim *s)
{
	pool_up(s, 3);
	sim_create(s, "a", NULL);
	assert_status(sim_post(s, "/commit?container=a&repo=mine&tag=1", NULL), 201);
	assert_status(sim_get(s, "/images/mine:1/json"), 200);
	assert_status(sim_post(s, "/containers/create", "{\"Image\":\"mine:1\"}"), 201);
	assert_status(sim_post(s, "/images/create?fromSrc=-&repo=raw&tag=1", NULL), 200);
	assert_status(sim_get(s, "/images/raw:1/json"), 200);
	assert_int_equal(pool_count(s, sim_has_image, "raw:1"), 1);
	sim_settle(s);
}

/* As the original: an import is on every node. */
static may_suspend void with_compat_an_import_goes_everywhere(struct sim *s)
{
	sim_config(s)->compat = true;
	pool_up(s, 3);
	assert_status(sim_post(s, "/images/create?fromSrc=-&repo=raw&tag=1", "a root"), 200);
	assert_int_equal(pool_count(s, sim_has_image, "raw:1"), 3);
	assert_status(sim_get(s, "/images/raw:1/json"), 200);
	sim_settle(s);
}

/* A node that has them all serves an archive of several, whichever is named first. */
static may_suspend void several_are_saved_where_all_are(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("one:1"));
	sim_engine(s, "n2", IMAGE("one:1"), IMAGE("two:1"));
	sim_engine(s, "n3", IMAGE("two:1"), IMAGE("three:1"));
	sim_up(s);
	assert_status(sim_get(s, "/images/get?names=one:1&names=two:1"), 200);
	assert_status(sim_get(s, "/images/get?names=two:1&names=one:1"), 200);
	assert_int_equal(pool_calls(s, "GET /images/get"), 2);
	assert_refused(sim_get(s, "/images/get?names=one:1&names=two:1&names=three:1"), 501,
		       "; three:1 is on n3)");
	assert_status(sim_get(s, "/images/get?names=one:1&names=nosuch"), 404);
	assert_int_equal(pool_calls(s, "GET /images/get"), 2);
	sim_settle(s);
}

/* Archives of app that the node was asked for. */
static size_t n_saved(struct sim *s, const char *node)
{
	const struct sim_engine *e = sim_find_engine(s, node);

	return sim_calls(e, "GET /images/get") + sim_calls(e, "GET /images/app/get") +
	       sim_calls(e, "GET /images/app:1/get");
}

/* As an engine, which saves all tags of what is named without one. */
static may_suspend void without_a_tag_all_tags_are_saved(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("app:1"), IMAGE("apart:1"), IMAGE("apart:latest"));
	sim_engine(s, "n2", IMAGE("app:1"), IMAGE("app:2"), IMAGE("app/other:3"));
	sim_engine(s, "n3", IMAGE("apart:2"), IMAGE("other:1"));
	sim_up(s);
	assert_status(sim_get(s, "/images/get?names=app"), 200);
	assert_status(sim_get(s, "/images/app/get"), 200);
	assert_status(sim_get(s, "/images/get?names=app&names=app/other"), 200);
	assert_int_equal(n_saved(s, "n2"), 3);
	assert_refused(sim_get(s, "/images/get?names=apart"), 501,
		       "(apart:1 is on n1; apart:2 is on n3; apart:latest is on n1)");
	assert_refused(sim_get(s, "/images/apart/get"), 501, "apart:2 is on n3");
	assert_refused(sim_get(s, "/images/get?names=app&names=other"), 501, "other:1 is on n3");
	assert_refused(sim_get(s, "/images/none/get"), 404, "No such image: none");
	sim_settle(s);
}

/* Of two images of one name the one that was given it last, as inspect shows it. */
static may_suspend void the_latest_of_a_name_is_saved(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("app:1"), IMAGE("one"));
	sim_engine(s, "n2", IMAGE("app:1"), IMAGE("two"));
	sim_up(s);
	assert_status(sim_post(s, "/images/one/tag?repo=app&tag=1", NULL), 201);
	sim_run(s, SECOND);
	assert_status(sim_get(s, "/images/get?names=app:1"), 200);
	assert_status(sim_get(s, "/images/app:1/get"), 200);
	assert_int_equal(n_saved(s, "n1"), 2);
	assert_status(sim_post(s, "/images/two/tag?repo=app&tag=1", NULL), 201);
	sim_run(s, SECOND);
	assert_status(sim_get(s, "/images/get?names=app:1"), 200);
	assert_status(sim_get(s, "/images/app:1/get"), 200);
	assert_int_equal(n_saved(s, "n2"), 2);
	sim_settle(s);
}

static may_suspend void a_short_id_is_saved_where_it_is(struct sim *s)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct sim_reply r;

	sim_engine(s, "n1", IMAGE("other:1"));
	sim_engine(s, "n2", IMAGE("app:1"));
	sim_up(s);
	r = sim_get(s, "/images/app:1/json");
	strbuf_addf(&path, "/images/get?names=%.12s", sim_string(s, &r, "Id") + strlen("sha256:"));
	assert_status(sim_get(s, path.p), 200);
	assert_int_equal(sim_calls(sim_find_engine(s, "n2"), "GET /images/get"), 1);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_built_image_draws_its_containers),
		STORY(a_load_goes_everywhere),
		STORY(what_is_no_archive_is_said_in_the_stream),
		STORY(a_stuck_node_does_not_hold_up_a_load),
		STORY(a_tag_goes_where_the_image_is),
		STORY(a_push_of_all_tags_goes_where_they_are),
		STORY(a_push_of_what_nobody_has_is_an_engines_to_refuse),
		STORY(a_removal_goes_where_the_image_is),
		STORY(an_image_in_use_is_kept),
		STORY(the_list_is_one_of_ids),
		STORY(the_list_has_the_digests_of_all_nodes),
		STORY(the_list_has_the_names_that_were_asked_for),
		STORY(the_list_of_a_node_is_its_own),
		STORY(the_list_of_what_dangles),
		STORY(the_list_of_what_is_older_or_newer),
		STORY(what_is_of_1970_is_older_than_all),
		STORY(a_reference_is_a_pattern),
		STORY(the_old_filter_is_one_reference_more),
		STORY(the_list_counts_the_users_of_all_nodes),
		STORY(an_image_in_containerds_store_keeps_its_size),
		STORY(details_come_from_all_nodes),
		STORY(a_new_image_is_known_at_once),
		STORY(several_are_saved_where_all_are),
		STORY(without_a_tag_all_tags_are_saved),
		STORY(the_latest_of_a_name_is_saved),
		STORY(a_short_id_is_saved_where_it_is),
		STORY(with_compat_an_import_goes_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
