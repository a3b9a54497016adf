/* SPDX-License-Identifier: Apache-2.0 */
/* docker/event.c */
#include "unit/testing.h"

#include "docker/event.h"

static const struct event_node node = {
	.name = STR_INIT("node-1"),
	.id = STR_INIT("ABCD:EFGH"),
	.addr = STR_INIT("10.0.0.1:2375"),
	.ip = STR_INIT("10.0.0.1"),
};

#define ATTRIBUTES                                            \
	"\"node.name\":\"node-1\",\"node.id\":\"ABCD:EFGH\"," \
	"\"node.addr\":\"10.0.0.1:2375\",\"node.ip\":\"10.0.0.1\""
#define NODE                                                                             \
	"\"node\":{\"Name\":\"node-1\",\"Id\":\"ABCD:EFGH\",\"Addr\":\"10.0.0.1:2375\"," \
	"\"Ip\":\"10.0.0.1\"}"

#define START                                                                          \
	"{\"status\":\"start\",\"id\":\"c0ffee\",\"from\":\"busybox:1.36\",\"Type\":"  \
	"\"container\","                                                               \
	"\"Action\":\"start\",\"Actor\":{\"ID\":\"c0ffee\",\"Attributes\":{\"image\":" \
	"\"busybox:1.36\",\"name\":\"web\",\"tier\":\"front\"}},\"scope\":\"local\","  \
	"\"time\":1795329000,\"timeNano\":1795329000123456789}"

static void test_read(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct docker_event ev;

	(void)state;
	assert_ok(docker_event_read(STR(START), &arena, &ev));
	assert_str(ev.type, "container");
	assert_str(ev.action, "start");
	assert_str(ev.actor_id, "c0ffee");
	assert_str(ev.scope, "local");
	assert_int_equal(ev.time_nano, INT64_C(1795329000123456789));

	/* An old engine's, and one with nothing in it. */
	assert_ok(docker_event_read(STR("{\"status\":\"die\",\"time\":7}"), &arena, &ev));
	assert_str(ev.action, "die");
	assert_int_equal(ev.time_nano, INT64_C(7000000000));
	/* Times that nothing could be added to. */
	assert_ok(docker_event_read(STR("{\"timeNano\":9223372036854775807}"), &arena, &ev));
	assert_int_equal(ev.time_nano, INT64_MAX / 2);
	assert_ok(docker_event_read(STR("{\"timeNano\":-9223372036854775808}"), &arena, &ev));
	assert_int_equal(ev.time_nano, 0);
	assert_ok(docker_event_read(STR("{}"), &arena, &ev));
	assert_str(ev.action, "");
	assert_int_equal(ev.time_nano, 0);

	assert_err(docker_event_read(STR("[]"), &arena, &ev), ERR_INVALID, "no JSON object");
	assert_err(docker_event_read(STR("{"), &arena, &ev), ERR_INVALID, "");
}

