/* SPDX-License-Identifier: Apache-2.0 */
/* engine/container*.c: what is kept of a container, and how its entry goes out again. */
#include "unit/testing.h"

#include "engine/container.h"

#define ID     "4c01db0b339c4c01db0b339c4c01db0b339c4c01db0b339c4c01db0b339c4c01"
#define MINUTE (INT64_C(60) * 1000000000)
/* 2026-11-22T06:00:00Z */
#define STARTED (INT64_C(1795327200) * 1000000000)

#define ENTRY                                                                            \
	"{\"Id\":\"" ID "\",\"Names\":[\"/db/web\",\"/web\"],\"Image\":\"busybox\","     \
	"\"ImageID\":\"sha256:1\",\"Created\":1795327100,\"Ports\":["                    \
	"{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"  \
	"{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"       \
	"{\"IP\":\"0.0.0.0\",\"PrivatePort\":81,\"PublicPort\":8081,\"Type\":\"tcp\"}]," \
	"\"Labels\":{\"com.docker.swarm.id\":\"abc\"},\"State\":\"running\","            \
	"\"Status\":\"Up 2 minutes\",\"Unheard\":12345678901234567890}"

#define INSPECT                                                                              \
	"{\"Created\":\"2026-11-22T05:58:20.123456789Z\",\"Name\":\"/"                       \
	"web\",\"State\":{\"Status\":\"running\",\"StartedAt\":"                             \
	"\"2026-11-22T06:00:00Z\"},\"HostConfig\":{\"NanoCpus\":1500000000,\"Memory\":1024," \
	"\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}},"          \
	"\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":"  \
	"\"8080\"},{\"HostIp\":\"::\",\"HostPort\":\"8080\"}]}}}"

static struct json parse(struct arena *arena, const char *text)
{
	struct json v;

	assert_ok(json_parse(str_from(text), arena, &v));
	return v;
}

static struct container *make(const char *entry, const char *inspect)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct container *c = NULL;

	assert_ok(container_new(NULL, parse(&arena, entry), parse(&arena, inspect), STR("10.0.0.1"),
				4, &c));
	return c;
}

static void test_facts(void **state)
{
	_cleanup_(container_unrefp) struct container *c = make(ENTRY, INSPECT);

	(void)state;
	assert_str(c->id, ID);
	assert_str(c->name, "web");
	assert_str(c->swarm_id, "abc");
	assert_str(c->image, "busybox");
	assert_str(c->image_id, "sha256:1");
	assert_int_equal(c->created, 1795327100123456789);
	assert_int_equal(c->state.status, CONTAINER_RUNNING);
	assert_int_equal(c->nano_cpus, 1500000000);
	assert_int_equal(c->memory, 1024);
	assert_int_equal(c->n_ports, 1);
	assert_int_equal(c->ports[0].port, 8080);
	assert_int_equal(c->ports[0].family, 0);
}

/* The one allocation has the entry, and at most 512 bytes of ours. */
static void test_size(void **state)
{
	_cleanup_(container_unrefp) struct container *c = make(ENTRY, INSPECT);

	(void)state;
	assert_in_range(c->size, c->entry.n, c->entry.n + 320);
}

static void test_entry_goes_out_as_it_came(void **state)
{
	_cleanup_(container_unrefp) struct container *c = make(ENTRY, INSPECT);
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	container_write_entry(c, STR("[\"/web\",\"/n1/web\"]"), STARTED + 5 * MINUTE, false, &out);
	assert_buf(out,
		   "{\"Id\":\"" ID "\",\"Names\":[\"/web\",\"/n1/web\"],\"Image\":\"busybox\","
		   "\"ImageID\":\"sha256:1\",\"Created\":1795327100,\"Ports\":["
		   "{\"IP\":\"10.0.0.1\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
		   "{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
		   "{\"IP\":\"10.0.0.1\",\"PrivatePort\":81,\"PublicPort\":8081,\"Type\":\"tcp\"}],"
		   "\"Labels\":{\"com.docker.swarm.id\":\"abc\"},\"State\":\"running\","
		   "\"Status\":\"Up 5 minutes\",\"Unheard\":12345678901234567890}");
}

