/* SPDX-License-Identifier: Apache-2.0 */
/* registry/request.c */
#include "unit/testing.h"

#include "base/arena.h"
#include "base/duration.h"
#include "registry/request.h"

#define ID "0123456789abcdef0123456789abcdef"

static struct error *parse(const char *method, const char *target, struct arena *arena,
			   struct registry_request *ret)
{
	struct http_url url;

	TRY(http_url_parse(str_from(target), arena, &url));
	return registry_request_parse(str_from(method), &url, ret);
}

static void reads(_unused_ void **state)
{
	static const struct {
		const char *method, *target;
		enum registry_verb verb;
		const char *id;
		int64_t ttl;
	} cases[] = {
		{ "POST", "/v1/clusters", REGISTRY_CREATE, "", 0 },
		{ "POST", "/v1/clusters/", REGISTRY_CREATE, "", 0 },
		{ "POST", "/v1/clusters?ttl=nonsense", REGISTRY_CREATE, "", 0 },
		{ "GET", "/v1/clusters/" ID, REGISTRY_LIST, ID, 0 },
		{ "DELETE", "/v1/clusters/" ID, REGISTRY_END, ID, 0 },
		{ "POST", "/v1/clusters/" ID, REGISTRY_ENTER, ID, 180 * SECOND },
		{ "POST", "/v1/clusters/" ID "?ttl=0", REGISTRY_ENTER, ID, 0 },
		{ "POST", "/v1/clusters/" ID "?x=y&ttl=90", REGISTRY_ENTER, ID, 90 * SECOND },
		{ "POST", "/v1/clusters/" ID "?ttl=31536000", REGISTRY_ENTER, ID,
		  31536000 * SECOND },
		{ "GET", "/v1/x/../clusters/" ID, REGISTRY_LIST, ID, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct registry_request req;

		assert_ok(parse(cases[i].method, cases[i].target, &arena, &req));
		assert_int_equal(req.verb, cases[i].verb);
		assert_str(req.id, cases[i].id);
		assert_true(req.ttl == cases[i].ttl);
	}
}

static void refuses(_unused_ void **state)
{
	static const struct {
		const char *method, *target;
		enum error_kind kind;
		const char *why;
	} cases[] = {
		{ "GET", "/v1/clusters", ERR_BAD_METHOD, "GET is not for /v1/clusters: POST is" },
		{ "DELETE", "/v1/clusters/", ERR_BAD_METHOD, "DELETE is not for" },
		{ "PUT", "/v1/clusters/" ID, ERR_BAD_METHOD, "GET, POST and DELETE are" },
		{ "GET", "/v1/clusters/x", ERR_INVALID,
		  "invalid cluster id: it is 32 hexadecimal digits" },
		{ "GET", "/v1/clusters/" ID "0", ERR_INVALID, "is 32 hexadecimal digits" },
		{ "GET", "/v1/clusters/" ID "/nodes", ERR_INVALID, "invalid cluster id" },
		{ "GET", "/v1/clusters/0123456789ABCDEF0123456789ABCDEF", ERR_INVALID,
		  "invalid cluster id" },
		{ "POST", "/v1/clusters/" ID "?ttl=", ERR_INVALID, "invalid ttl \"\"" },
		{ "POST", "/v1/clusters/" ID "?ttl=-1", ERR_INVALID, "invalid ttl \"-1\"" },
		{ "POST", "/v1/clusters/" ID "?ttl=1s", ERR_INVALID, "a number of seconds" },
		{ "POST", "/v1/clusters/" ID "?ttl=31536001", ERR_INVALID, "at most 31536000" },
		{ "POST", "/v1/clusters/" ID "?ttl=99999999999999999999", ERR_INVALID, "ttl" },
		{ "POST", "/v1/clustersx", ERR_NOT_FOUND, "page not found" },
		{ "GET", "/", ERR_NOT_FOUND, "page not found" },
		{ "GET", "/v2/clusters/" ID, ERR_NOT_FOUND, "page not found" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct registry_request req = { .ttl = -1 };

		assert_err(parse(cases[i].method, cases[i].target, &arena, &req), cases[i].kind,
			   cases[i].why);
		assert_true(req.ttl == -1);
	}
}

static void reads_nodes(_unused_ void **state)
{
	static const struct {
		const char *body, *node; /* NULL: refused */
	} cases[] = {
		{ "10.0.0.1:2375", "10.0.0.1:2375" },
		{ " host:1\r\n", "host:1" },
		{ "[fd00::1]:2375", "[fd00::1]:2375" },
		{ "", NULL },
		{ "host", NULL },
		{ ":2375", NULL },
		{ "host:0", NULL },
		{ "tcp://host:1", NULL },
		{ "a:1,b:2", NULL },
		{ "10.0.0.[1:2]:2375", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
		struct addr addr;
		struct error *err = registry_node_parse(str_from(cases[i].body), &addr);

		if (!cases[i].node) {
			assert_err(err, ERR_INVALID, "invalid address");
			continue;
		}
		assert_ok(err);
		addr_format(&addr, &text);
		assert_buf(text, cases[i].node);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(reads_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
