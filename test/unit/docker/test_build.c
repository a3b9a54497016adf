/* SPDX-License-Identifier: Apache-2.0 */
/* docker/build.h: expressions among build args, images in a build's progress. */
#include "unit/testing.h"

#include "base/attr.h"
#include "base/limits.h"
#include "docker/build.h"

#define ID_1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

/* "a;b" */
static struct str joined(const struct str_array *v, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < v->n; i++)
		strbuf_addf(&out, "%s%.*s", i ? ";" : "", STR_ARG(v->v[i]));
	return arena_dup(arena, strbuf_str(&out));
}

static void test_args(void **state)
{
	static const struct {
		const char *text, *constraints, *affinities, *whitelists, *rest;
	} cases[] = {
		{ "", "", "", "", "" },
		{ "{}", "", "", "", "{}" },
		{ "{ \"A\" : \"1\" }", "", "", "", "{ \"A\" : \"1\" }" },
		{ "{\"A\":\"1\",\"constraint:node\":\"=n1\",\"B\":null}", "node==n1", "", "",
		  "{\"A\":\"1\",\"B\":null}" },
		{ "{\"constraint:a\":\"=~x*\",\"constraint:b!\":\"/y|z/\"}", "a==~x*;b!=/y|z/", "",
		  "", "{}" },
		{ "{\"affinity:image\":\"=base:1\",\"whitelist:node\":\"=a|b\"}", "",
		  "image==base:1", "node==a|b", "{}" },
		{ "{\"reschedule:on-node-failure\":\"\"}", "", "", "", "{}" },
		{ "{\"constraint:node\":null}", "node", "", "", "{}" },
		{ "{\"q\\\"\":\"\\u00e9\",\"constraint:a\":\"=b\"}", "a==b", "", "",
		  "{\"q\\\"\":\"\\u00e9\"}" },
		{ "[\"constraint:node==n1\"]", "", "", "", "[\"constraint:node==n1\"]" },
		{ "{\"constraint:node\":", "", "", "", "{\"constraint:node\":" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct build_args args;

		assert_ok(build_args_read(str_from(cases[i].text), &arena, &args));
		assert_str(joined(&args.constraints, &arena), cases[i].constraints);
		assert_str(joined(&args.affinities, &arena), cases[i].affinities);
		assert_str(joined(&args.whitelists, &arena), cases[i].whitelists);
		assert_str(args.rest, cases[i].rest);
	}
}

static void test_too_many_args(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct build_args args;

	(void)state;
	strbuf_addc(&text, '{');
	for (int i = 0; i <= LIMIT_LABEL_EXPRS; i++)
		strbuf_addf(&text, "%s\"constraint:k%d\":\"=v\"", i ? "," : "", i);
	strbuf_addc(&text, '}');
	assert_err(build_args_read(strbuf_str(&text), &arena, &args), ERR_INVALID, "more than 256");
}

static void test_constraints(void **state)
{
	static const char *const wrong[] = { "node==n1", "{\"a\":1}", "[1]", "[\"a==b\"", "null" };
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str_array got;

	(void)state;
	assert_ok(build_constraints_read(STR("[\"a==b\",\"node!=n1\"]"), &arena, &got));
	assert_str(joined(&got, &arena), "a==b;node!=n1");
	assert_ok(build_constraints_read(STR_NONE, &arena, &got));
	assert_int_equal(got.n, 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_err(build_constraints_read(str_from(wrong[i]), &arena, &got), ERR_INVALID,
			   "X-Swarm-Constraints");
}

static void check_ids(const struct build_output *o, const char *expected)
{
	assert_str(strbuf_str(&o->ids), expected);
}

static void test_output(void **state)
{
	static const struct {
		const char *text, *ids;
	} cases[] = {
		{ "{\"stream\":\"Step 1/1 : FROM busybox\"}\r\n", "" },
		{ "{\"aux\":{\"ID\":\"" ID_1
		  "\"}}\r\n{\"stream\":\"Successfully built 111\\n\"}\r\n",
		  ID_1 "\n" },
		{ "{\"aux\":{\"ID\":\"" ID_1 "\"}}\r\n{\"aux\":{\"ID\":\"" ID_2 "\"}}\r\n",
		  ID_1 "\n" ID_2 "\n" },
		{ "{\"id\":\"moby.image.id\",\"aux\":{\"ID\":\"" ID_2 "\"}}\n", ID_2 "\n" },
		{ "{\"stream\":\"" ID_1 "\\n\"}\r\n", ID_1 "\n" },
		{ "{\"status\":\"Digest: " ID_1 "\"}\r\n", "" },
		{ "{\"stream\":\"RUN says " ID_1 "\"}\r\n", "" },
		{ "{\"aux\":{\"ID\":\"sha256:12\"}}\r\n", "" },
		{ "{\"aux\":{\"ID\":\"" ID_1 "\"}}", "" }, /* cut off */
		{ "sha256: no JSON\n{\"aux\":{\"ID\":\"" ID_1 "\"}}\n", ID_1 "\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		/* Cut into pieces of every size. */
		for (size_t step = 1; step <= strlen(cases[i].text); step++) {
			_cleanup_(build_output_fini) struct build_output o = { 0 };
			struct str rest = str_from(cases[i].text);

			while (!str_empty(rest)) {
				build_output_feed(&o, str_first(rest, step));
				rest = str_skip(rest, step);
			}
			check_ids(&o, cases[i].ids);
		}
	}
}

/* A line without end takes no memory, and does not hide what follows it. */
static void test_long_line(void **state)
{
	_cleanup_(build_output_fini) struct build_output o = { 0 };
	_cleanup_(strbuf_fini) struct strbuf trace = STRBUF_INIT;

	(void)state;
	strbuf_add(&trace, STR("{\"aux\":{\"ID\":\"" ID_2 "\"},\"x\":\""));
	while (trace.n < 64 * KIB)
		strbuf_addc(&trace, 'x');
	build_output_feed(&o, strbuf_str(&trace));
	assert_true(o.line.cap < 8 * KIB);
	build_output_feed(&o, STR("\"}\n{\"aux\":{\"ID\":\"" ID_1 "\"}}\n"));
	check_ids(&o, ID_1 "\n");
}

static void test_the_last_ids_are_kept(void **state)
{
	_cleanup_(build_output_fini) struct build_output o = { 0 };
	struct str rest, id, last = STR_NONE;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		build_output_feed(&o, STR("{\"aux\":{\"ID\":\"" ID_1 "\"}}\n"));
	build_output_feed(&o, STR("{\"aux\":{\"ID\":\"" ID_2 "\"}}\n"));
	for (rest = strbuf_str(&o.ids); build_output_next(&rest, &id); n++)
		last = id;
	assert_int_equal(n, 64);
	assert_str(last, ID_2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args),	    cmocka_unit_test(test_too_many_args),
		cmocka_unit_test(test_constraints), cmocka_unit_test(test_output),
		cmocka_unit_test(test_long_line),   cmocka_unit_test(test_the_last_ids_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
