/* SPDX-License-Identifier: Apache-2.0 */
/* docker/state.c: what inspect says, and the words that `docker ps` has for it. */
#include "unit/testing.h"

#include "docker/state.h"

#define STARTED	 "\"StartedAt\":\"2026-11-22T06:00:00.5Z\""
#define FINISHED "\"FinishedAt\":\"2026-11-22T06:10:00Z\""
#define NEVER	 "0001-01-01T00:00:00Z"
#define NOW	 (INT64_C(1795329000) * 1000000000) /* 2026-11-22T06:30:00Z */

static const struct {
	const char *json, *name, *health, *text;
} cases[] = {
	{ "{\"Status\":\"running\",\"Running\":true," STARTED "}", "running", "none",
	  "Up 29 minutes" },
	{ "{\"Status\":\"running\"," STARTED ",\"Health\":{\"Status\":\"starting\"}}", "running",
	  "starting", "Up 29 minutes (health: starting)" },
	{ "{\"Status\":\"running\"," STARTED ",\"Health\":{\"Status\":\"healthy\"}}", "running",
	  "healthy", "Up 29 minutes (healthy)" },
	{ "{\"Status\":\"running\"," STARTED ",\"Health\":{\"Status\":\"unhealthy\"}}", "running",
	  "unhealthy", "Up 29 minutes (unhealthy)" },
	{ "{\"Status\":\"running\"," STARTED ",\"Health\":{\"Status\":\"\"}}", "running",
	  "unhealthy", "Up 29 minutes (unhealthy)" },
	{ "{\"Status\":\"running\"," STARTED ",\"Health\":null}", "running", "none",
	  "Up 29 minutes" },
	{ "{\"Status\":\"paused\"," STARTED ",\"Health\":{\"Status\":\"healthy\"}}", "paused",
	  "healthy", "Up 29 minutes (Paused)" },
	{ "{\"Status\":\"restarting\",\"ExitCode\":1," STARTED "," FINISHED "}", "restarting",
	  "none", "Restarting (1) 20 minutes ago" },
	{ "{\"Status\":\"removing\"," STARTED "}", "removing", "none", "Removal In Progress" },
	{ "{\"Status\":\"dead\"," STARTED "}", "dead", "none", "Dead" },
	{ "{\"Status\":\"created\",\"StartedAt\":\"" NEVER "\",\"FinishedAt\":\"" NEVER "\"}",
	  "created", "none", "Created" },
	{ "{\"Status\":\"exited\",\"ExitCode\":137," STARTED "," FINISHED "}", "exited", "none",
	  "Exited (137) 20 minutes ago" },
	{ "{\"Status\":\"exited\",\"ExitCode\":-1," STARTED "," FINISHED "}", "exited", "none",
	  "Exited (-1) 20 minutes ago" },
	{ "{\"Status\":\"exited\"," STARTED ",\"FinishedAt\":\"" NEVER "\"}", "exited", "none",
	  "" },
	/* Without "Status" the flags say it. */
	{ "{\"Running\":true,\"Paused\":true," STARTED "}", "paused", "none",
	  "Up 29 minutes (Paused)" },
	{ "{\"Running\":true,\"Restarting\":true," FINISHED "}", "restarting", "none",
	  "Restarting (0) 20 minutes ago" },
	{ "{\"Running\":true," STARTED "}", "running", "none", "Up 29 minutes" },
	{ "{\"Dead\":true}", "dead", "none", "Dead" },
	{ "{" STARTED "," FINISHED "}", "exited", "none", "Exited (0) 20 minutes ago" },
	/* Nothing at all, or nonsense. */
	{ "{}", "created", "none", "Created" },
	{ "null", "created", "none", "Created" },
	{ "{\"Status\":7,\"StartedAt\":true,\"ExitCode\":99999999999,\"Health\":3}", "created",
	  "none", "Created" },
	/* A start in the engine's future: two clocks. */
	{ "{\"Status\":\"running\",\"StartedAt\":\"2026-11-22T07:00:00Z\"}", "running", "none",
	  "Up Less than a second" },
};

static void test_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
		struct container_state s;
		struct json json;

		assert_ok(json_parse(str_from(cases[i].json), &arena, &json));
		container_state_read(json, &s);
		container_status_text(&s, NOW, &text);
		assert_string_equal(container_status_name(s.status), cases[i].name);
		assert_string_equal(container_health_name(s.health), cases[i].health);
		assert_buf(text, cases[i].text);
	}
}

static void test_times(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct container_state s;
	struct json json;

	(void)state;
	assert_ok(json_parse(STR("{" STARTED ",\"FinishedAt\":\"" NEVER "\"}"), &arena, &json));
	container_state_read(json, &s);
	assert_int_equal(s.started_at, NOW - INT64_C(1799500000000));
	assert_int_equal(s.finished_at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
