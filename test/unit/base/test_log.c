/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.c and base/quote.c */
#include "unit/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/quote.h"

static struct strbuf heard;
static int lines;

static void hear(enum log_level level, struct str line, void *arg)
{
	(void)level;
	assert_ptr_equal(arg, &heard);
	strbuf_reset(&heard);
	strbuf_add(&heard, line);
	lines++;
}

static int64_t fixed_clock(void)
{
	return 1795328975120 * MILLISECOND + 999;
}

static int setup(void **state)
{
	(void)state;
	lines = 0;
	log_set_sink(hear, &heard);
	log_set_clock(fixed_clock);
	log_set_level(LOG_INFO);
	log_set_format(LOG_TEXT);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	log_set_clock(NULL);
	log_set_format(LOG_TEXT);
	strbuf_fini(&heard);
	return 0;
}

static void writes_text(void **state)
{
	(void)state;
	log_info("node is healthy", LOG_CSTR("node", "node-1"), LOG_NUM("containers", 3),
		 LOG_STR("absent", STR_NONE));
	assert_buf(heard, "time=\"2026-11-22T06:29:35.120Z\" level=info msg=\"node is healthy\" "
			  "node=node-1 containers=3");
	log_warn("stopping", LOG_STR("empty", STR("")), LOG_STR("odd", STR("a=\"b\"\n\x1b[1m")));
	assert_buf(heard, "time=\"2026-11-22T06:29:35.120Z\" level=warn msg=stopping empty=\"\" "
			  "odd=\"a=\\\"b\\\"\\n\\x1b[1m\"");
}

static void writes_json(void **state)
{
	_cleanup_(error_freep) struct error *err = error_new(ERR_INTERNAL, "a \"b\"");

	(void)state;
	log_set_format(LOG_JSON);
	log_error("cannot", LOG_ERR(err), LOG_NUM("n", INT64_MIN));
	assert_buf(heard, "{\"time\":\"2026-11-22T06:29:35.120Z\",\"level\":\"error\","
			  "\"msg\":\"cannot\",\"error\":\"a \\\"b\\\"\","
			  "\"n\":-9223372036854775808}");
}

static void is_silent_below_its_level(void **state)
{
	int asked = 0;

	(void)state;
	log_debug("not seen", LOG_NUM("asked", ++asked));
	assert_int_equal(lines, 0);
	assert_int_equal(asked, 0);
	log_set_level(LOG_DEBUG);
	log_debug("seen", LOG_NUM("asked", ++asked));
	assert_int_equal(lines, 1);
	log_set_level(LOG_ERROR);
	log_warn("not seen");
	log_error("seen");
	assert_int_equal(lines, 2);
}

static void knows_its_levels(void **state)
{
	enum log_level level = LOG_INFO;

	(void)state;
	assert_true(log_level_parse(STR("debug"), &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_parse(STR("fatal"), &level));
	assert_int_equal(level, LOG_FATAL);
	assert_false(log_level_parse(STR("loud"), &level));
	assert_false(log_level_parse(STR(""), &level));
	assert_int_equal(level, LOG_FATAL);
}

static void goes_to_stderr_line_by_line(void **state)
{
	int kept = dup(STDERR_FILENO), pipes[2];
	char text[200] = "";

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	log_set_sink(NULL, NULL);
	dup2(pipes[1], STDERR_FILENO);
	log_info("hello");
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(pipes[1]);
	assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
	close(pipes[0]);
	assert_string_equal(text, "time=\"2026-11-22T06:29:35.120Z\" level=info msg=hello\n");
}

static void quotes(void **state)
{
	static const struct {
		struct str s;
		const char *json, *text;
	} cases[] = {
		{ STR_INIT(""), "\"\"", "\"\"" },
		{ STR_INIT("plain"), "\"plain\"", "\"plain\"" },
		{ STR_INIT("a\"\\b"), "\"a\\\"\\\\b\"", "\"a\\\"\\\\b\"" },
		{ STR_INIT("\n\r\t\b\f"), "\"\\n\\r\\t\\b\\f\"", "\"\\n\\r\\t\\b\\f\"" },
		{ STR_INIT("\0\x1f"), "\"\\u0000\\u001f\"", "\"\\x00\\x1f\"" },
		{ STR_INIT("\x7f"), "\"\x7f\"", "\"\\x7f\"" },
		{ STR_INIT("</&>"), "\"</&>\"", "\"</&>\"" },
		{ STR_INIT("\u00e9\u20ac\U0001f600"), "\"\u00e9\u20ac\U0001f600\"",
		  "\"\u00e9\u20ac\U0001f600\"" },
		{ STR_INIT("a\xff\xc3"), "\"a\\ufffd\\ufffd\"", "\"a\\xff\\xc3\"" },
		{ STR_INIT("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"", "\"\\xed\\xa0\\x80\"" },
		{ STR_INIT("\xc2\x85"), "\"\xc2\x85\"", "\"\\x85\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

		quote_json(&out, cases[i].s);
		assert_buf(out, cases[i].json);
		strbuf_reset(&out);
		quote_text(&out, cases[i].s);
		assert_buf(out, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_text, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_json, setup, teardown),
		cmocka_unit_test_setup_teardown(is_silent_below_its_level, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_to_stderr_line_by_line, setup, teardown),
		cmocka_unit_test(knows_its_levels),
		cmocka_unit_test(quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
