/* SPDX-License-Identifier: Apache-2.0 */
/* engine/client*.c: in which words an engine is asked, and what its answers mean. */
#include "fake.h"

#include "fiber/clock.h"

static void answer_with(struct fake *f, const char *path, int status, const char *body)
{
	f->broken_path = path;
	f->broken_status = status;
	f->broken_body = body;
	strbuf_reset(&f->requests);
}

static may_suspend void story_versions(struct fake *f)
{
	static const struct {
		int client, asked;
	} cases[] = { { 24, 30 }, { 30, 30 }, { 41, 41 }, { 51, 41 } };
	_cleanup_(node_stop) struct node n = { 0 };

	f->oldest_api = "1.30";
	node_up(&n);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(engine_version(n.e, API_VERSION(1, cases[i].client)).minor,
				 cases[i].asked);
}

static may_suspend void story_newer_engine(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	f->api = "1.60";
	node_up(&n);
	assert_true(str_contains(strbuf_str(&f->requests), STR("GET /v1.51/containers/json")));
}

static may_suspend struct error *create(struct engine *e, struct str *ret, struct arena *arena)
{
	return engine_call_create(e,
				  &(struct engine_create){
					  .version = API_VERSION(1, 40),
					  .name = STR("a&b"),
					  .query = STR("platform=linux"),
					  .body = STR("{\"Image\":\"x\"}"),
				  },
				  arena, ret);
}

static may_suspend void story_create(struct fake *f)
{
	static const struct {
		int status;
		const char *body;
		enum error_kind kind;
		const char *message;
	} refusals[] = {
		{ 404, "{\"message\":\"No such image: x:latest\"}", ERR_NO_IMAGE, "No such image" },
		{ 404, "{\"message\":\"network y not found\"}", ERR_NOT_FOUND, "network y" },
		{ 409, "{\"message\":\"Conflict. The name is taken\"}", ERR_CONFLICT, "Conflict" },
		{ 500, "out of cheese", ERR_ENGINE, "out of cheese" },
		{ 500, "", ERR_ENGINE, "Internal Server Error" },
	};
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str body;

	node_up(&n);
	answer_with(f, "/containers/create", 201, "{\"Id\":\"1\",\"Warnings\":[]}");
	assert_ok(create(n.e, &body, &arena));
	assert_str(body, "{\"Id\":\"1\",\"Warnings\":[]}");
	assert_buf(f->requests, "POST /v1.40/containers/create?name=a%26b&platform=linux\n");
	assert_buf(f->body, "{\"Image\":\"x\"}");

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		answer_with(f, "/containers/create", refusals[i].status, refusals[i].body);
		assert_err(create(n.e, &body, &arena), refusals[i].kind, refusals[i].message);
	}
	/* Refusals are answers. */
	assert_buf(n.ear.heard, "");
}

static may_suspend void story_remove(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	answer_with(f, "/containers/abc", 204, "");
	assert_ok(engine_call_remove(n.e, STR("abc"), true, false));
	assert_buf(f->requests, "DELETE /v1.41/containers/abc?force=1&v=0\n");
}

static may_suspend struct error *note_line(void *arg, struct str line)
{
	strbuf_addf(arg, "[%.*s]", STR_ARG(line));
	return NULL;
}

static may_suspend struct error *fail_at_line(void *arg _unused_, struct str line _unused_)
{
	return error_new(ERR_CLOSED, "the client left");
}

static may_suspend struct error *pull(struct engine *e, engine_line_fn *fn, void *arg)
{
	return engine_call_pull(e, API_VERSION(1, 41), STR("fromImage=x&tag=1"), STR("e30="), fn,
				arg);
}

static may_suspend void story_pull(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(strbuf_fini) struct strbuf lines = STRBUF_INIT;

	node_up(&n);
	answer_with(f, "/images/create", 200, "{\"status\":\"a\"}\r\n{\"status\":\"b\"}\r\n");
	assert_ok(pull(n.e, note_line, &lines));
	assert_buf(lines, "[{\"status\":\"a\"}][{\"status\":\"b\"}]");
	assert_buf(f->requests, "POST /v1.41/images/create?fromImage=x&tag=1\n");
	assert_ok(pull(n.e, NULL, NULL));

	answer_with(f, "/images/create", 200,
		    "{\"status\":\"a\"}\n{\"errorDetail\":{\"code\":404,\"message\":\"gone\"},"
		    "\"error\":\"gone\"}\n");
	assert_err(pull(n.e, NULL, NULL), ERR_NOT_FOUND, "gone");
	answer_with(f, "/images/create", 200, "{\"error\":\"broke\"}\n");
	assert_err(pull(n.e, NULL, NULL), ERR_ENGINE, "broke");
	answer_with(f, "/images/create", 404, "{\"message\":\"no manifest\"}");
	assert_err(pull(n.e, NULL, NULL), ERR_NOT_FOUND, "no manifest");
	assert_buf(n.ear.heard, "");

	/* Who watches leaves: the engine is none the worse for it. */
	answer_with(f, "/images/create", 200, "{\"status\":\"a\"}\n");
	assert_err(pull(n.e, fail_at_line, NULL), ERR_CLOSED, "the client left");
	assert_buf(n.ear.heard, "");

	/* Garbage is the engine's fault. */
	answer_with(f, "/images/create", 200, "}{");
	assert_err(pull(n.e, NULL, NULL), ERR_PROTOCOL, "invalid JSON");
	assert_buf(n.ear.heard, "health 67\n");
}

static may_suspend void story_no_connection(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str body;

	node_up(&n);
	fake_crash(f);
	assert_err(create(n.e, &body, &arena), ERR_REFUSED, "10.0.0.1:2375: connection refused");
	assert_true(ear_heard(&n.ear, "health 67\n"));
}

TEST(versions)
TEST(newer_engine)
TEST(create)
TEST(remove)
TEST(pull)
TEST(no_connection)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions), cmocka_unit_test(test_newer_engine),
		cmocka_unit_test(test_create),	 cmocka_unit_test(test_remove),
		cmocka_unit_test(test_pull),	 cmocka_unit_test(test_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
