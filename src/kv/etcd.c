/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etcd, version 3 of its API, by its JSON gateway. A key made under a lease, a transaction that
 * makes a key where there is none, and a watch are all that it takes.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "json/json.h"
#include "kv/endpoints.h"
#include "kv/etcd_codec.h"

#define READ_SIZE (16 * KIB)

/* A watch that hears nothing for this long asks whether the store is there at all. */
#define QUIET_TIME (20 * SECOND)

struct etcd {
	struct kv base;
	struct kv_endpoints endpoints;
};

struct etcd_lease {
	struct kv_lease base;
	struct etcd *etcd;
	int64_t id;
};

static struct error *etcd_open(const struct kv_target *target, struct kv **ret)
{
	struct etcd *etcd = mem_new(struct etcd);

	kv_endpoints_init(&etcd->endpoints, target);
	*ret = &etcd->base;
	return NULL;
}

static void etcd_close(struct kv *kv)
{
	struct etcd *etcd = container_of(kv, struct etcd, base);

	kv_endpoints_fini(&etcd->endpoints);
	free(etcd);
}

/* A member that has lost its leader ends a watch where it is asked to by this. */
static const struct http_header call_headers[] = {
	{ STR_INIT("Content-Type"), STR_INIT("application/json") },
	{ STR_INIT("Grpc-Metadata-hasleader"), STR_INIT("true") },
};

static struct http_call call_of(struct str path, const struct strbuf *body)
{
	return (struct http_call){ .method = STR("POST"),
				   .target = path,
				   .headers = call_headers,
				   .n_headers = ARRAY_LEN(call_headers),
				   .body = strbuf_str(body) };
}

/* Everything that is asked under a lease says so by 404 where that is lost. */
static may_suspend struct error *make(struct etcd *etcd, const struct http_call *call,
				      struct arena *arena, struct str *ret)
{
	struct http_result result;

	TRY(kv_endpoints_fetch(&etcd->endpoints, call, arena, &result));
	if (result.head.status == 404 && str_contains(result.body, STR("lease not found")))
		return kv_lease_lost("lease of etcd");
	if (result.head.status != 200)
		return kv_endpoints_refusal(&etcd->endpoints, result.head.status, result.body);
	*ret = result.body;
	return NULL;
}

static may_suspend struct error *call(struct etcd *etcd, struct str path, const struct strbuf *body,
				      struct arena *arena, struct str *ret)
{
	struct http_call call = call_of(path, body);

	return make(etcd, &call, arena, ret);
}

/* Changes a key. */
static may_suspend struct error *change(struct etcd *etcd, struct str path,
					const struct strbuf *body, const struct fence *fence)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct http_call call = call_of(path, body);
	struct str answer;

	call.fence = fence;
	TRY(make(etcd, &call, &arena, &answer));
	return etcd_read_done(answer, &arena);
}

/* "a/b/" to "a/b0": what ends the range of all that begins with it. */
static struct str range_end(struct str directory, struct strbuf *out)
{
	assert(str_ends(directory, STR("/")));
	strbuf_add(out, str_first(directory, directory.n - 1));
	strbuf_addc(out, '/' + 1);
	return strbuf_str(out);
}

static may_suspend struct error *range(struct etcd *etcd, struct str key, struct str end,
				       struct arena *arena, struct kv_list *ret)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct str answer;

	etcd_write_range(&body, key, end);
	TRY(call(etcd, STR("/v3/kv/range"), &body, arena, &answer));
	return etcd_read_range(answer, arena, ret);
}

static may_suspend struct error *etcd_get(struct kv *kv, struct str key, struct arena *arena,
					  struct kv_value *ret)
{
	struct etcd *etcd = container_of(kv, struct etcd, base);
	struct kv_list list;

	TRY(range(etcd, key, STR_NONE, arena, &list));
	*ret = (struct kv_value){ .found = list.n > 0, .revision = list.revision };
	if (list.n > 0) {
		ret->value = list.v[0].value;
		ret->held = list.v[0].held;
	}
	return NULL;
}

