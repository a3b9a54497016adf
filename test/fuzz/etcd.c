/* SPDX-License-Identifier: Apache-2.0 */
/* etcd's answers: read or refused as garbage, and what is read holds what kv.h says. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "kv/etcd_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct error *err)
{
	assert(!err || error_is(err, ERR_PROTOCOL) || error_is(err, ERR_UNAVAILABLE));
	error_free(err);
}

static void read_range(struct str text, struct arena *arena)
{
	struct kv_list list = { 0 };
	struct error *err = etcd_read_range(text, arena, &list);

	if (!err) {
		assert(list.revision > 0);
		for (size_t i = 0; i < list.n; i++)
			assert(list.v[i].name.p && list.v[i].value.p);
	}
	check(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = str_of((const char *)data, size);
	int64_t id = 1, seconds = 1;
	struct error *err;
	bool flag;

	read_range(text, &arena);
	check(etcd_read_lock(text, &arena, &flag, &id));
	err = etcd_read_grant(text, &arena, &id, &seconds);
	assert(err || (id != 0 && seconds > 0));
	check(err);
	err = etcd_read_keepalive(text, &arena, &seconds);
	assert(err || seconds >= 0);
	check(err);
	check(etcd_read_watch(text, &arena, 7, &flag));
	return 0;
}