static void test_entry_of_a_node_that_is_down(void **state)
{
	_cleanup_(container_unrefp) struct container *c =
		make("{\"Status\":\"Up 1 second\",\"Id\":\"a\",\"Names\":[\"/x\"]}", "{}");
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	container_write_entry(c, STR("[]"), STARTED, true, &out);
	assert_buf(out, "{\"Status\":\"Host Down\",\"Id\":\"a\",\"Names\":[]}");
}

/* Texts with escapes are no slices of the entry. */
static void test_escaped_texts(void **state)
{
	_cleanup_(container_unrefp) struct container *c =
		make("{\"Id\":\"a\",\"Names\":[\"\\/x\"],\"Image\":\"b\\u0061r\"}", "{}");

	(void)state;
	assert_str(c->name, "x");
	assert_str(c->image, "bar");
	assert_str(c->image_id, "");
	assert_str(c->swarm_id, "");
}

static void test_names(void **state)
{
	static const struct {
		const char *entry, *inspect, *name;
	} cases[] = {
		{ "{\"Id\":\"a\",\"Names\":[\"/x/y\",\"/z\"]}", "{\"Name\":\"/q\"}", "z" },
		{ "{\"Id\":\"a\",\"Names\":[]}", "{\"Name\":\"/q\"}", "q" },
		{ "{\"Id\":\"a\",\"Names\":null}", "{\"Name\":\"/q\"}", "q" },
		{ "{\"Id\":\"0123456789abcdef\",\"Names\":[\"/\"]}", "{}", "0123456789ab" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(container_unrefp) struct container *c =
			make(cases[i].entry, cases[i].inspect);

		assert_str(c->name, cases[i].name);
	}
}

static void test_not_a_container(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct container *c;

	(void)state;
	assert_err(container_new(NULL, parse(&arena, "{\"Names\":[\"/x\"]}"), parse(&arena, "{}"),
				 STR(""), 4, &c),
		   ERR_PROTOCOL, "without an Id");
	assert_err(container_new(NULL, parse(&arena, "[]"), parse(&arena, "{}"), STR(""), 4, &c),
		   ERR_PROTOCOL, "without an Id");
}

static void test_variants(void **state)
{
	_cleanup_(container_unrefp) struct container *c = make(ENTRY, INSPECT);
	struct container_state stopped = { .status = CONTAINER_EXITED,
					   .exit_code = 3,
					   .finished_at = STARTED };
	_cleanup_(container_unrefp) struct container *exited = container_with_state(c, &stopped);
	_cleanup_(container_unrefp) struct container *renamed =
		container_with_name(exited, STR("other"));
	_cleanup_(container_unrefp) struct container *again =
		container_with_name(renamed, STR("a-longer-name"));
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	container_unref(take(c));
	container_unref(take(exited));
	container_unref(take(renamed));
	assert_str(again->name, "a-longer-name");
	assert_str(again->id, ID);
	assert_str(again->swarm_id, "abc");
	assert_int_equal(again->n_ports, 1);
	assert_int_equal(again->ports[0].port, 8080);
	container_write_entry(again, STR("[\"/a\"]"), STARTED + MINUTE, false, &out);
	assert_true(str_contains(strbuf_str(&out), STR("\"State\":\"exited\",\"Status\":"
						       "\"Exited (3) About a minute ago\"")));
}

static uint64_t digest_of(const char *entry)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

	return container_entry_digest(parse(&arena, entry));
}

