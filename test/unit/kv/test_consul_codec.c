/* SPDX-License-Identifier: Apache-2.0 */
/* kv/consul_codec.c */
#include "unit/testing.h"

#include "kv/consul_codec.h"

static void writes(_unused_ void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	consul_write_session(&out, 10);
	assert_buf(out, "{\"Name\":\"swarm\",\"TTL\":\"10s\",\"LockDelay\":\"1ms\","
			"\"Behavior\":\"delete\"}");
}

static void reads_sessions(_unused_ void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"ID\":7}",
		"{\"ID\":\"\"}",
		"{\"ID\":\"a/b\"}",
		"{\"ID\":\"a?b\"}",
		"{\"ID\":\"a b\"}",
		"{\"ID\":\"a\\r\\nb\"}",
	};
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str id;

	assert_ok(consul_read_session(STR("{\"ID\":\"adf4238a-882b-9ddc-4a9d-5b6758e4159e\"}"),
				      &arena, &id));
	assert_str(id, "adf4238a-882b-9ddc-4a9d-5b6758e4159e");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(consul_read_session(str_from(bad[i]), &arena, &id), ERR_PROTOCOL,
			   "Consul answers what cannot be read");
}

static void reads_what_was_done(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	bool done;

	assert_ok(consul_read_done(STR("true\n"), &arena, &done));
	assert_true(done);
	assert_ok(consul_read_done(STR("false"), &arena, &done));
	assert_false(done);
	assert_err(consul_read_done(STR("1"), &arena, &done), ERR_PROTOCOL, "\"1\"");
	assert_err(consul_read_done(STR(""), &arena, &done), ERR_PROTOCOL, "");
}

static void reads_entries(_unused_ void **state)
{
	static const char *const bad[] = {
		"", "{}", "null", "[7]", "[{\"K\":1}]", "[{\"Key\":\"a\",\"Value\":\"*\"}]", "[",
	};
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_list list;

	assert_ok(consul_read_entries(STR("[]"), &arena, &list));
	assert_int_equal(list.n, 0);
	assert_ok(consul_read_entries(
		STR("[{\"LockIndex\":1,\"Key\":\"a/[::1]:1\",\"Flags\":0,\"Value\":\"dg==\","
		    "\"Session\":\"x\",\"ModifyIndex\":7},{\"Key\":\"b\",\"Value\":null}]"),
		&arena, &list));
	assert_int_equal(list.n, 2);
	assert_str(list.v[0].name, "a/[::1]:1");
	assert_str(list.v[0].value, "v");
	assert_str(list.v[1].name, "b");
	assert_str(list.v[1].value, "");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(consul_read_entries(str_from(bad[i]), &arena, &list), ERR_PROTOCOL,
			   "Consul answers what cannot be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(reads_sessions),
		cmocka_unit_test(reads_what_was_done),
		cmocka_unit_test(reads_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
