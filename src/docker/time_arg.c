/* SPDX-License-Identifier: Apache-2.0 */
#include "docker/time_arg.h"

#include "base/duration.h"
#include "base/strbuf.h"

/*
 * "1416857879.000000012": a fraction counts by its place, and digits below a nanosecond are
 * dropped.
 */
static bool parse_seconds(struct str text, int64_t *ret)
{
	struct str whole, fraction;
	bool pointed = str_cut(text, '.', &whole, &fraction);
	int64_t seconds, unit = SECOND, ns = 0;

	if (!str_to_i64(whole, &seconds) || (pointed && str_empty(fraction)))
		return false;
	for (size_t i = 0; pointed && i < fraction.n; i++) {
		if (fraction.p[i] < '0' || fraction.p[i] > '9')
			return false;
		unit /= 10;
		ns += (fraction.p[i] - '0') * unit;
	}
	if (__builtin_mul_overflow(seconds, SECOND, ret) ||
	    __builtin_add_overflow(*ret, seconds < 0 ? -ns : ns, ret))
		*ret = seconds < 0 ? INT64_MIN : INT64_MAX;
	return true;
}

/*
 * "2026-11-22", "2026-11-22T06:29", "2026-11-22T06:29:35.5": what is left out is 0, the zone UTC.
 */
static bool parse_date(struct str text, int64_t *ret)
{
	_cleanup_(strbuf_fini) struct strbuf full = STRBUF_INIT;
	static const char *const rest[] = { "", "Z", ":00Z", "T00:00:00Z" };

	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		strbuf_reset(&full);
		strbuf_addf(&full, "%.*s%s", STR_ARG(str_first(text, 40)), rest[i]);
		if (time_parse_rfc3339(strbuf_str(&full), ret))
			return true;
	}
	return false;
}

static bool parse_ago(struct str text, int64_t now, int64_t *ret)
{
	int64_t span;
	struct error *err = duration_parse(text, &span);

	if (err) {
		error_free(err);
		return false;
	}
	if (__builtin_sub_overflow(now, span, ret))
		*ret = span > 0 ? INT64_MIN : INT64_MAX;
	return true;
}

struct error *time_arg_parse(struct str text, int64_t now, int64_t *ret)
{
	if (parse_seconds(text, ret) || parse_date(text, ret) || parse_ago(text, now, ret))
		return NULL;
	return error_new(
		ERR_INVALID,
		"invalid time \"%.*s\": it must be seconds since 1970, RFC 3339 or a duration",
		STR_ARG(str_first(text, 100)));
}

struct str time_arg_ahead(struct str text, int64_t ahead, struct arena *arena)
{
	int64_t at;

	if (!parse_seconds(text, &at) && !time_parse_rfc3339(text, &at))
		return text;
	if (at <= 0 || !ahead || __builtin_add_overflow(at, ahead, &at) || at < 0)
		return text;
	return arena_printf(arena, "%lld.%09lld", (long long)(at / SECOND),
			    (long long)(at % SECOND));
}
