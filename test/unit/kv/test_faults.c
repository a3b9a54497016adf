/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call to etcd and to Consul, with each way in which a store can fail, over connections in
 * memory on a virtual clock: one clear error in time, or the next endpoint's answer.
 */
#include "unit/testing.h"

#include <stdlib.h>

#include "base/duration.h"
#include "fiber/clock.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/loop.h"
#include "fiber/waitq.h"
#include "http/reply.h"
#include "http/server.h"
#include "http/url.h"
#include "kv/kv.h"
#include "net/dial.h"
#include "net/listener.h"

enum fault { NONE, REFUSES, SILENT, FAILS, GARBAGE, N_FAULTS };

static const enum error_kind expected[N_FAULTS] = {
	[REFUSES] = ERR_REFUSED,
	[SILENT] = ERR_CLOSED,
	[FAILS] = ERR_UNAVAILABLE,
	[GARBAGE] = ERR_PROTOCOL,
};

/* What two hosts, "first" and "second", do. */
static struct {
	struct http_server *server;
	struct listener *hosts[2];
	enum fault faults[2];
	unsigned calls[2];
	struct waitq never;
} world;

static may_suspend struct error *dial_world(const struct addr *a, _unused_ void *arg,
					    struct stream **ret)
{
	int host = strcmp(a->host, "second") == 0;

	if (world.faults[host] == REFUSES)
		return error_new(ERR_REFUSED, "cannot connect to %s", a->host);
	*ret = listener_connect(world.hosts[host], host ? "second" : "first");
	return NULL;
}

static struct str etcd_answer(struct str path)
{
	static const struct {
		const char *path, *answer;
	} answers[] = {
		{ "/v3/kv/txn", "{\"header\":{\"revision\":\"7\"},\"succeeded\":true}" },
		{ "/v3/lease/grant",
		  "{\"header\":{\"revision\":\"7\"},\"ID\":\"9\",\"TTL\":\"20\"}" },
		{ "/v3/lease/keepalive",
		  "{\"result\":{\"header\":{\"revision\":\"7\"},\"ID\":\"9\",\"TTL\":\"20\"}}" },
		{ "/v3/watch", "{\"result\":{\"header\":{\"revision\":\"7\"},\"created\":true}}\n"
			       "{\"result\":{\"header\":{\"revision\":\"8\"},\"events\":[{}]}}\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (str_eq(path, str_from(answers[i].path)))
			return str_from(answers[i].answer);
	}
	return STR("{\"header\":{\"revision\":\"7\"}}");
}

static struct str consul_answer(const struct http_incoming *in)
{
	if (str_eq(in->url.path, STR("/v1/session/create")))
		return STR("{\"ID\":\"1-2-3\"}");
	if (str_starts(in->url.path, STR("/v1/session/renew/")))
		return STR("[{\"ID\":\"1-2-3\"}]");
	return str_eq(in->head.method, STR("GET")) ? STR("[]") : STR("true");
}

static may_suspend void serve_world(struct http_incoming *in, _unused_ void *arg)
{
	int host = strcmp(in->client->peer, "second") == 0;
	bool etcd = str_starts(in->url.path, STR("/v3/"));
	struct http_header index = { STR("X-Consul-Index"),
				     http_has_param(&in->url, "index") ? STR("8") : STR("7") };

	world.calls[host]++;
	if (world.faults[host] == SILENT)
		error_free(waitq_wait(&world.never, "nothing"));
	else if (world.faults[host] == FAILS)
		error_free(http_reply(in, 503, NULL, NULL, 0, STR("no leader")));
	else if (world.faults[host] == GARBAGE)
		error_free(http_reply(in, 200, NULL, NULL, 0, STR("<html>nobody</html>")));
	else
		error_free(http_reply(in, 200, NULL, &index, 1,
				      etcd ? etcd_answer(in->url.path) : consul_answer(in)));
}

static void plain_error(_unused_ int status, const char *message, struct strbuf *ret)
{
	strbuf_add(ret, str_from(message));
}

static struct str no_headers(_unused_ void *arg)
{
	return STR_NONE;
}

static void begin_server(void)
{
	const struct http_server_config config = { .handler = serve_world,
						   .common_headers = no_headers,
						   .error_body = plain_error };

	world.server = http_server_new(&config);
	for (int i = 0; i < 2; i++)
		http_server_listen(world.server, world.hosts[i] = listener_memory());
}

/* The calls. */
typedef may_suspend struct error *call_fn(struct kv *kv, struct kv_lease *lease);

static may_suspend struct error *call_get(struct kv *kv, _unused_ struct kv_lease *lease)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_value v;

