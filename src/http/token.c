/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads are checked byte by byte against these classes.
 */
#include "http/token.h"

#include "base/quote.h"

enum { SHOWN = 60 };

static const bool tchars[256] = {
	['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['!'] = true,
	['#'] = true,	      ['$'] = true,	    ['%'] = true,	  ['&'] = true,
	['\''] = true,	      ['*'] = true,	    ['+'] = true,	  ['-'] = true,
	['.'] = true,	      ['^'] = true,	    ['_'] = true,	  ['`'] = true,
	['|'] = true,	      ['~'] = true,
};

bool http_is_tchar(char c)
{
	return tchars[(unsigned char)c];
}

int http_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool http_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!http_is_tchar(s.p[i]))
			return false;
	}
	return s.n > 0;
}

bool http_is_field_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

struct error *http_malformed(enum error_kind kind, const char *what, struct str culprit)
{
	_cleanup_(strbuf_fini) struct strbuf quoted = STRBUF_INIT;

	quote_text(&quoted, str_first(culprit, SHOWN));
	return error_new(kind, "%s: %s%s", what, quoted.p, culprit.n > SHOWN ? "..." : "");
}
