/* SPDX-License-Identifier: Apache-2.0 */
/* api/router.c and the table in api/routes.c: which row a request gets, and what {} stands for. */
#include "unit/testing.h"

#include "api/handlers.h"
#include "api/routes.h"

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *path, *name; /* name NULL: does not fit */
	} cases[] = {
		{ "/info", "/info", "" },
		{ "/info", "/info/", NULL },
		{ "/info", "/inf", NULL },
		{ "/containers/{id}/start", "/containers/web/start", "web" },
		{ "/containers/{id}/start", "/containers/node-1/web/start", "node-1/web" },
		{ "/containers/{id}/start", "/containers//start", NULL },
		{ "/containers/{id}/start", "/containers/start", NULL },
		{ "/containers/{id}/start", "/containers/web/stop", NULL },
		{ "/containers/{id}/start", "/containers/start/start", "start" },
		{ "/containers/{id}", "/containers/web", "web" },
		{ "/containers/{id}", "/containers/", NULL },
		{ "/images/{name}/json", "/images/reg:5000/a/b:tag/json", "reg:5000/a/b:tag" },
		{ "/images/{name}/json", "/images/x@sha256:ab/json", "x@sha256:ab" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str name;
		bool fits = route_pattern_match(str_from(cases[i].pattern), str_from(cases[i].path),
						&name);

		assert_int_equal(fits, cases[i].name != NULL);
		if (fits)
			assert_str(name, cases[i].name);
	}
}

static void test_rows(void **state)
{
	static const struct {
		const char *method, *path, *pattern, *name; /* pattern NULL: page not found */
	} cases[] = {
		{ "GET", "/_ping", "/_ping", "" },
		{ "HEAD", "/_ping", "/_ping", "" },
		{ "POST", "/_ping", NULL, "" },
		{ "get", "/_ping", NULL, "" },
		{ "GET", "/containers/json", "/containers/json", "" },
		{ "PUT", "/containers/json", NULL, "" },
		{ "GET", "/containers/json/", NULL, "" },
		{ "GET", "/containers/json/json", "/containers/{id}/json", "json" },
		{ "POST", "/containers/create", "/containers/create", "" },
		{ "GET", "/containers/a/attach/ws", "/containers/{id}/attach/ws", "a" },
		{ "POST", "/containers/a/attach", "/containers/{id}/attach", "a" },
		{ "DELETE", "/containers/n/a", "/containers/{id}", "n/a" },
		{ "DELETE", "/containers/n/a/checkpoints/c", "/containers/{id}/checkpoints/{name}",
		  "n/a/checkpoints/c" },
		{ "DELETE", "/containers/a/checkpoints/", "/containers/{id}", "a/checkpoints/" },
		{ "GET", "/images/json", "/images/json", "" },
		{ "GET", "/images/get", "/images/get", "" },
		{ "GET", "/images/a/get", "/images/{name}/get", "a" },
		{ "GET", "/images/library/json/json", "/images/{name}/json", "library/json" },
		{ "DELETE", "/images/r/a:1", "/images/{name}", "r/a:1" },
		{ "GET", "/distribution/r/a/json", "/distribution/{name}/json", "r/a" },
		{ "GET", "/volumes/v", "/volumes/{name}", "v" },
		{ "POST", "/services/s/update", "/services/{id}/update", "s" },
		{ "GET", "/", NULL, "" },
		{ "GET", "/nothing", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str name;
		const struct route *route =
			route_find(str_from(cases[i].method), str_from(cases[i].path), &name);

		assert_str(str_from(route ? route->pattern : NULL),
			   cases[i].pattern ? cases[i].pattern : "");
		assert_str(name, cases[i].name);
	}
}

/* A row behind one that takes all of its paths would never be found. */
static void test_every_row_is_reached(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_routes; i++) {
		_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
		struct str pattern = str_from(routes[i].pattern), name;
		bool named = str_has_char(pattern, '{');
		struct str before, one;

		while (str_cut(pattern, '{', &before, &pattern)) {
			strbuf_addf(&path, "%.*sx", STR_ARG(before));
			str_cut(pattern, '}', &one, &pattern);
		}
		strbuf_add(&path, before);
		assert_ptr_equal(route_find(str_from(routes[i].method), strbuf_str(&path), &name),
				 &routes[i]);
		assert_int_equal(named, str_starts(name, STR("x")));
	}
}

static void test_every_refusal_has_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_routes; i++) {
		bool refuses = routes[i].handler == refuse_for_now ||
			       routes[i].handler == refuse_unknown ||
			       routes[i].handler == refuse_swarm_mode;

		assert_int_equal(routes[i].kind == ROUTE_REFUSED, refuses);
		if (refuses)
			assert_true(routes[i].note && routes[i].note[0]);
	}
}

static void test_tails(void **state)
{
	const struct route row = { "GET", "/containers/{id}/attach/ws", NULL, ROUTE_PROXIED, NULL };
	const struct route bare = { "DELETE", "/containers/{id}", NULL, ROUTE_PROXIED, NULL };

	(void)state;
	assert_str(route_tail(&row), "/attach/ws");
	assert_str(route_tail(&bare), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_row_is_reached),
		cmocka_unit_test(test_every_refusal_has_a_reason),
		cmocka_unit_test(test_tails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