	return kv_get(kv, STR("k"), &arena, &v);
}

static may_suspend struct error *call_list(struct kv *kv, _unused_ struct kv_lease *lease)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_list list;

	return kv_list(kv, STR("k"), &arena, &list);
}

static may_suspend struct error *call_wait(struct kv *kv, _unused_ struct kv_lease *lease)
{
	return kv_wait(kv, STR("k"), 7);
}

static may_suspend struct error *call_put(struct kv *kv, _unused_ struct kv_lease *lease)
{
	return kv_put(kv, STR("k"), STR("v"), NULL);
}

static may_suspend struct error *call_put_held(struct kv *kv, struct kv_lease *lease)
{
	return kv_put(kv, STR("k"), STR("v"), lease);
}

static may_suspend struct error *call_delete(struct kv *kv, _unused_ struct kv_lease *lease)
{
	return kv_delete(kv, STR("k"));
}

static may_suspend struct error *call_lock(struct kv *kv, struct kv_lease *lease)
{
	bool got;

	return kv_lock(kv, STR("k"), STR("v"), lease, &got);
}

static may_suspend struct error *call_begin(struct kv *kv, _unused_ struct kv_lease *lease)
{
	struct kv_lease *another;

	TRY(kv_lease_begin(kv, 20 * SECOND, &another));
	kv_lease_drop(another);
	return NULL;
}

static may_suspend struct error *call_renew(_unused_ struct kv *kv, struct kv_lease *lease)
{
	return kv_lease_renew(lease);
}

static call_fn *const calls[] = {
	call_get,    call_list, call_wait,  call_put,	call_put_held,
	call_delete, call_lock, call_begin, call_renew,
};

static void set_faults(enum fault first, enum fault second)
{
	world.faults[0] = first;
	world.faults[1] = second;
	world.calls[0] = world.calls[1] = 0;
}

/* What is over in this time on each endpoint that is silent: a Consul that waits takes longer. */
#define PATIENCE (30 * SECOND)

/* A store that nobody has called yet, but for a lease: no connection of before helps it. */
struct fresh {
	struct kv *kv;
	struct kv_lease *lease;
};

static may_suspend struct fresh fresh(const char *scheme, const char *hosts)
{
	_cleanup_(strbuf_fini) struct strbuf uri = STRBUF_INIT;
	const struct kv_options clear = { 0 };
	struct fresh f;

	strbuf_addf(&uri, "%s://%s", scheme, hosts);
	assert_ok(kv_open(strbuf_str(&uri), &clear, &f.kv));
	set_faults(NONE, NONE);
	assert_ok(kv_lease_begin(f.kv, 20 * SECOND, &f.lease));
	/* The hosts lose their connections. */
	http_server_stop(world.server, 0);
	http_server_free(world.server);
	begin_server();
	return f;
}

static may_suspend void check_alone(const char *scheme, call_fn *call, enum fault fault)
{
	struct fresh f = fresh(scheme, "first");
	int64_t begun = clock_now();

	set_faults(fault, NONE);
	if (fault == NONE)
		assert_ok(call(f.kv, f.lease));
	else if (fault == GARBAGE && call == call_wait && strcmp(scheme, "etcd") == 0)
		/* It could have become an answer, had the connection not ended. */
		assert_err(call(f.kv, f.lease), ERR_CLOSED, "etcd ended the watch");
	else
		assert_err(call(f.kv, f.lease), expected[fault], "");
	assert_true(clock_now() - begun < PATIENCE);

	/* The lease is given up in some seconds whatever the store does. */
	begun = clock_now();
	kv_lease_end(f.lease);
	assert_true(clock_now() - begun < 5 * SECOND);
	kv_close(f.kv);
}

static may_suspend void each_fault_alone(const char *scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		for (enum fault fault = NONE; fault < N_FAULTS; fault++)
			check_alone(scheme, calls[i], fault);
	}
}

