/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery/token_service.c: addresses and answers. What is said to a service is cli/test_joining.
 */
#include "heard.h"

#include "base/arena.h"
#include "base/vec.h"
#include "discovery/token_service.h"

static void reads_addresses(_unused_ void **state)
{
	static const struct {
		const char *text;
		bool have_tls;
		const char *addr; /* NULL: refused */
		bool tls;
	} cases[] = {
		/*
		 * As it always was: https, unless another port says that it is a service of one's
		 * own.
		 */
		{ "host", false, "host:443", true },
		{ "host/", false, "host:443", true },
		{ "host:443", false, "host:443", true },
		{ "host:2375", false, "host:2375", false },
		{ "host:2375", true, "host:2375", true },
		{ "10.0.0.1:4000", false, "10.0.0.1:4000", false },
		{ "[fd00::1]", false, "[fd00::1]:443", true },
		{ "[fd00::1]:80", false, "[fd00::1]:80", false },
		{ "http://host", false, "host:80", false },
		{ "http://host", true, "host:80", false },
		{ "http://host:443/", true, "host:443", false },
		{ "https://host", false, "host:443", true },
		{ "https://host:8443/", false, "host:8443", true },
		{ "", false, NULL, false },
		{ "http://", false, NULL, false },
		{ "ftp://host", false, NULL, false },
		{ "host:", false, NULL, false },
		{ "host:x", false, NULL, false },
		{ "host:0", false, NULL, false },
		{ "host/path", false, NULL, false },
		{ "user@host", false, NULL, false },
		{ "fd00::1", false, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
		struct token_address a;
		struct error *err =
			token_address_parse(str_from(cases[i].text), cases[i].have_tls, &a);

		if (!cases[i].addr) {
			assert_err(err, ERR_INVALID, "it is host[:port] or a URL, and");
			continue;
		}
		assert_ok(err);
		addr_format(&a.addr, &text);
		assert_buf(text, cases[i].addr);
		assert_int_equal(a.tls, cases[i].tls);
	}
}

static void reads_ids(_unused_ void **state)
{
	assert_true(token_id_valid(STR("0123456789abcdef0123456789abcdef")));
	assert_false(token_id_valid(STR("0123456789abcdef0123456789abcde")));
	assert_false(token_id_valid(STR("0123456789abcdef0123456789abcdef0")));
	assert_false(token_id_valid(STR("0123456789ABCDEF0123456789ABCDEF")));
	assert_false(token_id_valid(STR("0123456789abcdef0123456789abcde/")));
	assert_false(token_id_valid(STR_NONE));
}

static void reads_lists(_unused_ void **state)
{
	static const struct {
		const char *body, *entries; /* NULL: refused */
	} cases[] = {
		{ "[]", "" },
		{ "[]\n", "" },
		{ " [ \"a:1\" , \"b:2\" ] ", "a:1|b:2" },
		{ "[\"\\u0061:1\"]", "a:1" },
		{ "[1,null,{\"a\":2}]", "1|null|{\"a\":2}" },
		{ "", NULL },
		{ "null", NULL },
		{ "{}", NULL },
		{ "\"a:1\"", NULL },
		{ "[\"a:1\"", NULL },
		{ "<html>", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(vec_fini) struct vec entries = VEC_INIT;
		_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;
		struct error *err = token_list_parse(str_from(cases[i].body), &arena, &entries);

		if (!cases[i].entries) {
			assert_err(err, ERR_PROTOCOL, "the answer is no list of nodes");
			continue;
		}
		assert_ok(err);
		strbuf_add(&all, STR(""));
		for (size_t k = 0; k < entries.n; k++)
			strbuf_addf(&all, "%s%.*s", k > 0 ? "|" : "",
				    STR_ARG(*(struct str *)entries.v[k]));
		assert_buf(all, cases[i].entries);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(reads_ids),
		cmocka_unit_test(reads_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
