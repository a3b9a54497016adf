/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets: a path that was accepted is clean, and encoded again it reads as itself; so do
 * the parameters.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(struct str path)
{
	struct str rest = path, part;
	bool first = true;

	assert(str_starts(path, STR("/")) && !str_has_char(path, '\0'));
	while (str_next(&rest, '/', &part)) {
		assert(first || !rest.p || part.n > 0);
		assert(!str_eq(part, STR(".")) && !str_eq(part, STR("..")));
		first = false;
	}
}

static void write_again(const struct http_url *u, struct strbuf *out)
{
	http_encode_path(out, u->path);
	for (size_t i = 0; i < u->n_params; i++) {
		strbuf_addc(out, i == 0 ? '?' : '&');
		http_encode_query(out, u->params[i].name);
		strbuf_addc(out, '=');
		http_encode_query(out, u->params[i].value);
	}
}

static void check_same(const struct http_url *a, const struct http_url *b)
{
	assert(str_eq(a->path, b->path));
	assert(a->n_params == b->n_params);
	for (size_t i = 0; i < a->n_params; i++) {
		assert(str_eq(a->params[i].name, b->params[i].name));
		assert(str_eq(a->params[i].value, b->params[i].value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	_cleanup_(error_freep) struct error *err = NULL;
	struct http_url u, again;

	err = http_url_parse(str_of((const char *)data, size), &arena, &u);
	if (err) {
		assert(error_is(err, ERR_INVALID));
		return 0;
	}
	if (str_eq(u.path, STR("*")))
		return 0;
	check_clean(u.path);
	write_again(&u, &out);
	err = http_url_parse(strbuf_str(&out), &arena, &again);
	assert(!err);
	check_same(&u, &again);
	return 0;
}
