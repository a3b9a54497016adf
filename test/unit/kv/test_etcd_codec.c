/* SPDX-License-Identifier: Apache-2.0 */
/* kv/etcd_codec.c: the answers are as etcd 3.4 gives them */
#include "unit/testing.h"

#include "kv/etcd_codec.h"

#define HEADER                                                                                   \
	"\"header\":{\"cluster_id\":\"3\",\"member_id\":\"4\",\"revision\":\"7\",\"raft_term\":" \
	"\"2\"}"

static void writes(_unused_ void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	etcd_write_range(&out, STR("a/b"), STR_NONE);
	assert_buf(out, "{\"key\":\"YS9i\"}");
	strbuf_reset(&out);
	etcd_write_range(&out, STR("a/"), STR("a0"));
	assert_buf(out, "{\"key\":\"YS8=\",\"range_end\":\"YTA=\"}");
	strbuf_reset(&out);
	etcd_write_put(&out, STR("k"), STR("v"), 0);
	assert_buf(out, "{\"key\":\"aw==\",\"value\":\"dg==\"}");
	strbuf_reset(&out);
	etcd_write_put(&out, STR("k"), STR(""), INT64_MAX);
	assert_buf(out, "{\"key\":\"aw==\",\"value\":\"\",\"lease\":\"9223372036854775807\"}");
	strbuf_reset(&out);
	etcd_write_lock(&out, STR("k"), STR("v"), 9);
	assert_buf(out, "{\"compare\":[{\"key\":\"aw==\",\"target\":\"LEASE\",\"result\":\"EQUAL\","
			"\"lease\":\"0\"}],"
			"\"success\":[{\"request_put\":{\"key\":\"aw==\",\"value\":\"dg==\","
			"\"lease\":\"9\"}}],"
			"\"failure\":[{\"request_range\":{\"key\":\"aw==\"}}]}");
	strbuf_reset(&out);
	etcd_write_grant(&out, 20);
	assert_buf(out, "{\"TTL\":\"20\"}");
	strbuf_reset(&out);
	etcd_write_lease(&out, 9);
	assert_buf(out, "{\"ID\":\"9\"}");
	strbuf_reset(&out);
	etcd_write_watch(&out, STR("k"), STR("k0"), 8);
	assert_buf(out, "{\"create_request\":{\"key\":\"aw==\",\"range_end\":\"azA=\","
			"\"start_revision\":\"8\"}}");
}

static void reads_ranges(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_list list;

	assert_ok(etcd_read_range(STR("{" HEADER "}"), &arena, &list));
	assert_int_equal(list.n, 0);
	assert_int_equal(list.revision, 7);
	assert_ok(etcd_read_range(STR("{" HEADER ",\"kvs\":[{\"key\":\"YS9i\",\"value\":\"dg==\","
				      "\"create_revision\":\"2\",\"lease\":\"5\"},"
				      "{\"key\":\"aw==\",\"version\":\"1\"}],\"count\":\"2\"}"),
				  &arena, &list));
	assert_int_equal(list.n, 2);
	assert_str(list.v[0].name, "a/b");
	assert_str(list.v[0].value, "v");
	assert_true(list.v[0].held);
	assert_false(list.v[1].held);
	assert_str(list.v[1].name, "k");
	assert_str(list.v[1].value, "");
}

static void refuses_ranges(_unused_ void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"null",
		"{\"header\":{}}",
		"{\"header\":{\"revision\":\"x\"}}",
		"{\"header\":{\"revision\":\"0\"}}",
		"{\"header\":{\"revision\":\"-1\"}}",
		"{" HEADER ",\"kvs\":[{\"key\":\"*\"}]}",
		"{" HEADER ",\"kvs\":[{\"key\":\"aw==\",\"value\":\"*\"}]}",
		"{" HEADER ",\"kvs\":[{\"key\":\"aw==\",\"lease\":\"x\"}]}",
		"{" HEADER ",\"kvs\":",
	};
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_list list;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_err(etcd_read_range(str_from(texts[i]), &arena, &list), ERR_PROTOCOL,
			   "etcd answers what cannot be read");
}

