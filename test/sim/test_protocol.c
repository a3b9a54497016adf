/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients may send, and what they must not: versions, bad requests, connections that are cut;
 * each answered as an engine would, and the manager lives on.
 */
#include "sim/sim.h"

#include <stdio.h>

#include "fiber/deadline.h"

/* Sends the bytes, reads to the end of what comes (a second's silence is one): the whole answer. */
static may_suspend const char *say(struct sim *s, struct str bytes, bool end)
{
	_cleanup_(strbuf_fini) struct strbuf in = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *stream = sim_connect(s, "192.168.0.9");
	struct error *err = stream_write(stream, bytes);
	size_t n = 1;

	if (!err && end)
		err = stream_shutdown(stream);
	while (!err && n > 0) {
		_cleanup_(deadline_end) struct deadline d = deadline_begin(20 * SECOND);

		strbuf_reserve(&in, 16 * KIB);
		err = stream_read(stream, in.p + in.n, 16 * KIB, &n);
		strbuf_extend(&in, err ? 0 : n);
	}
	error_free(err);
	return arena_cstr(sim_arena(s), strbuf_str(&in));
}

static may_suspend void expect(struct sim *s, const char *request, bool end, int status,
			       const char *part)
{
	const char *answer = say(s, str_from(request), end);
	char line[40];

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(answer, line, strlen(line)) != 0 || !strstr(answer, part))
		fail_msg("not a %d with \"%s\": %.600s", status, part, answer);
	if (status >= 400 && (!strstr(answer, "{\"message\":\"") ||
			      !strstr(answer, "Content-Type: application/json\r\n")))
		fail_msg("no clear error: %.600s", answer);
}

/* After whatever was said, the manager serves. */
static may_suspend void lives_on(struct sim *s)
{
	assert_status(sim_get(s, "/_ping"), 200);
	assert_status(sim_get(s, "/containers/json"), 200);
}

static may_suspend void one_node(struct sim *s)
{
	sim_engine(s, "n1");
	sim_up(s);
}

static may_suspend void the_window_of_versions(struct sim *s)
{
	struct sim_reply r;

	one_node(s);
	assert_status(sim_get(s, "/v1.24/containers/json"), 200);
	assert_status(sim_get(s, "/v1.41/containers/json"), 200);
	assert_status(sim_get(s, "/containers/json"), 200);
	assert_refused(sim_get(s, "/v1.23/containers/json"), 400,
		       "client version 1.23 is too old. Minimum supported API version is 1.24");
	/* What skopeo asks, and by which version. */
	assert_refused(sim_get(s, "/v1.22/images/get?names=none"), 404, "none");
	assert_refused(sim_get(s, "/v1.21/images/get?names=none"), 400,
		       "client version 1.21 is too old. Minimum supported API version is 1.22");
	assert_refused(sim_get(s, "/v1.22/images/busybox/get"), 400,
		       "Minimum supported API version is 1.24");
	assert_refused(sim_get(s, "/v1.99/containers/json"), 400,
		       "client version 1.99 is too new. Maximum supported API version is");
	r = sim_get(s, "/_ping");
	assert_str(http_header(&r.headers, "Api-Version"), "1.41");
	assert_str(r.body, "OK");
	r = sim_request(s, "HEAD", "/_ping", NULL);
	assert_status(r, 200);
	assert_str(http_header(&r.headers, "Api-Version"), "1.41");
	assert_int_equal(r.body.n, 0);
	sim_settle(s);
}

/* The pool speaks what its oldest healthy node does. */
static may_suspend void the_lowest_version_is_advertised(struct sim *s)
{
	struct sim_engine *old;
	struct sim_reply r;

	sim_engine(s, "new", API("1.24", "1.47"));
	old = sim_engine(s, "old", API("1.12", "1.40"));
	sim_up(s);
	r = sim_get(s, "/version");
	assert_string_equal(sim_string(s, &r, "ApiVersion"), "1.40");
	assert_string_equal(sim_string(s, &r, "MinAPIVersion"), "1.24");
	/* Who negotiated before goes on, and each engine is asked in a version that it has. */
	for (int i = 0; i < 4; i++)
		assert_status(sim_post(s, "/v1.47/containers/create", "{\"Image\":\"busybox\"}"),
			      201);
	assert_int_equal(sim_count_containers(old), 2);
	sim_stop(old);
	sim_wait(s, strcmp(sim_info_line(s, "old", "Status"), "Unhealthy") == 0);
	r = sim_get(s, "/_ping");
	assert_str(http_header(&r.headers, "Api-Version"), "1.47");
	sim_start(old);
	sim_settle(s);
}

