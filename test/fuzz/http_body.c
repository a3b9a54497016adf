/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies: the same bytes cut in two ways give the same body, end or error. The first byte chooses
 * framing and cut.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "http/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	struct strbuf body;
	size_t used;
	bool done, failed;
};

static struct outcome feed(enum http_framing framing, struct str in, size_t step)
{
	struct outcome o = { .body = STRBUF_INIT };
	struct http_body b;
	struct error *err = NULL;

	http_body_init(&b, framing, in.n / 2);
	while (!err && !b.done && o.used < in.n) {
		struct str part = str_first(str_skip(in, o.used), step), payload = STR_NONE;
		size_t used = 0;

		err = http_body_step(&b, part, &used, &payload);
		if (err)
			break;
		assert(used > 0 && used <= part.n && payload.n <= used);
		assert(payload.n == 0 ||
		       (payload.p >= part.p && payload.p + payload.n <= part.p + used));
		strbuf_add(&o.body, payload);
		o.used += used;
	}
	o.done = b.done;
	o.failed = err != NULL;
	assert(!err || error_is(err, ERR_PROTOCOL));
	error_free(err);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum http_framing framings[] = { HTTP_BODY_CHUNKED, HTTP_BODY_LENGTH,
						      HTTP_BODY_UNTIL_CLOSE, HTTP_BODY_NONE };
	struct outcome whole, cut;
	enum http_framing framing;
	struct str in;

	if (size == 0)
		return 0;
	framing = framings[data[0] % ARRAY_LEN(framings)];
	in = str_of((const char *)data + 1, size - 1);
	whole = feed(framing, in, in.n);
	cut = feed(framing, in, 1 + data[0] / ARRAY_LEN(framings));
	assert(whole.done == cut.done && whole.failed == cut.failed);
	if (!whole.failed) {
		assert(whole.used == cut.used);
		assert(str_eq(strbuf_str(&whole.body), strbuf_str(&cut.body)));
	}
	strbuf_fini(&whole.body);
	strbuf_fini(&cut.body);
	return 0;
}
