/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64. Reading skips CR and LF, as Go's decoder does; other white space is refused.
 */
#include "base/base64.h"

#include <stdint.h>

#include "base/attr.h"

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

/* Adds the bytes of a group of 2 to 4 digits; one digit alone is less than a byte. */
static bool add_group(struct strbuf *out, uint32_t bits, int digits)
{
	if (digits == 1)
		return false;
	bits <<= 6 * (4 - digits);
	for (int i = 0; i < digits - 1; i++)
		strbuf_addc(out, (char)(bits >> (16 - 8 * i) & 0xff));
	return true;
}

static bool decode(struct str text, struct strbuf *out)
{
	int digits = 0, padding = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		int value = value_of(c);

		if (c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			padding++;
			continue;
		}
		if (value < 0 || padding)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (++digits == 4) {
			add_group(out, bits, 4);
			bits = 0;
			digits = 0;
		}
	}
	if (padding && (digits == 0 || digits + padding != 4))
		return false;
	return digits == 0 || add_group(out, bits, digits);
}

bool base64_decode(struct str text, struct strbuf *out)
{
	size_t before = out->n;

	strbuf_reserve(out, text.n / 4 * 3 + 3);
	if (decode(text, out))
		return true;
	strbuf_truncate(out, before);
	return false;
}

static void encode(struct str bytes, const char *digits, struct strbuf *out)
{
	strbuf_reserve(out, bytes.n / 3 * 4 + 4);
	while (bytes.n) {
		struct str group = str_first(bytes, 3);
		uint32_t bits = 0;

		for (size_t i = 0; i < 3; i++)
			bits = bits << 8 | (i < group.n ? (unsigned char)group.p[i] : 0);
		for (size_t i = 0; i < 4; i++) {
			uint32_t digit = bits >> (18 - 6 * i) & 63;

			strbuf_addc(out, i <= group.n ? digits[digit] : '=');
		}
		bytes = str_skip(bytes, group.n);
	}
}

void base64_encode(struct str bytes, struct strbuf *out)
{
	encode(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", out);
}

void base64_encode_url(struct str bytes, struct strbuf *out)
{
	encode(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", out);
}