static void reads_locks(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	int64_t holder;
	bool done;

	assert_ok(etcd_read_lock(STR("{" HEADER ",\"succeeded\":true,\"responses\":"
				     "[{\"response_put\":{\"header\":{\"revision\":\"2\"}}}]}"),
				 &arena, &done, &holder));
	assert_true(done);
	assert_int_equal(holder, 0);
	assert_ok(etcd_read_lock(STR("{" HEADER ",\"responses\":[{\"response_range\":"
				     "{\"kvs\":[{\"key\":\"aw==\",\"lease\":\"55\"}]}}]}"),
				 &arena, &done, &holder));
	assert_false(done);
	assert_int_equal(holder, 55);
	/* Its holder is nobody: a key without a lease. */
	assert_ok(etcd_read_lock(STR("{" HEADER ",\"responses\":[{\"response_range\":"
				     "{\"kvs\":[{\"key\":\"aw==\"}]}}]}"),
				 &arena, &done, &holder));
	assert_false(done);
	assert_int_equal(holder, 0);
	assert_err(etcd_read_lock(STR("true"), &arena, &done, &holder), ERR_PROTOCOL, "true");
}

static void reads_leases(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	int64_t id, seconds;

	assert_ok(etcd_read_grant(STR("{" HEADER ",\"ID\":\"2324035548195821061\",\"TTL\":\"5\"}"),
				  &arena, &id, &seconds));
	assert_true(id == 2324035548195821061);
	assert_int_equal(seconds, 5);
	assert_err(etcd_read_grant(STR("{" HEADER ",\"TTL\":\"5\"}"), &arena, &id, &seconds),
		   ERR_PROTOCOL, "");
	assert_err(etcd_read_grant(STR("{" HEADER ",\"ID\":\"5\"}"), &arena, &id, &seconds),
		   ERR_PROTOCOL, "");
	assert_ok(etcd_read_keepalive(
		STR("{\"result\":{" HEADER ",\"ID\":\"9\",\"TTL\":\"20\"}}\n"), &arena, &seconds));
	assert_int_equal(seconds, 20);
	/* A lease that is lost has no TTL. */
	assert_ok(etcd_read_keepalive(STR("{\"result\":{" HEADER ",\"ID\":\"9\"}}"), &arena,
				      &seconds));
	assert_int_equal(seconds, 0);
	assert_err(etcd_read_keepalive(STR("{\"error\":{\"message\":\"no leader\"}}"), &arena,
				       &seconds),
		   ERR_UNAVAILABLE, "no leader");
	assert_err(etcd_read_keepalive(STR("{}"), &arena, &seconds), ERR_PROTOCOL, "{}");
}

static void reads_watches(_unused_ void **state)
{
	static const struct {
		const char *text;
		bool news;
	} cases[] = {
		{ "{\"result\":{" HEADER ",\"created\":true}}", false },
		{ "{\"result\":{" HEADER "}}", false },
		{ "{\"result\":{" HEADER ",\"events\":[]}}", false },
		{ "{\"result\":{" HEADER ",\"events\":[{\"kv\":{\"key\":\"YS9i\"}}]}}", true },
		{ "{\"result\":{" HEADER
		  ",\"events\":[{\"type\":\"DELETE\",\"kv\":{\"key\":\"YS9i\"}}]}}",
		  true },
		/* What was asked for is forgotten. */
		{ "{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"5\"}}", true },
		/* Another store: it has not come that far. */
		{ "{\"result\":{\"header\":{\"revision\":\"6\"},\"created\":true}}", true },
	};
	static const struct {
		const char *text;
		enum error_kind kind;
	} bad[] = {
		{ "{\"result\":{" HEADER ",\"canceled\":true,\"cancel_reason\":\"why\"}}",
		  ERR_UNAVAILABLE },
		{ "{\"error\":{\"grpc_code\":14,\"message\":\"etcdserver: no leader\"}}",
		  ERR_UNAVAILABLE },
		{ "{\"error\":\"words\"}", ERR_UNAVAILABLE },
		{ "{\"result\":{}}", ERR_PROTOCOL },
		{ "{}", ERR_PROTOCOL },
		{ "7", ERR_PROTOCOL },
	};
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	bool news;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(etcd_read_watch(str_from(cases[i].text), &arena, 7, &news));
		assert_int_equal(news, cases[i].news);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(etcd_read_watch(str_from(bad[i].text), &arena, 7, &news), bad[i].kind,
			   "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),	  cmocka_unit_test(reads_ranges),
		cmocka_unit_test(refuses_ranges), cmocka_unit_test(reads_locks),
		cmocka_unit_test(reads_leases),	  cmocka_unit_test(reads_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
