/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request heads: whatever is accepted is written again and read to the same facts, and its end is
 * found at the same byte however it was cut into reads.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "http/codec.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t end_in_steps(struct str in, size_t step)
{
	size_t scanned = 0, end = 0;

	for (size_t have = 0; !end && have < in.n;) {
		have = MIN(have + step, in.n);
		end = http_head_end(str_first(in, have), &scanned);
	}
	return end;
}

static void write_again(const struct http_request *r, struct strbuf *out)
{
	strbuf_addf(out, "%.*s %.*s HTTP/1.%d\r\n", STR_ARG(r->method), STR_ARG(r->target),
		    r->minor);
	for (size_t i = 0; i < r->headers.n; i++)
		http_write_header(out, r->headers.v[i].name, r->headers.v[i].value);
	strbuf_add(out, STR("\r\n"));
}

static void check_same(const struct http_request *a, const struct http_request *b)
{
	assert(str_eq(a->method, b->method) && str_eq(a->target, b->target));
	assert(a->minor == b->minor && a->headers.n == b->headers.n);
	assert(a->framing == b->framing && a->length == b->length);
	assert(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue);
	assert(str_eq(a->upgrade, b->upgrade));
}

static void check(struct str head)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	_cleanup_(error_freep) struct error *err = NULL;
	struct http_request r, again;
	size_t scanned = 0;

	err = http_parse_request(head, &arena, &r);
	if (err) {
		assert(error_is(err, ERR_INVALID) || error_is(err, ERR_HEAD_TOO_LARGE));
		return;
	}
	assert(r.framing != HTTP_BODY_UNTIL_CLOSE);
	write_again(&r, &out);
	assert(http_head_end(strbuf_str(&out), &scanned) == out.n);
	err = http_parse_request(strbuf_str(&out), &arena, &again);
	assert(!err);
	check_same(&r, &again);
	for (size_t i = 0; i < r.headers.n; i++)
		(void)http_header_is_hop(&r.headers, r.headers.v[i].name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	size_t scanned = 0, end = http_head_end(in, &scanned);

	/*
	 * Bytes that begin no message end at once, so where they end is where the first read did.
	 */
	if (end != in.n) {
		for (size_t step = 1; step < 8; step += 3)
			assert(end_in_steps(in, step) == end);
	}
	check(str_first(in, end ? end : in.n));
	return 0;
}
