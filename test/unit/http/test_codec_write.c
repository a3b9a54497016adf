/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads as they go out, and that what comes out can be read again.
 */
#include "unit/http/check.h"

#include "http/codec.h"

static void test_lines(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	http_write_request_line(&out, STR("GET"), STR("/v1.41/info?a=b"));
	http_write_header(&out, STR("X-Empty"), STR_NONE);
	http_write_status_line(&out, 101, STR("UPGRADED"));
	http_write_status_line(&out, 404, STR_NONE);
	http_write_status_line(&out, 599, STR_NONE);
	assert_str(strbuf_str(&out), STR("GET /v1.41/info?a=b HTTP/1.1\r\n"
					 "X-Empty: \r\n"
					 "HTTP/1.1 101 UPGRADED\r\n"
					 "HTTP/1.1 404 Not Found\r\n"
					 "HTTP/1.1 599 \r\n"));
}

static void test_what_is_written_can_be_read(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct http_response r;

	(void)state;
	http_write_status_line(&out, 599, STR_NONE);
	http_write_header(&out, STR("Content-Length"), STR("0"));
	http_write_header(&out, STR("X-Text"), STR("a\tb: \xc3\xa4"));
	strbuf_add(&out, STR("\r\n"));
	assert_ok(http_parse_response(strbuf_str(&out), STR("GET"), &arena, &r));
	assert_int_equal(r.status, 599);
	assert_str(http_header(&r.headers, "x-text"), STR("a\tb: \xc3\xa4"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_what_is_written_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
