/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8: reading one character, checking a text, writing one character.
 */
#include "base/utf8.h"

#include "base/attr.h"

size_t utf8_len(struct str s, uint32_t *ret_code)
{
	/* The lowest code that needs a sequence of this length: below it the form is overlong. */
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead;
	uint32_t code;
	size_t n;

	if (s.n == 0)
		return 0;
	lead = (unsigned char)s.p[0];
	if (lead < 0x80) {
		*ret_code = lead;
		return 1;
	}
	n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || s.n < n)
		return 0;

	code = lead & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)s.p[i] & 0x3f);
	}
	if (code < lowest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return n;
}

bool utf8_valid(struct str s)
{
	uint32_t code;
	size_t n;

	for (; s.n; s = str_skip(s, n)) {
		n = utf8_len(s, &code);
		if (n == 0)
			return false;
	}
	return true;
}

size_t utf8_write(char *at, uint32_t code)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n;

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = UTF8_REPLACEMENT;
	if (code < 0x80) {
		at[0] = (char)code;
		return 1;
	}
	n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		at[i] = (char)(0x80 | (code & 0x3f));
	at[0] = (char)(lead[n] | code);
	return n;
}