/* From whichever endpoint the last call was answered. */
static may_suspend void the_other_takes_over(const char *scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		for (enum fault fault = REFUSES; fault <= FAILS; fault++) {
			struct fresh f = fresh(scheme, "first,second");

			set_faults(fault, NONE);
			assert_ok(calls[i](f.kv, f.lease));
			assert_true(world.calls[1] > 0);
			http_server_stop(world.server, 0);
			http_server_free(world.server);
			begin_server();
			set_faults(NONE, fault);
			assert_ok(calls[i](f.kv, f.lease));
			assert_true(world.calls[0] > 0);
			kv_lease_drop(f.lease);
			kv_close(f.kv);
		}
	}
}

struct cancelled {
	struct kv *kv;
	struct kv_lease *lease;
	call_fn *call;
};

static may_suspend void call_cancelled(void *arg)
{
	const struct cancelled *c = arg;

	assert_err(c->call(c->kv, c->lease), ERR_CANCELLED, "");
}

static may_suspend void each_call_is_cancelled(const char *scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct fresh f = fresh(scheme, "first,second");
		struct cancelled c = { f.kv, f.lease, calls[i] };
		struct group g = GROUP_INIT;
		int64_t begun = clock_now();

		set_faults(SILENT, SILENT);
		group_go(&g, "cancelled", call_cancelled, &c);
		assert_ok(fiber_sleep(SECOND));
		group_finish(&g);
		assert_true(clock_now() - begun < 2 * SECOND);
		kv_lease_drop(f.lease);
		kv_close(f.kv);
	}
}

static may_suspend struct error *put_fenced(struct kv *kv, const struct fence *fence)
{
	return kv_put_fenced(kv, STR("k"), STR("v"), fence);
}

static may_suspend struct error *delete_fenced(struct kv *kv, const struct fence *fence)
{
	return kv_delete_fenced(kv, STR("k"), fence);
}

/* The first host is silent until the fence has closed, or not. */
static may_suspend void the_fence_holds_at_each_host(const char *scheme)
{
	may_suspend struct error *(*const fenced[])(struct kv *, const struct fence *) = {
		put_fenced,
		delete_fenced,
	};

	for (size_t i = 0; i < ARRAY_LEN(fenced); i++) {
		struct fresh f = fresh(scheme, "first,second");
		struct fence fence = FENCE_INIT;

		set_faults(SILENT, NONE);
		fence_open(&fence, clock_boot() + SECOND);
		assert_err(fenced[i](f.kv, &fence), ERR_NOT_PRIMARY, "");
		assert_int_equal(world.calls[0], 1);
		assert_int_equal(world.calls[1], 0);

		fence_open(&fence, clock_boot() + 20 * SECOND);
		assert_ok(fenced[i](f.kv, &fence));
		assert_int_equal(world.calls[1], 1);

		fence_close(&fence);
		assert_err(fenced[i](f.kv, &fence), ERR_NOT_PRIMARY, "");
		assert_int_equal(world.calls[0] + world.calls[1], 3);
		kv_lease_drop(f.lease);
		kv_close(f.kv);
	}
}

typedef may_suspend void story_fn(const char *scheme);

static may_suspend void story_main(void *arg)
{
	story_fn *story = *(story_fn **)arg;

	dial_set_hook(dial_world, NULL);
	begin_server();
	story("etcd");
	story("consul");
	http_server_stop(world.server, 0);
	http_server_free(world.server);
	dial_set_hook(NULL, NULL);
}

static void run_story(story_fn *story)
{
	loop_run(LOOP_VIRTUAL, story_main, &story);
}

static void faults_alone(_unused_ void **state)
{
	run_story(each_fault_alone);
}

static void faults_of_one_of_two(_unused_ void **state)
{
	run_story(the_other_takes_over);
}

static void cancellations(_unused_ void **state)
{
	run_story(each_call_is_cancelled);
}

static void the_fence(_unused_ void **state)
{
	run_story(the_fence_holds_at_each_host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_alone),
		cmocka_unit_test(faults_of_one_of_two),
		cmocka_unit_test(the_fence),
		cmocka_unit_test(cancellations),
	};

	/* An assertion that fails on a fiber cannot leave its stack. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
