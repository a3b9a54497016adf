/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quoting: a run of bytes that need no escape is added at once, each of the others by its rule.
 */
#include "base/quote.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"

/* How many bytes at the start of s are printable ASCII without quote and backslash. */
static size_t plain_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

static bool add_short_escape(struct strbuf *b, char c)
{
	static const char from[] = "\"\\\n\r\t\b\f";
	static const char to[] = "\"\\nrtbf";
	const char *at = c ? strchr(from, c) : NULL;

	if (!at)
		return false;
	strbuf_addc(b, '\\');
	strbuf_addc(b, to[at - from]);
	return true;
}

static void quote(struct strbuf *b, struct str s, bool json)
{
	uint32_t code;
	size_t n;

	strbuf_reserve(b, s.n + 2);
	strbuf_addc(b, '"');
	while (s.n) {
		n = plain_run(s);
		if (n == 0) {
			n = utf8_len(s, &code);
			if (n == 0) {
				strbuf_addf(b, json ? "\\ufffd" : "\\x%02x", (unsigned char)s.p[0]);
				s = str_skip(s, 1);
				continue;
			}
			if (add_short_escape(b, s.p[0])) {
				s = str_skip(s, 1);
				continue;
			}
			if (code < ' ' || (!json && code >= 0x7f && code < 0xa0)) {
				strbuf_addf(b, json ? "\\u%04x" : "\\x%02x", code);
				s = str_skip(s, n);
				continue;
			}
		}
		strbuf_add(b, str_first(s, n));
		s = str_skip(s, n);
	}
	strbuf_addc(b, '"');
}

void quote_json(struct strbuf *b, struct str s)
{
	quote(b, s, true);
}

void quote_text(struct strbuf *b, struct str s)
{
	quote(b, s, false);
}
