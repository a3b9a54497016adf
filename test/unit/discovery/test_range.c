/* SPDX-License-Identifier: Apache-2.0 */
/* discovery/range.c */
#include "unit/testing.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "discovery/discovery.h"

/* All that a pattern stands for, with spaces between. */
static void joined(const struct vec *texts, struct strbuf *out)
{
	for (size_t i = 0; i < texts->n; i++) {
		if (i > 0)
			strbuf_addc(out, ' ');
		strbuf_add(out, *(struct str *)texts->v[i]);
	}
}

static void expands(_unused_ void **state)
{
	static const struct {
		const char *pattern, *texts;
	} cases[] = {
		{ "host:2375", "host:2375" },
		{ "", "" },
		{ "10.0.0.[1:3]:2375", "10.0.0.1:2375 10.0.0.2:2375 10.0.0.3:2375" },
		{ "10.0.[0:1].[9:10]:1", "10.0.0.9:1 10.0.0.10:1 10.0.1.9:1 10.0.1.10:1" },
		{ "h:[2375:2376]", "h:2375 h:2376" },
		{ "[1:2][3:4]", "13 14 23 24" },
		{ "h[7:7]:1", "h7:1" },
		{ "h[0:0]:1", "h0:1" },
		/* A leading zero at either end pads. */
		{ "h[08:11]:1", "h08:1 h09:1 h10:1 h11:1" },
		{ "h[8:011]:1", "h008:1 h009:1 h010:1 h011:1" },
		{ "h[00:1]:1", "h00:1 h01:1" },
		{ "h[0:1]:1", "h0:1 h1:1" },
		{ "h[18446744073709551614:18446744073709551615]",
		  "h18446744073709551614 h18446744073709551615" },
		/* An IPv6 address in brackets is no range, and may have some. */
		{ "[::1]:2375", "[::1]:2375" },
		{ "[fe80::1%eth0]:2375", "[fe80::1%eth0]:2375" },
		{ "[1:2:3:4:5:6:7:8]:[1:2]", "[1:2:3:4:5:6:7:8]:1 [1:2:3:4:5:6:7:8]:2" },
		{ "[fd00::[9:10]]:2375", "[fd00::9]:2375 [fd00::10]:2375" },
		{ "[fd00::[1:2]:[3:4]]:1",
		  "[fd00::1:3]:1 [fd00::1:4]:1 [fd00::2:3]:1 [fd00::2:4]:1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(vec_fini) struct vec texts = VEC_INIT;
		_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;

		assert_ok(discovery_expand(str_from(cases[i].pattern), &arena, &texts));
		joined(&texts, &all);
		assert_buf(all, cases[i].texts);
	}
}

static void refuses(_unused_ void **state)
{
	static const struct {
		const char *pattern, *why;
	} cases[] = {
		{ "10.0.0.[1-3]:2375", "[1-3] is no range such as [1:9]" },
		{ "10.0.0.[a:b]:2375", "[a:b] is no range" },
		{ "10.0.0.[:3]:2375", "[:3] is no range" },
		{ "10.0.0.[1:]:2375", "[1:] is no range" },
		{ "10.0.0.[]:2375", "[] is no range" },
		{ "10.0.0.[1:2:3]:2375", "[1:2:3] is no range" },
		{ "10.0.0.[ 1:2]:2375", "[ 1:2] is no range" },
		{ "10.0.0.[-1:2]:2375", "[-1:2] is no range" },
		{ "h[::1]:2375", "[::1] is no range" },
		{ "[host]:2375", "[host] is no range" },
		{ "10.0.0.[1:3:2375", "has a [ without its ]" },
		{ "[fd00::[1:2]:2375", "has a [ without its ]" },
		{ "h[3:1]:2375", "[3:1] is no range of at most 65536 numbers, lowest first" },
		{ "h[0:65536]:1", "[0:65536] is no range of at most 65536" },
		{ "h[0:255].[0:256]", "stands for more than 65536 addresses" },
		{ "h[1:99999999999999999999]:1", "is no range of at most" },
		{ "[1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1]"
		  "[1:1][1:1]",
		  "more than 16 ranges" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(vec_fini) struct vec texts = VEC_INIT;

		assert_err(discovery_expand(str_from(cases[i].pattern), &arena, &texts),
			   ERR_INVALID, cases[i].why);
		assert_int_equal(texts.n, 0);
	}
}

static void goes_to_its_limits(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(vec_fini) struct vec texts = VEC_INIT;
	_cleanup_(strbuf_fini) struct strbuf longest = STRBUF_INIT;

	assert_ok(discovery_expand(STR("10.0.[0:255].[0:255]:2375"), &arena, &texts));
	assert_int_equal(texts.n, LIMIT_RANGE_HOSTS);
	assert_str(*(struct str *)texts.v[0], "10.0.0.0:2375");
	assert_str(*(struct str *)texts.v[LIMIT_RANGE_HOSTS - 1], "10.0.255.255:2375");

	vec_clear(&texts);
	for (int i = 0; i < 512; i++)
		strbuf_addc(&longest, 'a');
	assert_ok(discovery_expand(strbuf_str(&longest), &arena, &texts));
	assert_int_equal(texts.n, 1);
	strbuf_addc(&longest, 'a');
	assert_err(discovery_expand(strbuf_str(&longest), &arena, &texts), ERR_INVALID,
		   "an address of 513 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands),
		cmocka_unit_test(refuses),
		cmocka_unit_test(goes_to_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