/* Lists come from memory, in the shape of the engines: each client gets the one that it knows. */
static may_suspend void lists_have_the_shape_of_the_clients_version(struct sim *s)
{
	static const char *const engines[] = { "1.24", "1.41", "1.51" };
	struct json entry;

	for (size_t i = 0; i < ARRAY_LEN(engines); i++)
		sim_engine(s, sim_text(s, "n%s", engines[i]), API("1.24", engines[i]),
			   IMAGE(sim_text(s, "of:%s", engines[i])), IMAGE("base"));
	sim_up(s);
	for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
		const char *path =
			"/v%s/images/json?filters=%%7B%%22reference%%22:[%%22of:%s%%22]%%7D";
		struct sim_reply r = sim_get(s, sim_text(s, path, "1.41", engines[i]));

		assert_int_equal(json_count(r.json), 1);
		entry = json_item(r.json, 0);
		assert_int_equal(json_get_i64(entry, "VirtualSize", -1),
				 json_get_i64(entry, "Size", -2));
		assert_str(json_raw(json_get(entry, "RepoDigests")), "null");
		r = sim_get(s, sim_text(s, path, "1.51", engines[i]));
		assert_str(json_raw(json_get(json_item(r.json, 0), "RepoDigests")), "[]");
	}
	assert_int_equal(json_count(sim_get(s, "/v1.40/images/json?filter=base").json), 1);
	assert_int_equal(json_count(sim_get(s, "/v1.41/images/json?filter=base").json), 4);
	/* Without a name: engines of 1.51 list no words for that. */
	sim_local(sim_find_engine(s, "n1.51"), 201, "POST", "/images/base/tag?repo=of&tag=1.51");
	sim_wait(s, json_count(sim_get(s, "/images/json?filters=%7B%22dangling%22:[%22true%22]%7D")
				       .json) == 1);
	entry = json_item(
		sim_get(s, "/v1.24/images/json?filters=%7B%22dangling%22:[%22true%22]%7D").json, 0);
	assert_str(json_raw(json_get(entry, "RepoTags")), "[\"<none>:<none>\"]");
	assert_str(json_raw(json_get(entry, "RepoDigests")), "[\"<none>@<none>\"]");
	entry = json_item(
		sim_get(s, "/v1.51/images/json?filters=%7B%22dangling%22:[%22true%22]%7D").json, 0);
	assert_str(json_raw(json_get(entry, "RepoTags")), "[]");
	assert_str(json_raw(json_get(entry, "RepoDigests")), "[]");
	sim_settle(s);
}

/* An engine that takes no version before 1.44 serves old clients all the same. */
static may_suspend void old_clients_reach_new_engines(struct sim *s)
{
	sim_engine(s, "n1", API("1.44", "1.51"));
	sim_up(s);
	assert_status(sim_post(s, "/v1.24/containers/create?name=x", "{\"Image\":\"busybox\"}"),
		      201);
	assert_status(sim_post(s, "/v1.24/containers/x/start", NULL), 204);
	assert_status(sim_get(s, "/v1.24/containers/x/json"), 200);
	sim_settle(s);
}

/* HttpHeaders of a client's config.json: what one node is asked for it carries them. */
static may_suspend void a_clients_own_headers_reach_the_engine(struct sim *s)
{
	static const struct http_header own[] = { { STR_INIT("X-Team"), STR_INIT("blue") },
						  { { NULL, 0 }, { NULL, 0 } } };
	const char *create = "POST /containers/create", *body = "{\"Image\":\"busybox\"}", *id;
	struct sim_engine *e = sim_engine(s, "n1");

	sim_up(s);
	assert_status(
		sim_request_as(s, "192.168.0.1", "POST", "/containers/create?name=web", body, own),
		201);
	assert_int_equal(sim_calls_with(e, create, "X-Team: blue"), 1);
	id = sim_create(s, "other", NULL);
	assert_int_equal(sim_calls_with(e, create, "X-Team: blue"), 1);

	assert_status(
		sim_request_as(s, "192.168.0.1", "POST", "/containers/other/start", NULL, own),
		204);
	assert_status(sim_request_as(s, "192.168.0.1", "GET", "/containers/other/json", NULL, own),
		      200);
	assert_status(sim_request_as(s, "192.168.0.1", "GET", "/images/busybox/json", NULL, own),
		      200);
	assert_int_equal(
		sim_calls_with(e, sim_text(s, "POST /containers/%s/start", id), "X-Team: blue"), 1);
	assert_int_equal(
		sim_calls_with(e, sim_text(s, "GET /containers/%s/json", id), "X-Team: blue"), 1);
	assert_int_equal(sim_calls_with(e, "GET /images/busybox/json", "X-Team: blue"), 1);
	sim_settle(s);
}

