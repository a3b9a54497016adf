/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Response heads: whatever is accepted is written again and read to the same facts. The first
 * byte chooses the method that was asked with.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "http/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct http_response *r, struct strbuf *out)
{
	strbuf_addf(out, "HTTP/1.%d %d ", r->minor, r->status);
	strbuf_add(out, r->reason);
	strbuf_add(out, STR("\r\n"));
	for (size_t i = 0; i < r->headers.n; i++)
		http_write_header(out, r->headers.v[i].name, r->headers.v[i].value);
	strbuf_add(out, STR("\r\n"));
}

static void check_same(const struct http_response *a, const struct http_response *b)
{
	assert(a->status == b->status && str_eq(a->reason, b->reason));
	assert(a->minor == b->minor && a->headers.n == b->headers.n);
	assert(a->framing == b->framing && a->length == b->length);
	assert(a->keep_alive == b->keep_alive && str_eq(a->upgrade, b->upgrade));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str methods[] = { STR_INIT("GET"), STR_INIT("HEAD"), STR_INIT("POST") };
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	_cleanup_(error_freep) struct error *err = NULL;
	struct http_response r, again;
	struct str method;

	if (size == 0)
		return 0;
	method = methods[data[0] % ARRAY_LEN(methods)];
	err = http_parse_response(str_of((const char *)data + 1, size - 1), method, &arena, &r);
	if (err) {
		assert(error_is(err, ERR_PROTOCOL));
		return 0;
	}
	assert(r.framing == HTTP_BODY_NONE || (r.status >= 200 && r.status != 204));
	assert(!r.keep_alive || r.framing != HTTP_BODY_UNTIL_CLOSE);
	write_again(&r, &out);
	err = http_parse_response(strbuf_str(&out), method, &arena, &again);
	assert(!err);
	check_same(&r, &again);
	return 0;
}