static void test_digest_leaves_ages_out(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "{\"Status\":\"Up 2 minutes\"}", "{\"Status\":\"Up About an hour\"}", true },
		{ "{\"Status\":\"Up 2 minutes (healthy)\"}", "{\"Status\":\"Up 3 days (healthy)\"}",
		  true },
		{ "{\"Status\":\"Up 2 minutes (healthy)\"}", "{\"Status\":\"Up 2 minutes\"}",
		  false },
		{ "{\"Status\":\"Exited (0) 2 minutes ago\"}",
		  "{\"Status\":\"Exited (0) 3 minutes ago\"}", true },
		{ "{\"Status\":\"Exited (0) 2 minutes ago\"}",
		  "{\"Status\":\"Exited (1) 2 minutes ago\"}", false },
		{ "{\"Status\":\"Up 2 minutes\"}", "{\"Status\":\"Created\"}", false },
		/* Arrays that engines make out of maps come in any order. */
		{ "{\"Ports\":[{\"P\":1},{\"P\":2}]}", "{\"Ports\":[{\"P\":2},{\"P\":1}]}", true },
		{ "{\"Ports\":[{\"P\":1},{\"P\":2}]}", "{\"Ports\":[{\"P\":1},{\"P\":1}]}", false },
		{ "{\"Ports\":[]}", "{\"Mounts\":[]}", false },
		{ "{\"A\":\"x\",\"B\":\"y\"}", "{\"A\":\"y\",\"B\":\"x\"}", false },
		{ "{\"Labels\":{\"a\":\"1\"}}", "{\"Labels\":{\"a\":\"2\"}}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if ((digest_of(cases[i].a) == digest_of(cases[i].b)) != cases[i].equal)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
}

/* "port/protocol@family", sorted as they are kept. */
static void show_ports(const struct container *c, struct strbuf *out)
{
	for (uint32_t i = 0; i < c->n_ports; i++)
		strbuf_addf(out, "%s%u/%c@%u", i ? " " : "", (unsigned)c->ports[i].port,
			    c->ports[i].protocol, (unsigned)c->ports[i].family);
}

static void test_ports(void **state)
{
	static const struct {
		const char *inspect, *ports;
	} cases[] = {
		{ "{}", "" },
		{ "{\"HostConfig\":{\"PortBindings\":null},\"NetworkSettings\":{\"Ports\":{}}}",
		  "" },
		/* Asked for, stopped. */
		{ "{\"HostConfig\":{\"PortBindings\":{\"53/udp\":[{\"HostIp\":\"127.0.0.1\","
		  "\"HostPort\":\"53\"}]}}}",
		  "53/u@4" },
		{ "{\"HostConfig\":{\"PortBindings\":{\"53/udp\":[{\"HostIp\":\"fd00::1\","
		  "\"HostPort\":\"53\"}]}}}",
		  "53/u@6" },
		/* To be drawn by the engine, and drawn. */
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"\"}]}}}", "" },
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"0\"}]}},"
		  "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\","
		  "\"HostPort\":\"32768\"}],\"81/tcp\":null}}}",
		  "32768/t@0" },
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8000-8010\"}]}}}",
		  "" },
		/* The host's network: what is exposed. */
		{ "{\"HostConfig\":{\"NetworkMode\":\"host\"},\"Config\":{\"ExposedPorts\":"
		  "{\"80/tcp\":{},\"9/sctp\":{}}}}",
		  "9/s@0 80/t@0" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"bridge\"},\"Config\":{\"ExposedPorts\":"
		  "{\"80/tcp\":{}}}}",
		  "" },
		/* Nonsense. */
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"70000\"},7,"
		  "{\"HostPort\":80}]}}}",
		  "" },
		{ "{\"HostConfig\":{\"PortBindings\":[],\"NetworkMode\":3}}", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(container_unrefp) struct container *c =
			make("{\"Id\":\"a\"}", cases[i].inspect);
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

		strbuf_add(&out, STR(""));
		show_ports(c, &out);
		assert_buf(out, cases[i].ports);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_entry_goes_out_as_it_came),
		cmocka_unit_test(test_entry_of_a_node_that_is_down),
		cmocka_unit_test(test_escaped_texts),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_not_a_container),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_digest_leaves_ages_out),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
