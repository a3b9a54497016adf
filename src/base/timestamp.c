/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time as RFC 3339 texts, strict as Go's time.Parse is: capital T and Z, no second 60.
 */
#include "base/duration.h"

#include <inttypes.h>
#include <time.h>

/* Exactly n digits. */
static bool take_digits(struct str *rest, size_t n, int low, int high, int *ret)
{
	uint64_t value;

	if (!str_to_u64(str_first(*rest, n), &value) || rest->n < n)
		return false;
	*rest = str_skip(*rest, n);
	*ret = (int)value;
	return *ret >= low && *ret <= high;
}

static bool take_char(struct str *rest, char c)
{
	if (rest->n == 0 || rest->p[0] != c)
		return false;
	*rest = str_skip(*rest, 1);
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct str *rest, struct tm *tm)
{
	int year, month, day;

	if (!take_digits(rest, 4, 0, 9999, &year) || !take_char(rest, '-') ||
	    !take_digits(rest, 2, 1, 12, &month) || !take_char(rest, '-') ||
	    !take_digits(rest, 2, 1, days_in_month(year, month), &day))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

static bool take_time(struct str *rest, struct tm *tm)
{
	return take_digits(rest, 2, 0, 23, &tm->tm_hour) && take_char(rest, ':') &&
	       take_digits(rest, 2, 0, 59, &tm->tm_min) && take_char(rest, ':') &&
	       take_digits(rest, 2, 0, 59, &tm->tm_sec);
}

/* As many digits as there are; what is below a nanosecond is dropped. */
static bool take_fraction(struct str *rest, int64_t *ret_ns)
{
	int64_t unit = SECOND;
	bool any = false;
	int digit;

	*ret_ns = 0;
	if (!take_char(rest, '.'))
		return true;
	while (take_digits(rest, 1, 0, 9, &digit)) {
		unit /= 10;
		*ret_ns += digit * unit;
		any = true;
	}
	return any;
}

static bool take_offset(struct str *rest, int64_t *ret_seconds)
{
	int hours, minutes;
	bool west;

	*ret_seconds = 0;
	if (take_char(rest, 'Z'))
		return true;
	west = take_char(rest, '-');
	if (!west && !take_char(rest, '+'))
		return false;
	if (!take_digits(rest, 2, 0, 23, &hours) || !take_char(rest, ':') ||
	    !take_digits(rest, 2, 0, 59, &minutes))
		return false;
	*ret_seconds = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

bool time_parse_rfc3339(struct str text, int64_t *ret_unix_ns)
{
	int64_t fraction, offset, seconds;
	struct str rest = text;
	struct tm tm = { 0 };

	if (!take_date(&rest, &tm) || !take_char(&rest, 'T') || !take_time(&rest, &tm) ||
	    !take_fraction(&rest, &fraction) || !take_offset(&rest, &offset) || rest.n)
		return false;

	seconds = timegm(&tm) - offset;
	if (__builtin_mul_overflow(seconds, SECOND, ret_unix_ns) ||
	    __builtin_add_overflow(*ret_unix_ns, fraction, ret_unix_ns))
		*ret_unix_ns = seconds < 0 ? INT64_MIN : INT64_MAX;
	return true;
}

/* Answers the nanoseconds behind the whole second that it wrote. */
static int64_t add_seconds(int64_t unix_ns, struct strbuf *out)
{
	int64_t fraction = (unix_ns % SECOND + SECOND) % SECOND;
	time_t seconds = unix_ns / SECOND - (unix_ns % SECOND < 0);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strbuf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return fraction;
}

void time_format_rfc3339(int64_t unix_ns, struct strbuf *out)
{
	add_seconds(unix_ns, out);
	strbuf_addc(out, 'Z');
}

void time_format_rfc3339_nano(int64_t unix_ns, struct strbuf *out)
{
	int64_t fraction = add_seconds(unix_ns, out);

	if (fraction) {
		strbuf_addf(out, ".%09" PRId64, fraction);
		while (out->p[out->n - 1] == '0')
			strbuf_truncate(out, out->n - 1);
	}
	strbuf_addc(out, 'Z');
}