static may_suspend struct error *etcd_list(struct kv *kv, struct str directory, struct arena *arena,
					   struct kv_list *ret)
{
	struct etcd *etcd = container_of(kv, struct etcd, base);
	_cleanup_(strbuf_fini) struct strbuf end = STRBUF_INIT;

	TRY(range(etcd, directory, range_end(directory, &end), arena, ret));
	for (size_t i = 0; i < ret->n; i++)
		ret->v[i].name = str_strip_prefix(ret->v[i].name, directory);
	return NULL;
}

static may_suspend struct error *etcd_put(struct kv *kv, struct str key, struct str value,
					  struct kv_lease *lease, const struct fence *fence)
{
	struct etcd *etcd = container_of(kv, struct etcd, base);
	int64_t id = lease ? container_of(lease, struct etcd_lease, base)->id : 0;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;

	etcd_write_put(&body, key, value, id);
	return change(etcd, STR("/v3/kv/put"), &body, fence);
}

static may_suspend struct error *etcd_remove(struct kv *kv, struct str key,
					     const struct fence *fence)
{
	struct etcd *etcd = container_of(kv, struct etcd, base);
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;

	etcd_write_range(&body, key, STR_NONE);
	return change(etcd, STR("/v3/kv/deleterange"), &body, fence);
}

static may_suspend struct error *etcd_lock(struct kv *kv, struct str key, struct str value,
					   struct kv_lease *lease, bool *ret)
{
	struct etcd *etcd = container_of(kv, struct etcd, base);
	int64_t holder, id = container_of(lease, struct etcd_lease, base)->id;
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct str answer;
	bool done;

	etcd_write_lock(&body, key, value, id);
	TRY(call(etcd, STR("/v3/kv/txn"), &body, &arena, &answer));
	TRY(etcd_read_lock(answer, &arena, &done, &holder));
	/* An attempt whose answer was lost may have taken it. */
	*ret = done || holder == id;
	return NULL;
}

static may_suspend struct error *etcd_lease_begin(struct kv *kv, int64_t ttl, struct kv_lease **ret)
{
	struct etcd *etcd = container_of(kv, struct etcd, base);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct etcd_lease *lease;
	struct str answer;
	int64_t id, seconds;

	etcd_write_grant(&body, (ttl + SECOND - 1) / SECOND);
	TRY(call(etcd, STR("/v3/lease/grant"), &body, &arena, &answer));
	TRY(etcd_read_grant(answer, &arena, &id, &seconds));
	lease = mem_new(struct etcd_lease);
	lease->base.ttl = seconds * SECOND;
	lease->etcd = etcd;
	lease->id = id;
	*ret = &lease->base;
	return NULL;
}

static may_suspend struct error *etcd_lease_renew(struct kv_lease *base)
{
	struct etcd_lease *lease = container_of(base, struct etcd_lease, base);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct str answer;
	int64_t seconds;

	etcd_write_lease(&body, lease->id);
	TRY(call(lease->etcd, STR("/v3/lease/keepalive"), &body, &arena, &answer));
	TRY(etcd_read_keepalive(answer, &arena, &seconds));
	if (seconds == 0)
		return kv_lease_lost("lease of etcd");
	return NULL;
}

static may_suspend struct error *etcd_lease_revoke(struct kv_lease *base)
{
	struct etcd_lease *lease = container_of(base, struct etcd_lease, base);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct str answer;

	etcd_write_lease(&body, lease->id);
	return call(lease->etcd, STR("/v3/lease/revoke"), &body, &arena, &answer);
}

static may_suspend void etcd_lease_free(struct kv_lease *base)
{
	free(container_of(base, struct etcd_lease, base));
}

/* One watch, until there is news. */
struct watch {
	struct etcd *etcd;
	size_t at; /* the member's number among the endpoints */
	struct http_exchange *exchange;
	struct strbuf in; /* its answers: one value behind the other */
	uint64_t revision;
	bool news;
};

