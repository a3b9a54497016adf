/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consul: a lease is a session, a key under it one that the session has acquired, and a wait is a
 * query that is answered when the index of what it asks for has moved on.
 *
 * A query always asks for all that begins with a key, since the index of one key alone is counted
 * in another way.
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "http/url.h"
#include "kv/consul_codec.h"
#include "kv/endpoints.h"

/*
 * Consul answers a query without news after this and a sixteenth more, so an agent that hangs is
 * known for one soon after.
 */
#define WAIT_TIME  (20 * SECOND)
#define WAIT_SLACK (WAIT_TIME / 16 + 4 * SECOND)

struct consul {
	struct kv base;
	struct kv_endpoints endpoints;
};

struct consul_lease {
	struct kv_lease base;
	struct consul *consul;
	char *session;
};

static struct error *consul_open(const struct kv_target *target, struct kv **ret)
{
	struct consul *consul = mem_new(struct consul);

	kv_endpoints_init(&consul->endpoints, target);
	*ret = &consul->base;
	return NULL;
}

static void consul_close(struct kv *kv)
{
	struct consul *consul = container_of(kv, struct consul, base);

	kv_endpoints_fini(&consul->endpoints);
	free(consul);
}

/* Of a session that has ended Consul says so with a 500. */
static struct error *judge(struct error *err)
{
	if (!error_is(err, ERR_UNAVAILABLE) ||
	    !str_contains(str_from(error_message(err)), STR("invalid session")))
		return err;
	error_free(err);
	return kv_lease_lost("session of Consul");
}

static may_suspend struct error *make(struct consul *consul, const struct http_call *call,
				      struct arena *arena, struct str *ret)
{
	struct http_result result;

	TRY(judge(kv_endpoints_fetch(&consul->endpoints, call, arena, &result)));
	if (result.head.status != 200)
		return kv_endpoints_refusal(&consul->endpoints, result.head.status, result.body);
	*ret = result.body;
	return NULL;
}

/* Asks something of a session. */
static may_suspend struct error *call(struct consul *consul, struct str target, struct str body,
				      struct arena *arena, struct str *ret)
{
	return make(consul,
		    &(struct http_call){ .method = STR("PUT"), .target = target, .body = body },
		    arena, ret);
}

/* Changes a key. */
static may_suspend struct error *change(struct consul *consul, const struct http_call *call,
					bool *ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str answer;

	TRY(make(consul, call, &arena, &answer));
	return consul_read_done(answer, &arena, ret);
}

static void write_key(struct strbuf *out, struct str key)
{
	strbuf_add(out, STR("/v1/kv/"));
	http_encode_path(out, key);
}

static struct error *read_index(const struct http_response *head, uint64_t *ret)
{
	if (str_to_u64(http_header(&head->headers, "X-Consul-Index"), ret) && *ret > 0)
		return NULL;
	return error_new(ERR_PROTOCOL, "Consul answers without an X-Consul-Index");
}

/* All that begins with `prefix`; with an index, once there is news since. */
static may_suspend struct error *query(struct consul *consul, struct str prefix, uint64_t index,
				       struct arena *arena, struct kv_list *ret)
{
	_cleanup_(strbuf_fini) struct strbuf target = STRBUF_INIT;
	struct http_call c = { .method = STR("GET") };
	struct http_result result;
	uint64_t revision;

	write_key(&target, prefix);
	strbuf_add(&target, STR("?recurse="));
	if (index > 0)
		strbuf_addf(&target, "&index=%llu&wait=%llds", (unsigned long long)index,
			    (long long)(WAIT_TIME / SECOND));
	c.target = strbuf_str(&target);
	TRY(kv_endpoints_fetch_slow(&consul->endpoints, &c, index > 0 ? WAIT_TIME + WAIT_SLACK : 0,
				    arena, &result));
	if (result.head.status != 200 && result.head.status != 404)
		return kv_endpoints_refusal(&consul->endpoints, result.head.status, result.body);
	TRY(read_index(&result.head, &revision));
	*ret = (struct kv_list){ 0 };
	if (result.head.status == 200)
		TRY(consul_read_entries(result.body, arena, ret));
	ret->revision = revision;
	return NULL;
}

static may_suspend struct error *consul_get(struct kv *kv, struct str key, struct arena *arena,
					    struct kv_value *ret)
{
	struct consul *consul = container_of(kv, struct consul, base);
	struct kv_list list;

	TRY(query(consul, key, 0, arena, &list));
	*ret = (struct kv_value){ .revision = list.revision };
	for (size_t i = 0; i < list.n && !ret->found; i++) {
		ret->found = str_eq(list.v[i].name, key);
		if (ret->found) {
			ret->value = list.v[i].value;
			ret->held = list.v[i].held;
		}
	}
	return NULL;
}

static may_suspend struct error *consul_list(struct kv *kv, struct str directory,
					     struct arena *arena, struct kv_list *ret)
{
	struct consul *consul = container_of(kv, struct consul, base);
	/* As kv_wait asks: the directory's own name, without the slash. */
	struct str prefix = str_first(directory, directory.n - 1);
	struct kv_list all;
	size_t n = 0;

