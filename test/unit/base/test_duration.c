/* SPDX-License-Identifier: Apache-2.0 */
/* base/duration.c and base/timestamp.c. The tables have what Go's time package answers. */
#include "unit/testing.h"

#include "base/duration.h"

static void reads_spans(void **state)
{
	static const struct {
		const char *text;
		int64_t span;
	} cases[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "+0", 0 },
		{ "0s", 0 },
		{ "5s", 5 * SECOND },
		{ "+5s", 5 * SECOND },
		{ "-5s", -5 * SECOND },
		{ "1m30s", 90 * SECOND },
		{ "1.5h", 90 * MINUTE },
		{ ".5s", 500 * MILLISECOND },
		{ "5.s", 5 * SECOND },
		{ "500ms", 500 * MILLISECOND },
		{ "10ns", 10 },
		{ "11us", 11 * MICROSECOND },
		{ "12\u00b5s", 12 * MICROSECOND },
		{ "12\u03bcs", 12 * MICROSECOND },
		{ "1h2m3.004005006s", HOUR + 2 * MINUTE + 3 * SECOND + 4005006 },
		{ "39h9m14.425s", 39 * HOUR + 9 * MINUTE + 14425 * MILLISECOND },
		{ "52763797000ns", 52763797000 },
		{ "0.3333333333333333333h", 20 * MINUTE - 1 },
		{ "0.100000000000000000000h", 6 * MINUTE },
		{ "9007199254740993ns", 9007199254740993 },
		{ "9223372036854775807ns", INT64_MAX },
		{ "-9223372036854775808ns", INT64_MIN },
		{ "1s1s", 2 * SECOND },
	};
	int64_t span;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		span = 77;
		assert_ok(duration_parse(str_from(cases[i].text), &span));
		if (span != cases[i].span)
			print_error("%s\n", cases[i].text);
		assert_int_equal(span, cases[i].span);
	}
}

static void refuses_what_is_no_span(void **state)
{
	static const char *const none[] = { "",	   "3",	   "-",	   "s",	    ".",
					    "-.",  ".s",   "+.s",  "1d",    "5 s",
					    " 5s", "5s ",  "1e3s", "00",    "1sx",
					    "s1",  "--5s", "5S",   "1m 3s", "\xe2\x88\x9e" };
	static const char *const too_long[] = {
		"9223372036854775808ns",    "-9223372036854775809ns",	"3000000h",
		"9223372036854775807ns1ns", "99999999999999999999999s", "2562047h47m16.854775808s"
	};
	int64_t span = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_err(duration_parse(str_from(none[i]), &span), ERR_INVALID, none[i]);
	for (size_t i = 0; i < ARRAY_LEN(too_long); i++)
		assert_err(duration_parse(str_from(too_long[i]), &span), ERR_INVALID,
			   "longer than");
	assert_int_equal(span, 77);
}