/* It speaks no version that it does not know, whatever the engines do. */
static may_suspend void what_is_newer_than_the_manager_is_not_advertised(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", API("1.24", "1.60"));
	sim_up(s);
	r = sim_get(s, "/version");
	assert_string_equal(sim_string(s, &r, "ApiVersion"), "1.51");
	assert_status(sim_get(s, "/v1.51/containers/json"), 200);
	assert_refused(sim_get(s, "/v1.52/containers/json"), 400,
		       "client version 1.52 is too new. Maximum supported API version is 1.51");
	sim_settle(s);
}

static may_suspend void the_pool_says_what_it_is(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", CPUS(4));
	sim_engine(s, "n2", CPUS(2), DOWN);
	sim_up(s);
	r = sim_get(s, "/version");
	assert_string_equal(sim_string(s, &r, "Version"), "swarm/2.0.0");
	r = sim_get(s, "/info");
	assert_status(r, 200);
	assert_int_equal(json_get_i64(r.json, "NCPU", 0), 4);
	assert_true(str_contains(r.body, STR("[\"Nodes\",\"2\"]")));
	assert_true(str_contains(r.body, STR("[\"Strategy\",\"spread\"]")));
	assert_true(str_contains(r.body, STR("[\"Role\",\"primary\"]")));
	assert_true(str_contains(r.body, STR("(unknown)")));
	sim_settle(s);
}

static may_suspend void unknown_paths_and_methods(struct sim *s)
{
	one_node(s);
	assert_refused(sim_get(s, "/nothing"), 404, "page not found");
	assert_refused(sim_get(s, "/v1.41/nothing/at/all"), 404, "page not found");
	assert_refused(sim_request(s, "PATCH", "/containers/json", NULL), 404, "page not found");
	assert_refused(sim_post(s, "/containers/json", NULL), 404, "page not found");
	assert_refused(sim_get(s, "/services"), 503, "not a swarm-mode cluster");
	assert_status(sim_get(s, "//v1.41//containers//json"), 200);
	assert_status(sim_get(s, "/v1.41/./containers/x/../json"), 200);
	lives_on(s);
}

static may_suspend void bad_bodies(struct sim *s)
{
	const char *create = "POST /containers/create HTTP/1.1\r\nHost: x\r\n";

	one_node(s);
	assert_refused(sim_post(s, "/containers/create", "{"), 400, "");
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":\"busybox\"} more"), 400, "");
	assert_refused(sim_post(s, "/containers/create", "\"text\""), 400, "");
	assert_refused(sim_post(s, "/containers/create", "nul"), 400, "");
	expect(s, sim_text(s, "%sContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", create),
	       false, 400, "application/json");
	/* Cut short: in the middle of the length promised, and of a chunk. */
	expect(s,
	       sim_text(s, "%sContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"Im",
			create),
	       true, 400, "");
	expect(s,
	       sim_text(s,
			"%sContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
			"10\r\n{\"Ima",
			create),
	       true, 400, "");
	expect(s,
	       sim_text(s,
			"%sContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
			"zz\r\n",
			create),
	       true, 400, "");
	lives_on(s);
	sim_settle(s);
}

static may_suspend void a_body_too_large(struct sim *s)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;

	one_node(s);
	strbuf_add(&body, STR("{\"Image\":\""));
	while (body.n < LIMIT_JSON_BODY + MIB)
		strbuf_add(&body, STR("0123456789012345678901234567890123456789"));
	strbuf_add(&body, STR("\"}"));
	assert_refused(sim_post(s, "/containers/create", body.p), 413, "");
	lives_on(s);
}