/*
 * A member that hangs keeps its connections, and leases may end meanwhile. So that its absence is
 * known for one, it is asked for a key that nobody makes; another member that answers in its place
 * is where to look again.
 */
static may_suspend struct error *check_alive(struct watch *w)
{
	struct etcd *etcd = w->etcd;
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_list nothing;

	TRY(range(etcd, STR("swarm-alive"), STR_NONE, &arena, &nothing));
	w->news = etcd->endpoints.at != w->at;
	return NULL;
}

/* Until there is something to read, or news of another kind. */
static may_suspend struct error *wait_readable(struct watch *w)
{
	while (!w->news) {
		_cleanup_(deadline_end) struct deadline quiet = deadline_begin(QUIET_TIME);
		struct error *err = http_exchange_wait_readable(w->exchange);

		if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&quiet))
			return err;
		error_free(err);
		deadline_end(&quiet);
		TRY(fiber_check());
		TRY(check_alive(w));
	}
	return NULL;
}

static may_suspend struct error *read_more(struct watch *w)
{
	size_t n;

	if (w->in.n > LIMIT_KV_EVENT)
		return error_new(ERR_TOO_LARGE, "etcd says more than %zu bytes at once",
				 LIMIT_KV_EVENT);
	TRY(wait_readable(w));
	if (w->news)
		return NULL;
	strbuf_reserve(&w->in, READ_SIZE);
	TRY(http_exchange_read(w->exchange, w->in.p + w->in.n, READ_SIZE, &n));
	if (n == 0)
		return error_new(ERR_CLOSED, "etcd ended the watch");
	strbuf_extend(&w->in, n);
	return NULL;
}

static may_suspend struct error *watch_until_news(struct watch *w)
{
	struct json_scan scan = { 0 };

	while (!w->news) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str said = strbuf_str(&w->in);
		struct error *err;
		size_t n;

		err = json_scan_value(said, &scan, &n);
		if (err)
			return error_as(ERR_PROTOCOL, error_wrap(err, "etcd"));
		if (n == 0) {
			TRY(read_more(w));
			continue;
		}
		TRY(etcd_read_watch(str_first(said, n), &arena, w->revision, &w->news));
		strbuf_consume(&w->in, n);
		scan = (struct json_scan){ 0 };
	}
	return NULL;
}

static may_suspend struct error *watch_begin(struct watch *w, struct str key)
{
	struct kv_endpoints *endpoints = &w->etcd->endpoints;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT, end = STRBUF_INIT;
	const struct http_response *head;
	struct http_call call;

	/* From the key to the end of what is below it: "a/b" to "a/b0". */
	strbuf_add(&end, key);
	strbuf_addc(&end, '/' + 1);
	etcd_write_watch(&body, key, strbuf_str(&end), w->revision + 1);
	call = call_of(STR("/v3/watch"), &body);
	TRY(kv_endpoints_begin(endpoints, &call, &w->exchange));
	w->at = endpoints->at;
	TRY(http_exchange_response(w->exchange, &head));
	if (head->status != 200)
		return kv_endpoints_refusal(endpoints, head->status, STR(""));
	return NULL;
}

static may_suspend struct error *etcd_wait(struct kv *kv, struct str key, uint64_t revision)
{
	struct watch w = { .etcd = container_of(kv, struct etcd, base), .revision = revision };
	struct error *err;

	err = watch_begin(&w, key);
	if (!err)
		err = watch_until_news(&w);
	http_exchange_free(w.exchange);
	strbuf_fini(&w.in);
	return err;
}

const struct kv_backend kv_etcd = {
	.scheme = "etcd",
	.port = 2379,
	.has_tls = true,
	.open = etcd_open,
	.close = etcd_close,
	.get = etcd_get,
	.list = etcd_list,
	.wait = etcd_wait,
	.put = etcd_put,
	.remove = etcd_remove,
	.lock = etcd_lock,
	.lease_begin = etcd_lease_begin,
	.lease_renew = etcd_lease_renew,
	.lease_revoke = etcd_lease_revoke,
	.lease_free = etcd_lease_free,
};