static void test_write(void **state)
{
	static const struct {
		const char *line, *written;
	} cases[] = {
		{ START,
		  "{\"status\":\"start\",\"id\":\"c0ffee\",\"from\":\"busybox:1.36 node:node-1\","
		  "\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"c0ffee\","
		  "\"Attributes\":{\"image\":\"busybox:1.36\",\"name\":\"web\",\"tier\":"
		  "\"front\"," ATTRIBUTES "}},\"scope\":\"local\",\"time\":1795329000,"
		  "\"timeNano\":1795329000123456789," NODE "}" },
		/* Nothing to append to, nothing to stand in. */
		{ "{\"Type\":\"network\"}",
		  "{\"Type\":\"network\",\"Actor\":{\"ID\":\"\",\"Attributes\":{" ATTRIBUTES
		  "}}," NODE "}" },
		{ "{\"Actor\":null,\"from\":\"\"}",
		  "{\"Actor\":{\"ID\":\"\",\"Attributes\":{" ATTRIBUTES "}},\"from\":\"\"," NODE
		  "}" },
		{ "{\"Actor\":{\"ID\":\"x\",\"Attributes\":null}}",
		  "{\"Actor\":{\"ID\":\"x\",\"Attributes\":{" ATTRIBUTES "}}," NODE "}" },
		{ "{\"Actor\":{\"ID\":\"x\"}}",
		  "{\"Actor\":{\"ID\":\"x\",\"Attributes\":{" ATTRIBUTES "}}," NODE "}" },
		/* Names that a container's label may have taken. */
		{ "{\"Actor\":{\"Attributes\":{\"node.name\":\"evil\"}},\"node\":7}",
		  "{\"Actor\":{\"Attributes\":{" ATTRIBUTES "}}," NODE "}" },
		/* What this program does not know goes on as it is. */
		{ "{\"Actor\":{\"Attributes\":{}},\"New\":[1.0, 2e400]}",
		  "{\"Actor\":{\"Attributes\":{" ATTRIBUTES "}},\"New\":[1.0, 2e400]," NODE "}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		struct docker_event ev;

		assert_ok(docker_event_read(str_from(cases[i].line), &arena, &ev));
		docker_event_write(&ev, &node, &out);
		assert_buf(out, cases[i].written);
	}
}

static void test_pool_event(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct docker_event ev;

	(void)state;
	docker_event_pool("engine_connect", &node, INT64_C(1795329000123456789), &out);
	assert_buf(
		out,
		"{\"status\":\"engine_connect\",\"id\":\"ABCD:EFGH\",\"from\":\"swarm "
		"node:node-1\","
		"\"Type\":\"node\",\"Action\":\"engine_connect\",\"Actor\":{\"ID\":\"ABCD:EFGH\","
		"\"Attributes\":{\"name\":\"node-1\"," ATTRIBUTES "}},\"scope\":\"swarm\","
		"\"time\":1795329000,\"timeNano\":1795329000123456789," NODE "}");
	assert_ok(docker_event_read(strbuf_str(&out), &arena, &ev));
	assert_str(ev.type, "node");
}

#define EXEC                                                                             \
	"{\"Type\":\"container\",\"Action\":\"exec_create: sh -c x\",\"Actor\":{\"ID\":" \
	"\"c0ffee\",\"Attributes\":{\"name\":\"web\"}},\"scope\":\"local\"}"
#define PULL                                                                      \
	"{\"Type\":\"image\",\"Action\":\"pull\",\"Actor\":{\"ID\":\"reg:5000/a/" \
	"b:1\",\"Attributes\":"                                                   \
	"{\"name\":\"reg:5000/a/b\"}},\"scope\":\"local\"}"

static void test_match(void **state)
{
	static const struct {
		const char *line, *filters;
		bool match;
	} cases[] = {
		{ START, "{}", true },
		{ START, "{\"event\":[\"start\"]}", true },
		{ START, "{\"event\":[\"star\"]}", false },
		{ START, "{\"event\":[\"die\",\"start\"]}", true },
		{ EXEC, "{\"event\":[\"exec_create\"]}", true },
		{ EXEC, "{\"event\":[\"exec_create: sh -c x\"]}", true },
		{ EXEC, "{\"event\":[\"exec_start\"]}", false },
		{ START, "{\"type\":[\"container\"]}", true },
		{ START, "{\"type\":[\"image\"]}", false },
		{ START, "{\"scope\":[\"swarm\"]}", false },
		{ START, "{\"container\":[\"web\"]}", true },
		{ START, "{\"container\":[\"we\"]}", true }, /* the beginning will do, to engines */
		{ START, "{\"container\":[\"c0ff\"]}", true },
		{ START, "{\"container\":[\"db\"]}", false },
		{ START, "{\"container\":[\"node-1/web\"]}", true },
		{ START, "{\"container\":[\"node-2/web\"]}", false },
		{ START, "{\"network\":[\"x\"]}", false },
		{ START, "{\"image\":[\"busybox:1.36\"]}", true },
		{ START, "{\"image\":[\"busybox\"]}", true },
		{ START, "{\"image\":[\"alpine\"]}", false },
		{ PULL, "{\"image\":[\"reg:5000/a/b\"]}", true },
		{ PULL, "{\"image\":[\"reg:5000/a/b:1\"]}", true },
		{ PULL, "{\"image\":[\"b\"]}", false },
		{ START, "{\"label\":[\"tier\"]}", true },
		{ START, "{\"label\":[\"tier=front\"]}", true },
		{ START, "{\"label\":[\"tier=back\"]}", false },
		{ START, "{\"label\":[\"tier\",\"none\"]}", false },
		{ START, "{\"node\":[\"node-1\"]}", true },
		{ START, "{\"node\":[\"ABCD:EFGH\"]}", true },
		{ START, "{\"node\":[\"node\"]}", false },
		{ START, "{\"type\":[\"container\"],\"event\":[\"die\"]}", false },
		{ "{}", "{\"label\":[\"a\"]}", false },
		{ "{}", "{\"container\":[\"a\"]}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct docker_event ev;
		struct filters f;

		assert_ok(docker_event_read(str_from(cases[i].line), &arena, &ev));
		assert_ok(filters_parse(str_from(cases[i].filters), &arena, &f));
		assert_ok(docker_event_filters_check(&f));
		if (docker_event_match(&ev, &node, &f) != cases[i].match)
			fail_msg("%s with %s", cases[i].line, cases[i].filters);
	}
}

static void test_unknown_filter(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct filters f;

	(void)state;
	assert_ok(filters_parse(STR("{\"colour\":[\"red\"]}"), &arena, &f));
	assert_err(docker_event_filters_check(&f), ERR_INVALID, "Invalid filter 'colour'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),	       cmocka_unit_test(test_write),
		cmocka_unit_test(test_pool_event),     cmocka_unit_test(test_match),
		cmocka_unit_test(test_unknown_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