static may_suspend void heads_that_no_client_sends(struct sim *s)
{
	_cleanup_(strbuf_fini) struct strbuf large = STRBUF_INIT;

	one_node(s);
	expect(s, "GET /_ping\r\n\r\n", true, 400, "");
	expect(s, "GET /_ping HTTP/2.0\r\nHost: x\r\n\r\n", true, 400, "");
	expect(s, "\x16\x03\x01\x02\x01 hello, is this TLS?\r\n\r\n", true, 400, "");
	expect(s, "GET /_ping HTTP/1.1\r\nHost : x\r\n\r\n", true, 400, "");
	expect(s, "GET /_ping HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", true, 400, "");
	expect(s, "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", true, 400, "");
	expect(s,
	       "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
	       "Transfer-Encoding: chunked\r\n\r\n{}",
	       true, 400, "");
	strbuf_add(&large, STR("GET /_ping HTTP/1.1\r\nHost: x\r\nX-Large: "));
	while (large.n < LIMIT_HTTP_HEAD + 1024)
		strbuf_add(&large, STR("0123456789012345678901234567890123456789"));
	strbuf_add(&large, STR("\r\n\r\n"));
	expect(s, large.p, false, 431, "");
	assert_string_equal(say(s, STR(""), true), "");
	assert_string_equal(say(s, STR("GET /_ping HT"), true), "");
	lives_on(s);
}

static may_suspend void bad_filters(struct sim *s)
{
	static const char *const paths[] = {
		"/containers/json?filters=nonsense",
		"/containers/json?filters=%5B%5D",
		"/containers/json?filters=%7B%22name%22%3A1%7D",
		"/images/json?filters=nonsense",
		"/images/json?filters=%7B%22colour%22%3A%5B%22red%22%5D%7D",
		"/events?filters=nonsense",
		"/containers/json?limit=many",
	};

	one_node(s);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_refused(sim_get(s, paths[i]), 400, "");
	lives_on(s);
}

/* A name from outside is never part of a path of ours without being quoted. */
static may_suspend void names_are_no_paths(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");

	sim_up(s);
	sim_create(s, "x", NULL);
	assert_refused(sim_post(s, "/containers/x/rename?name=a%2F..%2Fb%3Fc%26d", NULL), 400,
		       "Invalid container name (a/../b?c&d)");
	assert_refused(sim_post(s, "/containers/create?name=..%2Fx%3Fy", "{\"Image\":\"busybox\"}"),
		       400, "");
	assert_int_equal(sim_calls(e, "POST /b"), 0);
	assert_refused(sim_get(s, "/images/..%2F..%2Finfo/json"), 404, "");
	sim_settle(s);
}

static may_suspend void requests_may_be_pipelined(struct sim *s)
{
	const char *answer;
	size_t n = 0;

	one_node(s);
	answer = say(s,
		     STR("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"
			 "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
			 "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n"
			 "Content-Type: application/json\r\n\r\n{\"Image\":\"busybox\"}"
			 "GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
		     false);
	for (const char *at = answer; (at = strstr(at, "HTTP/1.1 ")); at++)
		n++;
	assert_int_equal(n, 4);
	assert_non_null(strstr(answer, "HTTP/1.1 201 Created"));
	sim_settle(s);
}

static may_suspend void clients_may_be_slow(struct sim *s)
{
	static const char text[] = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";
	_cleanup_(stream_closep) struct stream *stream = NULL;
	char in[400];
	size_t n;

	one_node(s);
	stream = sim_connect(s, "192.168.0.9");
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		assert_ok(stream_write(stream, str_of(text + i, 1)));
		sim_run(s, 100 * MILLISECOND);
	}
	assert_ok(stream_read(stream, in, sizeof(in), &n));
	assert_true(str_starts(str_of(in, n), STR("HTTP/1.1 200 OK")));
	/* But not too slow: a head is there within ten seconds. */
	assert_ok(stream_write(stream, STR("GET /_ping HT")));
	sim_run(s, 11 * SECOND);
	assert_ok(stream_read(stream, in, sizeof(in), &n));
	assert_true(str_starts(str_of(in, n), STR("HTTP/1.1 408 ")));
	lives_on(s);
}

#define CREATE_OF(length)                                 \
	"POST /containers/create HTTP/1.1\r\nHost: x\r\n" \
	"Content-Type: application/json\r\nContent-Length: " length "\r\n\r\n"

