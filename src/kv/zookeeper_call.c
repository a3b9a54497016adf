/* SPDX-License-Identifier: Apache-2.0 */
#include "kv/zookeeper_call.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "fiber/fence.h"

#define ANSWER_TIME (4 * SECOND)

/* Who asked may be gone when the library answers; the last of the two frees it. */
struct zk_call {
	struct zk_session *session;
	struct zk_answer answer;
	bool done, abandoned;
};

void zk_answer_fini(struct zk_answer *a)
{
	for (size_t i = 0; i < a->names.n; i++)
		free(a->names.v[i]);
	vec_fini(&a->names);
	strbuf_fini(&a->value);
}

static void call_free(struct zk_call *call)
{
	zk_answer_fini(&call->answer);
	free(call);
}

static void on_answer(int code, const struct Stat *stat, const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (call->abandoned) {
		call_free(call);
		return;
	}
	call->answer.code = code;
	if (stat)
		call->answer.stat = *stat;
	call->done = true;
	waitq_wake_all(&call->session->changed);
}

static void on_value(int code, const char *value, int length, const struct Stat *stat,
		     const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	if (!call->abandoned && value && length > 0)
		strbuf_add(&call->answer.value, str_of(value, (size_t)length));
	on_answer(code, stat, data);
}

static void on_names(int code, const struct String_vector *names, const struct Stat *stat,
		     const void *data)
{
	struct zk_call *call = (struct zk_call *)data;

	for (int i = 0; names && !call->abandoned && i < names->count; i++)
		vec_push(&call->answer.names, mem_strdup(names->data[i]));
	on_answer(code, stat, data);
}

static void on_created(int code, _unused_ const char *path, const void *data)
{
	on_answer(code, NULL, data);
}

static void on_done(int code, const void *data)
{
	on_answer(code, NULL, data);
}

static int send_request(struct zk_session *s, const struct zk_request *r, struct zk_call *call)
{
	/* NULL and -1 would be no value at all. */
	const char *value = r->value.p ? r->value.p : "";
	watcher_fn watcher = r->watch ? zk_session_on_event : NULL;

	switch (r->kind) {
	case ZK_GET:
		return zoo_aget(s->handle, r->path, 0, on_value, call);
	case ZK_EXISTS:
		return zoo_awexists(s->handle, r->path, watcher, s, on_answer, call);
	case ZK_CHILDREN:
		return zoo_awget_children2(s->handle, r->path, watcher, s, on_names, call);
	case ZK_CREATE:
		return zoo_acreate(s->handle, r->path, value, (int)r->value.n, &ZOO_OPEN_ACL_UNSAFE,
				   r->flags, on_created, call);
	case ZK_SET:
		return zoo_aset(s->handle, r->path, value, (int)r->value.n, -1, on_answer, call);
	case ZK_DELETE:
		return zoo_adelete(s->handle, r->path, r->version, on_done, call);
	}
	return ZBADARGUMENTS;
}

static struct error *judge(const struct zk_session *s, int code)
{
	switch (code) {
	case ZOK:
	case ZNONODE:
	case ZNODEEXISTS:
	case ZNOTEMPTY:
	case ZBADVERSION:
		return NULL;
	case ZCLOSING:
	case ZCONNECTIONLOSS:
	case ZINVALIDSTATE:
	case ZOPERATIONTIMEOUT:
	case ZSESSIONEXPIRED:
	case ZSESSIONMOVED:
		return zk_session_lost(s);
	default:
		return error_new(ERR_UNAVAILABLE, "ZooKeeper: %s", zerror(code));
	}
}

struct error *zk_begin(struct zk_session *s, const struct zk_request *request, struct zk_call **ret)
{
	struct zk_call *call;
	int code;

	if (!s->handle)
		return zk_session_lost(s);
	TRY(fence_check(request->fence));
	call = mem_new(struct zk_call);
	call->session = s;
	code = send_request(s, request, call);
	if (code != ZOK) {
		call_free(call);
		return judge(s, code) ?: error_new(ERR_UNAVAILABLE, "ZooKeeper: %s", zerror(code));
	}
	zk_session_kick(s);
	*ret = call;
	return NULL;
}

static may_suspend struct error *wait_done(struct zk_call *call)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(ANSWER_TIME);

	while (!call->done) {
		struct error *err = waitq_wait(&call->session->changed, "ZooKeeper's answer");

		if (error_is(err, ERR_TIMEOUT) && deadline_passed(&d)) {
			error_free(err);
			return error_new(ERR_CLOSED, "ZooKeeper does not answer");
		}
		if (err)
			return err;
	}
	return NULL;
}

may_suspend struct error *zk_finish(struct zk_call *call, struct zk_answer *ret)
{
	struct error *err = wait_done(call);

	if (!call->done) {
		call->abandoned = true;
		return err;
	}
	error_free(err);
	err = judge(call->session, call->answer.code);
	if (!err) {
		*ret = call->answer;
		call->answer = (struct zk_answer){ 0 };
	}
	call_free(call);
	return err;
}

may_suspend struct error *zk_ask(struct zk_session *s, const struct zk_request *request,
				 struct zk_answer *ret)
{
	struct zk_call *call;

	TRY(zk_session_connect(s));
	TRY(zk_begin(s, request, &call));
	return zk_finish(call, ret);
}
