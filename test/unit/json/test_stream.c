/* SPDX-License-Identifier: Apache-2.0 */
/* json/build.c, and json/scan.c, which cuts a stream of values into them. */
#include "unit/testing.h"

#include "base/attr.h"
#include "base/limits.h"
#include "json/build.h"
#include "sample.h"

static void writes_commas_and_quotes(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json_out o = json_out(&b);

	(void)state;
	json_begin_object(&o);
	json_put_str(&o, "Id", STR("a\"b"));
	json_key(&o, "Names");
	json_begin_array(&o);
	json_end_array(&o);
	json_key(&o, "Mixed");
	json_begin_array(&o);
	json_str_value(&o, STR("x"));
	json_i64_value(&o, INT64_MIN);
	json_bool_value(&o, true);
	json_null_value(&o);
	json_begin_object(&o);
	json_end_object(&o);
	json_raw_value(&o, STR("{\"r\": 1}"));
	json_end_array(&o);
	json_put_i64(&o, "n", 7);
	json_put_bool(&o, "f", false);
	json_put_raw(&o, "raw", STR("[]"));
	json_key_str(&o, STR("k\n"));
	json_null_value(&o);
	json_end_object(&o);
	assert_int_equal(o.depth, 0);
	assert_buf(b, "{\"Id\":\"a\\\"b\",\"Names\":[],\"Mixed\":[\"x\",-9223372036854775808,true,"
		      "null,{},{\"r\": 1}],\"n\":7,\"f\":false,\"raw\":[],\"k\\n\":null}");
}

static void quotes_what_it_reads_again(void **state)
{
	(void)state;
	rand_seed(20261122);
	for (int i = 0; i < 2000; i++) {
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
		_cleanup_(strbuf_fini) struct strbuf quoted = STRBUF_INIT;
		_cleanup_(arena_fini) struct arena a = ARENA_INIT;
		struct json v, again;

		sample_string(&text);
		assert_ok(json_parse(strbuf_str(&text), &a, &v));
		json_quote(&quoted, json_str(v));
		assert_ok(json_parse(strbuf_str(&quoted), &a, &again));
		assert_true(json_equal(v, again));
	}
}

static size_t scan_at_once(struct str text)
{
	struct json_scan state = { 0 };
	size_t n;

	assert_ok(json_scan_value(text, &state, &n));
	return n;
}

/* The same answer when the bytes come one by one, each looked at once. */
static size_t scan_bytewise(struct str text)
{
	struct json_scan state = { 0 };
	size_t n = 0;

	for (size_t i = 0; i <= text.n && !n; i++) {
		assert_ok(json_scan_value(str_first(text, i), &state, &n));
		assert_true(n == 0 || n == i || (n == i - 1 && state.in_scalar));
		assert_int_equal(state.scanned, n ? n : i);
	}
	return n;
}

static void finds_where_a_value_ends(void **state)
{
	static const struct {
		struct str text;
		size_t n;
	} cases[] = {
		{ STR_INIT(""), 0 },
		{ STR_INIT(" \r\n"), 0 },
		{ STR_INIT("{}"), 2 },
		{ STR_INIT("  {} {}"), 4 },
		{ STR_INIT("{\"a\":[1,{\"b\":2}]}\n{"), 17 },
		{ STR_INIT("{\"a\":[1,{\"b\":2}]"), 0 },
		{ STR_INIT("{\"}\":\"\\\"}\"}x"), 11 },
		{ STR_INIT("\"a\\\\\"b"), 5 },
		{ STR_INIT("\"a\\\""), 0 },
		{ STR_INIT("12"), 0 },
		{ STR_INIT("12 "), 2 },
		{ STR_INIT("true\nfalse"), 4 },
		{ STR_INIT("null{"), 4 },
		{ STR_INIT("[][]"), 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(scan_at_once(cases[i].text), cases[i].n);
		assert_int_equal(scan_bytewise(cases[i].text), cases[i].n);
	}
}

static void refuses_what_cannot_become_a_value(void **state)
{
	static const struct str cases[] = { STR_INIT(" }"), STR_INIT("]"), STR_INIT(",1"),
					    STR_INIT(":") };
	_cleanup_(strbuf_fini) struct strbuf deep = STRBUF_INIT;
	struct json_scan scan = { 0 };
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scan = (struct json_scan){ 0 };
		assert_err(json_scan_value(cases[i], &scan, &n), ERR_INVALID, "a value must stand");
	}
	for (int i = 0; i < LIMIT_JSON_DEPTH + 1; i++)
		strbuf_addc(&deep, '[');
	scan = (struct json_scan){ 0 };
	assert_err(json_scan_value(strbuf_str(&deep), &scan, &n), ERR_INVALID, "deeper than 128");
}

static void cuts_a_stream_into_its_values(void **state)
{
	enum { N = 300 };
	_cleanup_(strbuf_fini) struct strbuf stream = STRBUF_INIT;
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	size_t ends[N], n;
	struct str rest;

	(void)state;
	rand_seed(20261122);
	for (int i = 0; i < N; i++) {
		sample_value(&stream, 3);
		strbuf_addc(&stream, '\n');
		ends[i] = stream.n;
	}
	rest = strbuf_str(&stream);
	for (int i = 0; i < N; i++) {
		struct json_scan scan = { 0 };
		struct json v;

		assert_ok(json_scan_value(rest, &scan, &n));
		assert_true(n > 0);
		assert_ok(json_parse(str_first(rest, n), &a, &v));
		rest = str_skip(rest, n);
		/* All up to the next value's text is white space. */
		assert_str(str_trim(str_of(rest.p, (size_t)(stream.p + ends[i] - rest.p))), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_commas_and_quotes),
		cmocka_unit_test(quotes_what_it_reads_again),
		cmocka_unit_test(finds_where_a_value_ends),
		cmocka_unit_test(refuses_what_cannot_become_a_value),
		cmocka_unit_test(cuts_a_stream_into_its_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
