/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random JSON texts, good and bad, and a plain form of a parsed one that tells all of it: what the
 * tests of json/ compare.
 */
#ifndef UNIT_JSON_SAMPLE_H
#define UNIT_JSON_SAMPLE_H

#include "base/attr.h"
#include "base/rand.h"
#include "base/strbuf.h"
#include "json/json.h"

#define PICK(table) ((table)[rand_below(ARRAY_LEN(table))])

static inline void sample_space(struct strbuf *out)
{
	while (rand_below(4) == 0)
		strbuf_addc(out, " \n\t\r"[rand_below(4)]);
}

static inline void sample_string(struct strbuf *out)
{
	static const char *const parts[] = {
		"a",
		"Id",
		"HostConfig",
		"sixteen letters!",
		"\\\"",
		"\\\\",
		"\\/",
		"\\n",
		"\\u0041",
		"\\u00e9",
		"\\uD83D\\ude00",
		"\\ud800",
		"\\udc00",
		"\\ud800\\u0041",
		"\\ud800x",
		"\xc3\xa9",
		"\xf0\x9f\x98\x80",
		"\xff",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xc0\xaf",
		"\x7f",
		"\\u0000",
		"{[,:]}",
	};

	strbuf_addc(out, '"');
	for (uint64_t n = rand_below(5); n; n--)
		strbuf_add(out, str_from(PICK(parts)));
	strbuf_addc(out, '"');
}

static inline void sample_value(struct strbuf *out, int depth)
{
	static const char *const scalars[] = {
		"null", "true",	   "false",	"0",
		"-0",	"7",	   "-12.5",	"1e5",
		"1E-7", "2.5e+10", "\"plain\"", "\"\"",
		"0.10", "{ }",	   "[]",	"18446744073709551616",
	};
	bool object;
	uint64_t n;

	sample_space(out);
	if (depth == 0 || rand_below(3) == 0) {
		if (rand_below(2))
			sample_string(out);
		else
			strbuf_add(out, str_from(PICK(scalars)));
		sample_space(out);
		return;
	}
	object = rand_below(2);
	n = rand_below(5);
	strbuf_addc(out, object ? '{' : '[');
	sample_space(out);
	for (uint64_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(out, ',');
		sample_space(out);
		if (object) {
			sample_string(out);
			sample_space(out);
			strbuf_addc(out, ':');
		}
		sample_value(out, depth - 1);
	}
	strbuf_addc(out, object ? '}' : ']');
	sample_space(out);
}

/* One thing is left out, put in, doubled, or cut off. */
static inline void sample_spoil(struct strbuf *b)
{
	static const char junk[] = "{}[]:,\"\\ 0123456789-+.eEutfn\x01\x1f\n\xff\xc3\xef\xbb\xbf";
	_cleanup_(strbuf_fini) struct strbuf old = *b;
	size_t at = (size_t)rand_below(b->n + 1);
	struct str behind = str_skip(strbuf_str(&old), at);

	*b = (struct strbuf)STRBUF_INIT;
	strbuf_add(b, str_first(strbuf_str(&old), at));
	switch (rand_below(5)) {
	case 0:
		return;
	case 1:
		strbuf_add(b, str_skip(behind, 1));
		return;
	case 2:
		strbuf_add(b, str_first(behind, 3));
		strbuf_add(b, behind);
		return;
	case 3:
		strbuf_addc(b, junk[rand_below(sizeof(junk) - 1)]);
		strbuf_add(b, behind);
		return;
	default:
		strbuf_addc(b, junk[rand_below(sizeof(junk) - 1)]);
		strbuf_add(b, str_skip(behind, 1));
	}
}

static inline void dump_string(struct strbuf *out, struct str s)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++)
		strbuf_addf(out, "%02x", (unsigned char)s.p[i]);
	strbuf_addc(out, ';');
}

/* null n, false f, true t, a number #text; a string "hexadecimal; [items] {keys and values} */
static inline void dump_value(struct strbuf *out, struct json v)
{
	struct json_iter it = json_iter(v);
	struct json item;
	struct str key;

	switch (json_type(v)) {
	case JSON_MISSING:
		strbuf_addc(out, '?');
		return;
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		strbuf_addc(out, json_raw(v).p[0]);
		return;
	case JSON_NUMBER:
		strbuf_addf(out, "#%.*s;", STR_ARG(json_raw(v)));
		return;
	case JSON_STRING:
		dump_string(out, json_str(v));
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		strbuf_addc(out, it.object ? '{' : '[');
		while (json_next(&it, &key, &item)) {
			if (it.object)
				dump_string(out, key);
			dump_value(out, item);
		}
		strbuf_addc(out, it.object ? '}' : ']');
	}
}

#endif
