/* SPDX-License-Identifier: Apache-2.0 */
/*
 * De-framing of bodies. The chunked form is read byte by byte between the chunks, so that nothing
 * has to be kept from one step to the next but a few numbers.
 *
 *   SIZE -> SIZE_REST -> (EXTENSION ->) SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *                                       SIZE_LF of chunk 0 -> TRAILER
 *   TRAILER -> TRAILER_REST -> TRAILER_LF -> TRAILER ...     TRAILER -> END_LF -> done
 */
#include <assert.h>

#include "base/limits.h"
#include "http/codec.h"
#include "http/token.h"

enum state {
	SIZE,	   /* at the first digit of a size */
	SIZE_REST, /* behind the first digit */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER, /* at the start of a trailer's line */
	TRAILER_REST,
	TRAILER_LF,
	END_LF,
};

void http_body_init(struct http_body *b, enum http_framing framing, uint64_t length)
{
	*b = (struct http_body){ .framing = framing, .state = SIZE };
	if (framing == HTTP_BODY_LENGTH)
		b->left = length;
	b->done = framing == HTTP_BODY_NONE || (framing == HTTP_BODY_LENGTH && length == 0);
}

static struct error *bad(const char *what, char c)
{
	return http_malformed(ERR_PROTOCOL, what, str_of(&c, 1));
}

static bool is_text(char c)
{
	return http_is_field_text(str_of(&c, 1));
}

static struct error *step_digit(struct http_body *b, char c)
{
	int digit = http_hex_digit(c);

	if (digit < 0)
		return bad("bad chunk size", c);
	/* Sizes stay within an int64_t, as lengths do. */
	if (b->left > (uint64_t)INT64_MAX >> 4)
		return error_new(ERR_PROTOCOL, "chunk size too large");
	b->left = b->left << 4 | (uint64_t)digit;
	b->state = SIZE_REST;
	return NULL;
}

static struct error *step_size(struct http_body *b, char c)
{
	if (++b->line > LIMIT_HTTP_CHUNK_LINE)
		return error_over_limit(ERR_PROTOCOL, "chunk size line of more than %zu bytes",
					LIMIT_HTTP_CHUNK_LINE);
	switch (b->state) {
	case SIZE_REST:
		if (c == '\r') {
			b->state = SIZE_LF;
			return NULL;
		}
		if (c == ';') {
			b->state = EXTENSION;
			return NULL;
		}
		return step_digit(b, c);
	case EXTENSION:
		if (c == '\r')
			b->state = SIZE_LF;
		else if (!is_text(c))
			return bad("control character in a chunk's extension", c);
		return NULL;
	case SIZE_LF:
		if (c != '\n')
			return bad("bare CR in a chunk's size line", c);
		b->line = 0;
		b->state = b->left > 0 ? DATA : TRAILER;
		return NULL;
	default:
		return step_digit(b, c);
	}
}

static struct error *step_data_end(struct http_body *b, char c)
{
	if (c != (b->state == DATA_CR ? '\r' : '\n'))
		return bad("chunk longer than its size", c);
	b->state = b->state == DATA_CR ? DATA_LF : SIZE;
	return NULL;
}

static struct error *step_trailer(struct http_body *b, char c)
{
	if (++b->line > LIMIT_HTTP_TRAILER)
		return error_over_limit(ERR_PROTOCOL, "trailer of more than %zu bytes",
					LIMIT_HTTP_TRAILER);
	switch (b->state) {
	case TRAILER:
		if (c != '\r' && !http_is_tchar(c))
			return bad("bad trailer", c);
		b->state = c == '\r' ? END_LF : TRAILER_REST;
		return NULL;
	case TRAILER_REST:
		if (c == '\r')
			b->state = TRAILER_LF;
		else if (!is_text(c))
			return bad("control character in a trailer", c);
		return NULL;
	default:
		if (c != '\n')
			return bad("bare CR in a trailer", c);
		b->done = b->state == END_LF;
		b->state = TRAILER;
		return NULL;
	}
}

static struct error *step_between(struct http_body *b, char c)
{
	switch (b->state) {
	case DATA_CR:
	case DATA_LF:
		return step_data_end(b, c);
	case TRAILER:
	case TRAILER_REST:
	case TRAILER_LF:
	case END_LF:
		return step_trailer(b, c);
	default:
		return step_size(b, c);
	}
}

static struct str take_payload(struct http_body *b, struct str in)
{
	struct str payload = str_first(in, (size_t)MIN(b->left, (uint64_t)in.n));

	b->left -= payload.n;
	return payload;
}

struct error *http_body_step(struct http_body *b, struct str in, size_t *ret_used,
			     struct str *ret_payload)
{
	struct str payload = STR_NONE;
	size_t used = 0;

	assert(!b->done);
	switch (b->framing) {
	case HTTP_BODY_CHUNKED:
		while (used < in.n && b->state != DATA && !b->done)
			TRY(step_between(b, in.p[used++]));
		if (b->state == DATA && used < in.n) {
			payload = take_payload(b, str_skip(in, used));
			b->state = b->left > 0 ? DATA : DATA_CR;
		}
		break;
	case HTTP_BODY_LENGTH:
		payload = take_payload(b, in);
		b->done = b->left == 0;
		break;
	default:
		payload = in;
		break;
	}
	*ret_used = used + payload.n;
	*ret_payload = payload;
	return NULL;
}