static void writes_spans(void **state)
{
	static const struct {
		int64_t span;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1100, "1.1\u00b5s" },
		{ 2200 * MICROSECOND, "2.2ms" },
		{ 500 * MILLISECOND, "500ms" },
		{ 3300 * MILLISECOND, "3.3s" },
		{ 90 * SECOND, "1m30s" },
		{ 5 * MINUTE, "5m0s" },
		{ HOUR, "1h0m0s" },
		{ 5 * MINUTE + SECOND + MILLISECOND, "5m1.001s" },
		{ 5 * HOUR + 6 * MINUTE + 7001 * MILLISECOND, "5h6m7.001s" },
		{ 8 * MINUTE + 1, "8m0.000000001s" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
		{ -1500, "-1.5\u00b5s" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		int64_t again;

		duration_format(cases[i].span, &out);
		assert_buf(out, cases[i].text);
		assert_ok(duration_parse(strbuf_str(&out), &again));
		assert_int_equal(again, cases[i].span);
	}
}

#define DAY (24 * HOUR)

static void writes_words(void **state)
{
	static const struct {
		int64_t span;
		const char *text;
	} cases[] = {
		{ -5 * SECOND, "Less than a second" },
		{ 450 * MILLISECOND, "Less than a second" },
		{ SECOND, "1 second" },
		{ 2 * SECOND - 1, "1 second" },
		{ 47 * SECOND, "47 seconds" },
		{ MINUTE - 1, "59 seconds" },
		{ MINUTE, "About a minute" },
		{ 2 * MINUTE - 1, "About a minute" },
		{ 35 * MINUTE + 40 * SECOND, "35 minutes" },
		{ HOUR - 1, "59 minutes" },
		{ HOUR, "About an hour" },
		{ HOUR + 29 * MINUTE, "About an hour" },
		{ HOUR + 31 * MINUTE, "2 hours" },
		{ 3 * HOUR + 59 * MINUTE, "4 hours" },
		{ 47 * HOUR + 29 * MINUTE, "47 hours" },
		{ 47 * HOUR + 30 * MINUTE, "2 days" },
		{ 2 * DAY, "2 days" },
		{ 13 * DAY, "13 days" },
		{ 14 * DAY, "2 weeks" },
		{ 45 * DAY, "6 weeks" },
		{ 59 * DAY, "8 weeks" },
		{ 60 * DAY, "2 months" },
		{ 23 * 30 * DAY, "23 months" },
		{ 24 * 30 * DAY, "24 months" },
		{ 2 * 365 * DAY - 1, "1 years" }, /* hours are rounded here and are not there */
		{ 2 * 365 * DAY, "2 years" },
		{ 3 * 365 * DAY + DAY, "3 years" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

		duration_format_human(cases[i].span, &out);
		assert_buf(out, cases[i].text);
	}
}

static void reads_times(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-22T06:29:35.123456789Z", 1795328975123456789 },
		{ "2026-11-22T06:29:35.1Z", 1795328975100000000 },
		{ "2026-11-22T06:29:35.1234567899Z", 1795328975123456789 },
		{ "2026-11-22T08:29:35+02:00", 1795328975 * SECOND },
		{ "2026-11-21T23:59:35-06:30", 1795328975 * SECOND },
		{ "2024-02-29T00:00:00Z", 1709164800 * SECOND },
		{ "1969-12-31T23:59:59.5Z", -500 * MILLISECOND },
		{ "0001-01-01T00:00:00Z", INT64_MIN },
		{ "9999-12-31T23:59:59Z", INT64_MAX },
	};
	int64_t time;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(time_parse_rfc3339(str_from(cases[i].text), &time));
		assert_int_equal(time, cases[i].time);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const none[] = {
		"",
		"2026-11-22",
		"2026-11-22T06:29:35",
		"2026-11-22 06:29:35Z",
		"2026-11-22t06:29:35Z",
		"2026-11-22T06:29:35z",
		"2026-13-22T06:29:35Z",
		"2026-00-22T06:29:35Z",
		"2026-02-29T06:29:35Z",
		"2100-02-29T06:29:35Z",
		"2026-04-31T06:29:35Z",
		"2026-11-00T06:29:35Z",
		"2026-11-22T24:00:00Z",
		"2026-11-22T06:60:00Z",
		"2026-11-22T06:29:60Z",
		"2026-11-22T06:29:35.Z",
		"2026-11-22T06:29:35.5",
		"2026-11-22T06:29:35+2:00",
		"2026-11-22T06:29:35+0200",
		"2026-11-22T06:29:35+24:00",
		"2026-11-22T06:29:35ZZ",
		" 2026-11-22T06:29:35Z",
		"26-11-22T06:29:35Z",
		"+026-11-22T06:29:35Z",
	};
	int64_t time = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		if (time_parse_rfc3339(str_from(none[i]), &time))
			fail_msg("%s was taken", none[i]);
	}
	assert_int_equal(time, 77);
}

static void writes_times(void **state)
{
	static const struct {
		int64_t time;
		const char *seconds, *nano;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z" },
		{ 1795328975123456789, "2026-11-22T06:29:35Z", "2026-11-22T06:29:35.123456789Z" },
		{ 1795328975100000000, "2026-11-22T06:29:35Z", "2026-11-22T06:29:35.1Z" },
		{ 1795328975000000001, "2026-11-22T06:29:35Z", "2026-11-22T06:29:35.000000001Z" },
		{ -1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999999999Z" },
		{ -SECOND, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z" },
		{ INT64_MAX, "2262-04-11T23:47:16Z", "2262-04-11T23:47:16.854775807Z" },
		{ INT64_MIN, "1677-09-21T00:12:43Z", "1677-09-21T00:12:43.145224192Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		int64_t again;

		time_format_rfc3339(cases[i].time, &out);
		assert_buf(out, cases[i].seconds);
		strbuf_reset(&out);
		time_format_rfc3339_nano(cases[i].time, &out);
		assert_buf(out, cases[i].nano);
		assert_true(time_parse_rfc3339(strbuf_str(&out), &again));
		assert_int_equal(again, cases[i].time);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_spans),	cmocka_unit_test(refuses_what_is_no_span),
		cmocka_unit_test(writes_spans), cmocka_unit_test(writes_words),
		cmocka_unit_test(reads_times),	cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(writes_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
