/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets as clients send them: paths decoded and cleaned, parameters by name.
 */
#include "unit/http/check.h"

#include "base/limits.h"
#include "http/url.h"

static const struct {
	const char *target, *path, *raw_path, *raw_query;
} good[] = {
	{ "/_ping", "/_ping", "/_ping", "" },
	{ "/", "/", "/", "" },
	{ "*", "*", "*", "" },
	{ "//v1.41//containers/json", "/v1.41/containers/json", "//v1.41//containers/json", "" },
	{ "/v1.41/../info", "/info", "/v1.41/../info", "" },
	{ "/v1.41/./info", "/v1.41/info", "/v1.41/./info", "" },
	{ "/../..", "/", "/../..", "" },
	{ "/a/b/..", "/a/", "/a/b/..", "" },
	{ "/a/.", "/a/", "/a/.", "" },
	{ "/a/", "/a/", "/a/", "" },
	{ "/..a/...", "/..a/...", "/..a/...", "" },
	{ "/%2e%2e/%2E/a", "/a", "/%2e%2e/%2E/a", "" },
	{ "/containers/node%2Fname/json", "/containers/node/name/json",
	  "/containers/node%2Fname/json", "" },
	{ "/images/a%20b+c", "/images/a b+c", "/images/a%20b+c", "" },
	{ "/a?b=c?d", "/a", "/a", "b=c?d" },
	{ "/a?", "/a", "/a", "" },
	{ "http://docker/info?x=1", "/info", "/info", "x=1" },
	{ "HTTPS://[::1]:2376/info", "/info", "/info", "" },
	{ "http://docker", "/", "/", "" },
	{ "http://docker?x=1", "/", "/", "x=1" },
};

static const struct {
	const char *target, *message;
} bad[] = {
	{ "info", "bad request target" },
	{ "?a", "bad request target" },
	{ "host:2375", "bad request target" },
	{ "ftp://host/", "bad request target" },
	{ "*/a", "bad request target" },
	{ "/a#b", "fragment in a request target" },
	{ "/a%", "invalid URL escape" },
	{ "/a%4", "invalid URL escape" },
	{ "/a%zz", "invalid URL escape" },
	{ "/a%00b", "invalid URL escape" },
	{ "/a?b=%g0", "invalid URL escape" },
	{ "/a?%=b", "invalid URL escape" },
	{ "/a?b=1;c=2", "invalid semicolon separator in query" },
};

static void test_good_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct http_url u;

		print_message("# %s\n", good[i].target);
		assert_ok(http_url_parse(str_from(good[i].target), &arena, &u));
		assert_str(u.path, str_from(good[i].path));
		assert_str(u.raw_path, str_from(good[i].raw_path));
		assert_str(u.raw_query, str_from(good[i].raw_query));
	}
}

static void test_bad_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct http_url u;

		print_message("# %s\n", bad[i].target);
		assert_error(http_url_parse(str_from(bad[i].target), &arena, &u), ERR_INVALID,
			     bad[i].message);
	}
}

static void test_params(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct http_url u;

	(void)state;
	assert_ok(http_url_parse(STR("/?a=1&&b=x+y%26%3d&a=2&c&d=e=f&na%6De=%7B%7D"), &arena, &u));
	assert_int_equal(u.n_params, 6);
	assert_str(http_param(&u, "a"), STR("1"));
	assert_str(http_param(&u, "b"), STR("x y&="));
	assert_str(http_param(&u, "c"), STR(""));
	assert_str(http_param(&u, "d"), STR("e=f"));
	assert_str(http_param(&u, "name"), STR("{}"));
	assert_null(http_param(&u, "A").p);
	assert_true(http_has_param(&u, "c"));
	assert_false(http_has_param(&u, "e"));
}

static void test_flags(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct http_url u;

	(void)state;
	assert_ok(http_url_parse(STR("/?e=&n&zero=0&no=No&f=FALSE&none=none&one=1&t=true&x=2"),
				 &arena, &u));
	assert_false(http_param_bool(&u, "e", true));
	assert_false(http_param_bool(&u, "n", true));
	assert_false(http_param_bool(&u, "zero", true));
	assert_false(http_param_bool(&u, "no", true));
	assert_false(http_param_bool(&u, "f", true));
	assert_false(http_param_bool(&u, "none", true));
	assert_true(http_param_bool(&u, "one", false));
	assert_true(http_param_bool(&u, "t", false));
	assert_true(http_param_bool(&u, "x", false));
	assert_true(http_param_bool(&u, "missing", true));
	assert_false(http_param_bool(&u, "missing", false));
}

static void test_number_of_params_is_bounded(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf target = STRBUF_INIT;
	struct http_url u;

	(void)state;
	strbuf_add(&target, STR("/?a"));
	for (int i = 1; i < LIMIT_HTTP_PARAMS; i++)
		strbuf_add(&target, STR("&a"));
	assert_ok(http_url_parse(strbuf_str(&target), &arena, &u));
	assert_int_equal(u.n_params, LIMIT_HTTP_PARAMS);
	strbuf_add(&target, STR("&a"));
	assert_error(http_url_parse(strbuf_str(&target), &arena, &u), ERR_INVALID,
		     "more than 1024 query parameters");
}

static void test_encoding(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	http_encode_path(&out, STR("/images/reg:5000/a@sha256:b c?%\r\n\xc3\xa4"));
	assert_str(strbuf_str(&out), STR("/images/reg:5000/a@sha256:b%20c%3F%25%0D%0A%C3%A4"));
	strbuf_reset(&out);
	http_encode_query(&out, STR("a b+c&d=/;\"~"));
	assert_str(strbuf_str(&out), STR("a%20b%2Bc%26d%3D%2F%3B%22~"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_targets),
		cmocka_unit_test(test_bad_targets),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_number_of_params_is_bounded),
		cmocka_unit_test(test_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