	TRY(query(consul, prefix, 0, arena, &all));
	for (size_t i = 0; i < all.n; i++) {
		if (!str_starts(all.v[i].name, directory))
			continue;
		all.v[n] = all.v[i];
		all.v[n].name = str_skip(all.v[n].name, directory.n);
		n++;
	}
	all.n = n;
	*ret = all;
	return NULL;
}

static may_suspend struct error *consul_wait(struct kv *kv, struct str key, uint64_t revision)
{
	struct consul *consul = container_of(kv, struct consul, base);
	struct kv_list list = { .revision = revision };

	/* An index that goes back is that of another store, and as good a reason to look. */
	while (list.revision == revision) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

		TRY(query(consul, key, MAX(revision, 1), &arena, &list));
	}
	return NULL;
}

static may_suspend struct error *put(struct consul *consul, struct str key, struct str value,
				     const struct consul_lease *lease, const struct fence *fence,
				     bool *ret)
{
	_cleanup_(strbuf_fini) struct strbuf target = STRBUF_INIT;
	struct http_call c = { .method = STR("PUT"), .body = value, .fence = fence };

	write_key(&target, key);
	if (lease)
		strbuf_addf(&target, "?acquire=%s", lease->session);
	c.target = strbuf_str(&target);
	return change(consul, &c, ret);
}

static may_suspend struct error *consul_remove(struct kv *kv, struct str key,
					       const struct fence *fence)
{
	struct consul *consul = container_of(kv, struct consul, base);
	_cleanup_(strbuf_fini) struct strbuf target = STRBUF_INIT;
	struct http_call c = { .method = STR("DELETE"), .fence = fence };
	bool done;

	write_key(&target, key);
	c.target = strbuf_str(&target);
	return change(consul, &c, &done);
}

static const struct consul_lease *lease_of(const struct kv_lease *lease)
{
	return lease ? container_of(lease, struct consul_lease, base) : NULL;
}

static may_suspend struct error *consul_put(struct kv *kv, struct str key, struct str value,
					    struct kv_lease *lease, const struct fence *fence)
{
	struct consul *consul = container_of(kv, struct consul, base);
	bool done;

	TRY(put(consul, key, value, lease_of(lease), fence, &done));
	if (done)
		return NULL;
	/* Another session has it, as a node's own of before its restart does: it is replaced. */
	TRY(consul_remove(kv, key, fence));
	TRY(put(consul, key, value, lease_of(lease), fence, &done));
	if (done)
		return NULL;
	return error_new(ERR_UNAVAILABLE, "Consul does not let go of %.*s", STR_ARG(key));
}

static may_suspend struct error *consul_lock(struct kv *kv, struct str key, struct str value,
					     struct kv_lease *lease, bool *ret)
{
	return put(container_of(kv, struct consul, base), key, value, lease_of(lease), NULL, ret);
}

static may_suspend struct error *consul_lease_begin(struct kv *kv, int64_t ttl,
						    struct kv_lease **ret)
{
	struct consul *consul = container_of(kv, struct consul, base);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	int64_t seconds = ttl / SECOND;
	struct consul_lease *lease;
	struct str answer, session;

	consul_write_session(&body, seconds);
	TRY(call(consul, STR("/v1/session/create"), strbuf_str(&body), &arena, &answer));
	TRY(consul_read_session(answer, &arena, &session));
	lease = mem_new(struct consul_lease);
	lease->base.ttl = seconds * SECOND;
	lease->consul = consul;
	lease->session = str_dup(session);
	*ret = &lease->base;
	return NULL;
}

static may_suspend struct error *consul_lease_renew(struct kv_lease *base)
{
	const struct consul_lease *lease = lease_of(base);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf target = STRBUF_INIT;
	struct http_call c = { .method = STR("PUT") };
	struct http_result result;

	strbuf_addf(&target, "/v1/session/renew/%s", lease->session);
	c.target = strbuf_str(&target);
	TRY(kv_endpoints_fetch(&lease->consul->endpoints, &c, &arena, &result));
	if (result.head.status == 404)
		return kv_lease_lost("session of Consul");
	if (result.head.status != 200)
		return kv_endpoints_refusal(&lease->consul->endpoints, result.head.status,
					    result.body);
	return consul_read_renewed(result.body, &arena);
}

static may_suspend struct error *consul_lease_revoke(struct kv_lease *base)
{
	const struct consul_lease *lease = lease_of(base);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf target = STRBUF_INIT;
	struct str answer;

	strbuf_addf(&target, "/v1/session/destroy/%s", lease->session);
	return call(lease->consul, strbuf_str(&target), STR_NONE, &arena, &answer);
}

static may_suspend void consul_lease_free(struct kv_lease *base)
{
	struct consul_lease *lease = container_of(base, struct consul_lease, base);

	free(lease->session);
	free(lease);
}

const struct kv_backend kv_consul = {
	.scheme = "consul",
	.port = 8500,
	.has_tls = true,
	.halves_ttl = true,
	.least_ttl = 20 * SECOND,
	.open = consul_open,
	.close = consul_close,
	.get = consul_get,
	.list = consul_list,
	.wait = consul_wait,
	.put = consul_put,
	.remove = consul_remove,
	.lock = consul_lock,
	.lease_begin = consul_lease_begin,
	.lease_renew = consul_lease_renew,
	.lease_revoke = consul_lease_revoke,
	.lease_free = consul_lease_free,
};
