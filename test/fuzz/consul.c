/* SPDX-License-Identifier: Apache-2.0 */
/* Consul's answers: read or refused as garbage; a session's id can stand in a path. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "kv/consul_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct error *err)
{
	assert(!err || error_is(err, ERR_PROTOCOL));
	error_free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = str_of((const char *)data, size);
	struct kv_list list = { 0 };
	struct str id = STR_NONE;
	bool done;

	check(consul_read_done(text, &arena, &done));
	check(consul_read_session(text, &arena, &id));
	for (size_t i = 0; i < id.n; i++)
		assert(id.p[i] > ' ' && id.p[i] != '/' && id.p[i] != '?' && id.p[i] != '%');
	check(consul_read_entries(text, &arena, &list));
	for (size_t i = 0; i < list.n; i++)
		assert(list.v[i].name.p && list.v[i].value.p);
	return 0;
}
