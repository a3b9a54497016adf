/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/record_kv.h"

#include "base/duration.h"
#include "base/limits.h"
#include "fiber/deadline.h"
#include "kv/kv.h"

#define DIRECTORY "docker/swarm/reschedule"
/* A write that is not done by then is no use: the lease that allowed it may be over. */
#define WRITE_TIME (5 * SECOND)

static struct str path_of(struct str key, struct arena *arena)
{
	return arena_printf(arena, DIRECTORY "/%.*s", STR_ARG(key));
}

static may_suspend struct error *put(void *arg, struct str key, struct str text)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(WRITE_TIME);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct record_kv *r = arg;

	if (text.n > LIMIT_KV_VALUE)
		return error_new(ERR_TOO_LARGE, "a record of %zu bytes is over %zu", text.n,
				 LIMIT_KV_VALUE);
	return kv_put_fenced(r->kv, path_of(key, &arena), text, r->fence);
}

static may_suspend struct error *drop(void *arg, struct str key)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(WRITE_TIME);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct record_kv *r = arg;

	return kv_delete_fenced(r->kv, path_of(key, &arena), r->fence);
}

static may_suspend struct error *list(void *arg, struct arena *arena, struct records *ret)
{
	const struct record_kv *r = arg;
	struct kv_list found;

	TRY(kv_list(r->kv, STR(DIRECTORY), arena, &found));
	*ret = (struct records){ arena_new_array(arena, struct record, found.n), 0 };
	for (size_t i = 0; i < found.n && ret->n < LIMIT_RECORDS; i++)
		ret->v[ret->n++] = (struct record){ found.v[i].name, found.v[i].value };
	return NULL;
}

void record_kv_init(struct record_kv *r, struct kv *kv, const struct fence *fence)
{
	*r = (struct record_kv){
		.store = { .put = put, .remove = drop, .list = list, .arg = r },
		.kv = kv,
		.fence = fence,
	};
}
