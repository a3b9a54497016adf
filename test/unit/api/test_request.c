/* SPDX-License-Identifier: Apache-2.0 */
/* api/request.c: what handlers ask of a request. */
#include "unit/testing.h"

#include "api/request.h"
#include "net/stream.h"

/* A request as the server would hand it over. */
struct asked {
	struct arena arena;
	struct stream client;
	struct http_incoming in;
	struct request r;
};

static void asked_fini(struct asked *a)
{
	arena_fini(&a->arena);
}

static void ask(struct asked *a, const char *head)
{
	*a = (struct asked){ .arena = ARENA_INIT };
	assert_ok(http_parse_request(str_from(head), &a->arena, &a->in.head));
	assert_ok(http_url_parse(a->in.head.target, &a->arena, &a->in.url));
	a->in.client = &a->client;
	a->r = (struct request){ .in = &a->in, .path = a->in.url.path, .arena = &a->arena };
}

static void test_version(void **state)
{
	static const struct {
		const char *path, *rest, *version; /* version NULL: there is none */
	} cases[] = {
		{ "/v1.41/info", "/info", "1.41" },
		{ "/v1.41/containers/v1.2/json", "/containers/v1.2/json", "1.41" },
		{ "/v1.41.7/info", "/info", "1.41.7" },
		{ "/v1/info", "/info", "1" },
		{ "/v./info", "/info", "." },
		{ "/info", "/info", NULL },
		{ "/v1.x/info", "/v1.x/info", NULL },
		{ "/v/info", "/v/info", NULL },
		{ "/v1.41", "/v1.41", NULL },
		{ "/V1.41/info", "/V1.41/info", NULL },
		{ "/volumes", "/volumes", NULL },
		{ "/", "/", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str path = str_from(cases[i].path), version = STR_NONE;

		assert_int_equal(request_take_version(&path, &version), cases[i].version != NULL);
		assert_str(path, cases[i].rest);
		assert_str(version, cases[i].version ? cases[i].version : "");
	}
}

static void test_query_without(void **state)
{
	static const struct {
		const char *query, *rest;
	} cases[] = {
		{ "", "" },
		{ "name=web", "" },
		{ "name=web&platform=linux%2Famd64", "platform=linux%2Famd64" },
		{ "a=1&name=x&b=2&name=y", "a=1&b=2" },
		{ "n%61me=x&b", "b=" },
		{ "names=x", "names=x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
		_cleanup_(asked_fini) struct asked a;

		strbuf_addf(&head, "POST /containers/create?%s HTTP/1.1\r\nHost: x\r\n\r\n",
			    cases[i].query);
		ask(&a, head.p);
		assert_str(request_query_without(&a.r, "name"), cases[i].rest);
	}
}

static void test_query_as_sent(void **state)
{
	_cleanup_(asked_fini) struct asked a, bare;

	(void)state;
	ask(&a, "GET /x?a=%2f&b=1+2&a=3 HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_str(request_with_query(&a.r, STR("/y")), "/y?a=%2f&b=1+2&a=3");
	ask(&bare, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_str(request_with_query(&bare.r, STR("/y")), "/y");
}

static void test_headers_that_go_on(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;
	_cleanup_(asked_fini) struct asked a;
	struct http_headers kept;

	(void)state;
	ask(&a, "POST /x HTTP/1.1\r\nHost: api\r\nUser-Agent: Docker\r\nX-Registry-Auth: e30=\r\n"
		"Connection: Upgrade, X-Mine\r\nUpgrade: tcp\r\nX-Mine: 1\r\nX-Team: blue\r\n"
		"Expect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
		"Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: no\r\n\r\n");
	kept = request_headers(&a.r);
	for (size_t i = 0; i < kept.n; i++)
		strbuf_addf(&names, "%.*s ", STR_ARG(kept.v[i].name));
	assert_buf(names, "User-Agent X-Registry-Auth X-Team Content-Type ");
	assert_str(a.in.head.upgrade, "tcp");
}

static void test_identity(void **state)
{
	static const struct {
		const char *certificate, *peer, *client;
	} cases[] = {
		{ "", "10.0.0.1:4242", "10.0.0.1" }, { "", "[fe80::1]:4242", "[fe80::1]" },
		{ "", "unix:1000", "unix:1000" },    { "", "tester", "tester" },
		{ "ab12", "10.0.0.1:4242", "ab12" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_str(client_identity(str_from(cases[i].certificate), str_from(cases[i].peer)),
			   cases[i].client);
}

static void test_only_json(void **state)
{
	static const struct {
		const char *headers;
		bool fine;
	} cases[] = {
		{ "Content-Length: 2\r\nContent-Type: application/json\r\n", true },
		{ "Content-Length: 2\r\nContent-Type: Application/JSON; charset=utf-8\r\n", true },
		{ "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n", true },
		{ "Content-Length: 0\r\n", true },
		{ "", true },
		{ "Content-Length: 2\r\n", false },
		{ "Transfer-Encoding: chunked\r\n", false },
		{ "Content-Length: 2\r\nContent-Type: text/plain\r\n", false },
		{ "Content-Length: 0\r\nContent-Type: text/plain\r\n", false },
		{ "Content-Length: 2\r\nContent-Type: application/jsonx\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
		_cleanup_(asked_fini) struct asked a;

		strbuf_addf(&head, "POST /x HTTP/1.1\r\nHost: x\r\n%s\r\n", cases[i].headers);
		ask(&a, head.p);
		if (cases[i].fine)
			assert_ok(request_check_json(&a.r));
		else
			assert_err(request_check_json(&a.r), ERR_INVALID,
				   "must be 'application/json'");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),	      cmocka_unit_test(test_query_without),
		cmocka_unit_test(test_query_as_sent), cmocka_unit_test(test_headers_that_go_on),
		cmocka_unit_test(test_identity),      cmocka_unit_test(test_only_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
