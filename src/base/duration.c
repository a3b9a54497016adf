/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of time as Go's time.Duration writes and reads them, and in words as `docker ps` has them.
 */
#include "base/duration.h"

#include <inttypes.h>

#include "base/attr.h"

static const struct {
	struct str name;
	int64_t span;
} units[] = {
	{ STR_INIT("ns"), NANOSECOND },
	{ STR_INIT("us"), MICROSECOND },
	{ STR_INIT("\u00b5s"), MICROSECOND }, /* micro sign */
	{ STR_INIT("\u03bcs"), MICROSECOND }, /* Greek mu */
	{ STR_INIT("ms"), MILLISECOND },
	{ STR_INIT("s"), SECOND },
	{ STR_INIT("m"), MINUTE },
	{ STR_INIT("h"), HOUR },
};

static bool take_digit(struct str *rest, unsigned int *ret)
{
	if (rest->n == 0 || rest->p[0] < '0' || rest->p[0] > '9')
		return false;
	*ret = (unsigned int)(rest->p[0] - '0');
	*rest = str_skip(*rest, 1);
	return true;
}

/* One number as it is read: 12.5 is whole 12, fraction 5 / 10. */
struct number {
	uint64_t whole, fraction, scale;
	bool overflow;
};

static bool take_number(struct str *rest, struct number *n)
{
	unsigned int digit;
	bool any = false;

	*n = (struct number){ .scale = 1 };
	while (take_digit(rest, &digit)) {
		any = true;
		n->overflow |= __builtin_mul_overflow(n->whole, 10, &n->whole);
		n->overflow |= __builtin_add_overflow(n->whole, digit, &n->whole);
	}
	if (!str_starts(*rest, STR(".")))
		return any;
	*rest = str_skip(*rest, 1);
	while (take_digit(rest, &digit)) {
		any = true;
		if (n->scale >= 1000000000000000) /* what follows is far below a nanosecond */
			continue;
		n->fraction = n->fraction * 10 + digit;
		n->scale *= 10;
	}
	return any;
}

/* Up to the next number; units have no digits and no dots. */
static bool take_unit(struct str *rest, int64_t *ret_span)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] != '.' && (rest->p[n] < '0' || rest->p[n] > '9'))
		n++;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (str_eq(units[i].name, str_first(*rest, n))) {
			*rest = str_skip(*rest, n);
			*ret_span = units[i].span;
			return true;
		}
	}
	return false;
}

static uint64_t fraction_of(const struct number *n, int64_t unit)
{
	return (uint64_t)((unsigned __int128)n->fraction * (uint64_t)unit / n->scale);
}

static must_check struct error *invalid(struct str text)
{
	return error_new(
		ERR_INVALID,
		"invalid duration \"%.*s\": it takes numbers with units (ns, us, ms, s, m, h),"
		" as in 1m30s or 500ms",
		STR_ARG(text));
}

struct error *duration_parse(struct str text, int64_t *ret)
{
	bool negative = str_starts(text, STR("-"));
	struct str rest = str_skip(text, negative || str_starts(text, STR("+")));
	uint64_t sum = 0, part;
	bool overflow = false;
	struct number n;
	int64_t unit;

	if (str_eq(rest, STR("0"))) {
		*ret = 0;
		return NULL;
	}
	if (rest.n == 0)
		return invalid(text);
	while (rest.n) {
		if (!take_number(&rest, &n) || !take_unit(&rest, &unit))
			return invalid(text);
		overflow |= n.overflow;
		overflow |= __builtin_mul_overflow(n.whole, (uint64_t)unit, &part);
		overflow |= __builtin_add_overflow(part, fraction_of(&n, unit), &part);
		overflow |= __builtin_add_overflow(sum, part, &sum);
	}
	if (overflow || sum > (uint64_t)INT64_MAX + negative)
		return error_new(ERR_INVALID,
				 "invalid duration \"%.*s\": it is longer than 292 years",
				 STR_ARG(text));
	*ret = negative ? (int64_t)(0 - sum) : (int64_t)sum;
	return NULL;
}

/* `digits` are those of the unit's fraction, which is written without zeros at its end. */
static void add_decimal(struct strbuf *out, uint64_t n, uint64_t unit, int digits)
{
	strbuf_addf(out, "%" PRIu64, n / unit);
	if (n % unit == 0)
		return;
	strbuf_addf(out, ".%0*" PRIu64, digits, n % unit);
	while (out->p[out->n - 1] == '0')
		strbuf_truncate(out, out->n - 1);
}

void duration_format(int64_t span, struct strbuf *out)
{
	uint64_t n = span < 0 ? 0 - (uint64_t)span : (uint64_t)span;

	if (span < 0)
		strbuf_addc(out, '-');
	if (n == 0) {
		strbuf_add(out, STR("0s"));
	} else if (n < MICROSECOND) {
		strbuf_addf(out, "%" PRIu64 "ns", n);
	} else if (n < MILLISECOND) {
		add_decimal(out, n, MICROSECOND, 3);
		strbuf_add(out, STR("\u00b5s"));
	} else if (n < SECOND) {
		add_decimal(out, n, MILLISECOND, 6);
		strbuf_add(out, STR("ms"));
	} else {
		if (n >= HOUR)
			strbuf_addf(out, "%" PRIu64 "h", n / HOUR);
		if (n >= MINUTE)
			strbuf_addf(out, "%" PRIu64 "m", n % HOUR / MINUTE);
		add_decimal(out, n % MINUTE, SECOND, 9);
		strbuf_addc(out, 's');
	}
}

void duration_format_human(int64_t span, struct strbuf *out)
{
	int64_t hours = span / HOUR + (span % HOUR >= HOUR / 2); /* rounded, up to the years */

	if (span < SECOND)
		strbuf_add(out, STR("Less than a second"));
	else if (span < 2 * SECOND)
		strbuf_add(out, STR("1 second"));
	else if (span < MINUTE)
		strbuf_addf(out, "%" PRId64 " seconds", span / SECOND);
	else if (span < 2 * MINUTE)
		strbuf_add(out, STR("About a minute"));
	else if (span < HOUR)
		strbuf_addf(out, "%" PRId64 " minutes", span / MINUTE);
	else if (hours == 1)
		strbuf_add(out, STR("About an hour"));
	else if (hours < 48)
		strbuf_addf(out, "%" PRId64 " hours", hours);
	else if (hours < 24 * 7 * 2)
		strbuf_addf(out, "%" PRId64 " days", hours / 24);
	else if (hours < 24 * 30 * 2)
		strbuf_addf(out, "%" PRId64 " weeks", hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		strbuf_addf(out, "%" PRId64 " months", hours / 24 / 30);
	else
		strbuf_addf(out, "%" PRId64 " years", span / HOUR / 24 / 365);
}
