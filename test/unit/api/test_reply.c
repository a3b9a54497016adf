/* SPDX-License-Identifier: Apache-2.0 */
/* api/reply.c: the status and the text of an error. How they are sent is tested in test/sim. */
#include "unit/testing.h"

#include "api/reply.h"

static void test_statuses(void **state)
{
	static const struct {
		enum error_kind kind;
		int status;
	} cases[] = {
		{ ERR_INTERNAL, 500 },	  { ERR_INVALID, 400 },	       { ERR_UNAUTHORIZED, 401 },
		{ ERR_FORBIDDEN, 403 },	  { ERR_NOT_FOUND, 404 },      { ERR_NO_IMAGE, 404 },
		{ ERR_BAD_METHOD, 405 },  { ERR_CONFLICT, 409 },       { ERR_AMBIGUOUS, 400 },
		{ ERR_TOO_LARGE, 413 },	  { ERR_HEAD_TOO_LARGE, 431 }, { ERR_NOT_IMPLEMENTED, 501 },
		{ ERR_UNAVAILABLE, 503 }, { ERR_NOT_PRIMARY, 503 },    { ERR_NO_NODE, 500 },
		{ ERR_NODE_DOWN, 500 },	  { ERR_TIMEOUT, 504 },	       { ERR_REFUSED, 502 },
		{ ERR_CLOSED, 502 },	  { ERR_PROTOCOL, 502 },       { ERR_TLS, 502 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(error_freep) struct error *err = error_new(cases[i].kind, "x");

		assert_int_equal(reply_status(err), cases[i].status);
	}
}

static void test_an_engines_status_stays(void **state)
{
	static const int statuses[] = { 304, 400, 404, 406, 409, 418, 500, 503 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		_cleanup_(error_freep) struct error *err =
			error_wrap(error_from_status(statuses[i], STR("no")), "node-1");

		assert_int_equal(reply_status(err), statuses[i]);
	}
}

static void test_body(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	reply_error_body(400, "bad \"name\"\n", &out);
	assert_buf(out, "{\"message\":\"bad \\\"name\\\"\\n\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_an_engines_status_stays),
		cmocka_unit_test(test_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
