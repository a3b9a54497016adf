/* SPDX-License-Identifier: Apache-2.0 */
/* base/base64.c, base/utf8.c, base/rand.c */
#include "unit/testing.h"

#include "base/base64.h"
#include "base/rand.h"
#include "base/utf8.h"

static void base64_writes_as_the_rfc_does(void **state)
{
	static const struct {
		struct str bytes;
		const char *text, *url;
	} cases[] = {
		{ STR_INIT(""), "", "" },
		{ STR_INIT("f"), "Zg==", "Zg==" },
		{ STR_INIT("fo"), "Zm8=", "Zm8=" },
		{ STR_INIT("foo"), "Zm9v", "Zm9v" },
		{ STR_INIT("foob"), "Zm9vYg==", "Zm9vYg==" },
		{ STR_INIT("\xfb\xff\xbf\0"), "+/+/AA==", "-_-_AA==" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

		base64_encode(cases[i].bytes, &out);
		assert_buf(out, cases[i].text);
		strbuf_reset(&out);
		base64_encode_url(cases[i].bytes, &out);
		assert_buf(out, cases[i].url);
		strbuf_reset(&out);
		assert_true(base64_decode(str_from(cases[i].text), &out));
		assert_true(base64_decode(str_from(cases[i].url), &out));
		assert_int_equal(out.n, 2 * cases[i].bytes.n);
		assert_true(str_starts(strbuf_str(&out), cases[i].bytes));
	}
}

static void base64_reads_without_padding_and_over_lines(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_true(base64_decode(STR("Zm9vYg"), &out));
	assert_true(base64_decode(STR("Zm9\r\nvYm\n8=\n"), &out));
	assert_buf(out, "foobfoobo");
}

static void base64_refuses_the_rest(void **state)
{
	static const char *const none[] = { "Z",    "Zm9vY", "Zg=",   "Zg===", "Zg==Zg==", "=",
					    "====", "Zm9v=", "Zm 9v", "Zm9*",  "Zm8=x" };
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	(void)state;
	strbuf_add(&out, STR("before"));
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		if (base64_decode(str_from(none[i]), &out))
			fail_msg("%s was taken", none[i]);
		assert_buf(out, "before");
	}
}

static void utf8_takes_what_the_rfc_allows(void **state)
{
	static const char *const good[] = { "",	      "a",	    "\x7f",	 "\xc2\x80",
					    "\u07ff", "\u0800",	    "\ud7ff",	 "\ue000",
					    "\uffff", "\U00010000", "\U0010ffff" };
	static const char *const bad[] = { "\x80",
					   "\xc0\xaf",
					   "\xc1\xbf",
					   "\xc3",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xe2\x82",
					   "\xe2\x28\xa1",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xff",
					   "a\xf0\x9f\x98" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(utf8_valid(str_from(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(utf8_valid(str_from(bad[i])));
}

static void utf8_reads_what_it_wrote(void **state)
{
	char bytes[4];
	uint32_t again;
	size_t n;

	(void)state;
	for (uint32_t code = 0; code <= 0x110000; code++) {
		bool is_character = code < 0xd800 || (code > 0xdfff && code < 0x110000);

		n = utf8_write(bytes, code);
		assert_int_equal(utf8_len(str_of(bytes, n), &again), n);
		assert_int_equal(again, is_character ? code : UTF8_REPLACEMENT);
		assert_int_equal(utf8_len(str_of(bytes, n - 1), &again), 0);
	}
}

static void rand_replays_a_seed(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf one = STRBUF_INIT;
	_cleanup_(strbuf_fini) struct strbuf two = STRBUF_INIT;
	uint64_t hash;

	(void)state;
	rand_seed(5);
	rand_hex(&one, 37);
	hash = str_hash(STR("x"));
	rand_seed(5);
	rand_hex(&two, 37);
	assert_int_equal(one.n, 37);
	assert_string_equal(one.p, two.p);
	assert_true(str_hash(STR("x")) == hash);
	rand_seed(6);
	assert_true(str_hash(STR("x")) != hash);
}

static void rand_keeps_to_its_bounds(void **state)
{
	int seen[6] = { 0 };

	(void)state;
	rand_seed(5);
	for (int i = 0; i < 6000; i++) {
		int64_t n = rand_between(-2, 3);

		assert_in_range(n + 2, 0, 5);
		seen[n + 2]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(rand_below(1), 0);
	assert_int_equal(rand_between(INT64_MAX, INT64_MAX), INT64_MAX);
	rand_between(INT64_MIN, INT64_MAX);
}

/* Before any seed: so this is the first test. */
static void rand_comes_from_the_kernel(void **state)
{
	uint64_t any = 0, all = UINT64_MAX;

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint64_t word = rand_u64();

		any |= word;
		all &= word;
	}
	assert_true(any == UINT64_MAX);
	assert_true(all == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rand_comes_from_the_kernel),
		cmocka_unit_test(rand_replays_a_seed),
		cmocka_unit_test(rand_keeps_to_its_bounds),
		cmocka_unit_test(base64_writes_as_the_rfc_does),
		cmocka_unit_test(base64_reads_without_padding_and_over_lines),
		cmocka_unit_test(base64_refuses_the_rest),
		cmocka_unit_test(utf8_takes_what_the_rfc_allows),
		cmocka_unit_test(utf8_reads_what_it_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