/* A body has longer than a head, and an end too. */
static may_suspend void bodies_may_be_slow(struct sim *s)
{
	_cleanup_(stream_closep) struct stream *stream = NULL;
	char in[400];
	size_t n;

	one_node(s);
	stream = sim_connect(s, "192.168.0.9");
	assert_ok(stream_write(stream, STR(CREATE_OF("19") "{\"Image\":")));
	sim_run(s, LIMIT_BODY_TIME - SECOND);
	assert_ok(stream_write(stream, STR("\"busybox\"}")));
	assert_ok(stream_read(stream, in, sizeof(in), &n));
	assert_true(str_starts(str_of(in, n), STR("HTTP/1.1 201 ")));

	assert_ok(stream_write(stream, STR(CREATE_OF("19") "{\"Image\":")));
	sim_run(s, LIMIT_BODY_TIME + SECOND);
	assert_ok(stream_read(stream, in, sizeof(in), &n));
	assert_true(str_starts(str_of(in, n), STR("HTTP/1.1 408 ")));
	assert_true(str_contains(str_of(in, n), STR("the request's body took too long")));
	lives_on(s);
	sim_settle(s);
}

/* A thousand at once, each with a request of its own, and half of them gone before the answer. */
static may_suspend void a_thousand_clients(struct sim *s)
{
	struct stream *streams[1000];

	one_node(s);
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		streams[i] = sim_connect(s, sim_text(s, "192.168.%zu.%zu", i / 250, i % 250));
		assert_ok(stream_write(streams[i], STR("GET /info HTTP/1.1\r\nHost: x\r\n\r\n")));
	}
	for (size_t i = 0; i < ARRAY_LEN(streams); i += 2)
		stream_abort(take(streams[i]));
	for (size_t i = 1; i < ARRAY_LEN(streams); i += 2) {
		char in[64];
		size_t n;

		assert_ok(stream_read(streams[i], in, sizeof(in), &n));
		assert_true(str_starts(str_of(in, n), STR("HTTP/1.1 200 OK")));
		stream_close(take(streams[i]));
	}
	lives_on(s);
	sim_settle(s);
}

/* An answer of each kind: from memory, an engine's, an error, a stream, and before a real request. */
static may_suspend void expect_headers(struct sim *s, bool cors)
{
	static const struct {
		const char *method, *path;
		int status;
	} asked[] = {
		{ "GET", "/info", 200 },
		{ "HEAD", "/_ping", 200 },
		{ "GET", "/v1.41/containers/json", 200 },
		{ "GET", "/containers/web/json", 200 },
		{ "GET", "/containers/web/logs?stdout=1", 200 },
		{ "POST", "/containers/web/restart", 204 },
		{ "DELETE", "/containers/nope", 404 },
		{ "GET", "/nowhere", 404 },
		{ "OPTIONS", "/containers/json", 200 },
		{ "OPTIONS", "/nowhere", 200 },
	};

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct sim_reply r = sim_request(s, asked[i].method, asked[i].path, NULL);
		const struct http_headers *h = &r.headers;

		assert_int_equal(r.status, asked[i].status);
		assert_str(http_header(h, "Access-Control-Allow-Origin"), cors ? "*" : "");
		assert_str(http_header(h, "Access-Control-Allow-Methods"),
			   cors ? "HEAD, GET, POST, DELETE, PUT, OPTIONS" : "");
		assert_str(http_header(h, "Access-Control-Allow-Headers"),
			   cors ? "Origin, X-Requested-With, Content-Type, Accept, X-Registry-Auth"
				: "");
	}
}

static may_suspend void other_sites_may_ask(struct sim *s)
{
	struct sim_stream *events;

	sim_allow_cors(s);
	one_node(s);
	sim_run_container(s, "web", NULL);
	expect_headers(s, true);
	events = sim_open(s, "GET", "/events", NULL);
	assert_str(http_header(sim_stream_headers(events), "Access-Control-Allow-Origin"), "*");
	sim_close(events);
	sim_settle(s);
}

static may_suspend void other_sites_may_not_ask_by_default(struct sim *s)
{
	one_node(s);
	sim_run_container(s, "web", NULL);
	expect_headers(s, false);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_window_of_versions),
		STORY(the_lowest_version_is_advertised),
		STORY(lists_have_the_shape_of_the_clients_version),
		STORY(old_clients_reach_new_engines),
		STORY(what_is_newer_than_the_manager_is_not_advertised),
		STORY(the_pool_says_what_it_is),
		STORY(a_clients_own_headers_reach_the_engine),
		STORY(unknown_paths_and_methods),
		STORY(bad_bodies),
		STORY(a_body_too_large),
		STORY(heads_that_no_client_sends),
		STORY(bad_filters),
		STORY(names_are_no_paths),
		STORY(requests_may_be_pipelined),
		STORY(clients_may_be_slow),
		STORY(bodies_may_be_slow),
		STORY(a_thousand_clients),
		STORY(other_sites_may_ask),
		STORY(other_sites_may_not_ask_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
