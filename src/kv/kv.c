/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of backends, what a URI says, and what all have in common: keys below a prefix, and a
 * lease that is given up even by a fiber that was cancelled.
 */
#include "kv/kv.h"

#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "kv/backend.h"
#include "net/tls.h"

/* A store that cannot be told in this time that a lease is given up is left to find out. */
#define REVOKE_TIME (3 * SECOND)

/* Addresses in one URI. */
#define ENDPOINTS_MAX 16

static const struct kv_backend *const backends[] = { &kv_etcd, &kv_consul, &kv_zookeeper };

static const struct kv_backend *find_backend(struct str scheme)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		if (str_eq(scheme, str_from(backends[i]->scheme)))
			return backends[i];
	}
	return NULL;
}

static bool is_part(struct str part)
{
	if (str_eq(part, STR(".")) || str_eq(part, STR("..")))
		return false;
	for (size_t i = 0; i < part.n; i++) {
		unsigned char c = (unsigned char)part.p[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return true;
}

struct error *kv_check_path(struct str path)
{
	struct str rest = path, part;

	while (str_next(&rest, '/', &part)) {
		if (!is_part(part))
			return error_new(ERR_INVALID,
					 "\"%.*s\" is no path in a key-value store: it has a part "
					 "\"%.*s\"",
					 STR_ARG(path), STR_ARG(part));
	}
	return NULL;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static struct error *parse_endpoint(struct str text, uint16_t port, struct addr *ret)
{
	_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;
	struct str before, after;
	bool has_port = str_rcut(text, ':', &before, &after) && !str_ends(text, STR("]"));

	strbuf_add(&whole, text);
	if (!has_port)
		strbuf_addf(&whole, ":%u", port);
	return addr_parse_host_port(strbuf_str(&whole), ret);
}

static struct error *parse_endpoints(struct str list, const struct kv_backend *backend,
				     struct addr *addrs, size_t *ret_n)
{
	struct str part;
	size_t n = 0;

	while (str_next(&list, ',', &part)) {
		if (n == ENDPOINTS_MAX)
			return error_new(ERR_INVALID, "%s:// has more than %d addresses",
					 backend->scheme, ENDPOINTS_MAX);
		TRY(parse_endpoint(str_trim(part), backend->port, &addrs[n]));
		n++;
	}
	*ret_n = n;
	return NULL;
}

/* What stands between slashes, with one behind each: "/a//b/" is "a/b/". */
static void add_prefix(struct str path, struct strbuf *out)
{
	struct str part;

	strbuf_add(out, STR(""));
	while (str_next(&path, '/', &part)) {
		if (str_empty(part))
			continue;
		strbuf_add(out, part);
		strbuf_addc(out, '/');
	}
}

static struct error *open_tls(const struct kv_backend *backend, const struct kv_options *o,
			      struct tls_context **ret)
{
	const struct tls_files files = {
		.ca = o->ca, .cert = o->cert, .key = o->key, .verify = true
	};

	if (!o->ca && !o->cert && !o->key)
		return NULL;
	if (!backend->has_tls)
		return error_new(ERR_INVALID, "%s:// does not use TLS", backend->scheme);
	return tls_context_new_client(&files, ret);
}

struct error *kv_open(struct str uri, const struct kv_options *options, struct kv **ret)
{
	const struct str mark = STR("://");
	ptrdiff_t at = str_find(uri, mark);
	struct str scheme = str_first(uri, at < 0 ? 0 : (size_t)at);
	struct str list, path = STR("");
	_cleanup_(mem_freep) struct addr *addrs = NULL;
	_cleanup_(tls_context_unrefp) struct tls_context *tls = NULL;
	_cleanup_(strbuf_fini) struct strbuf prefix = STRBUF_INIT;
	const struct kv_backend *backend = find_backend(scheme);
	struct kv_target target = { 0 };
	struct kv *kv;

	if (!backend)
		return error_new(ERR_INVALID, "there is no key-value store \"%.*s://\"",
				 STR_ARG(scheme));
	addrs = mem_realloc_array(NULL, ENDPOINTS_MAX, sizeof(*addrs));
	str_cut(str_skip(uri, (size_t)at + mark.n), '/', &list, &path);
	TRY(parse_endpoints(list, backend, addrs, &target.n_addrs));
	TRY(kv_check_path(path));
	TRY(open_tls(backend, options, &tls));
	target.addrs = addrs;
	target.tls = tls;
	add_prefix(path, &prefix);
	TRY(backend->open(&target, &kv));
	kv->backend = backend;
	kv->prefix = strbuf_take(&prefix);
	*ret = kv;
	return NULL;
}

may_suspend void kv_stop(struct kv *kv)
{
	if (kv->backend->stop)
		kv->backend->stop(kv);
}

void kv_close(struct kv *kv)
{
	if (!kv)
		return;
	free(kv->prefix);
	kv->backend->close(kv);
}

const char *kv_scheme(const struct kv *kv)
{
	return kv->backend->scheme;
}

/* The prefix and the key. A key of ours is never empty, and has no slash at its ends. */
static struct str whole_key(const struct kv *kv, struct str key, struct strbuf *out)
{
	assert(key.n > 0 && key.p[0] != '/' && key.p[key.n - 1] != '/');
	strbuf_add(out, str_from(kv->prefix));
	strbuf_add(out, key);
	return strbuf_str(out);
}

may_suspend struct error *kv_get(struct kv *kv, struct str key, struct arena *arena,
				 struct kv_value *ret)
{
	_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;

	return kv->backend->get(kv, whole_key(kv, key, &whole), arena, ret);
}

/* Deeper ones, and a key that ends in a slash, are somebody else's. */
static void leave_out_deeper(struct kv_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct str name = list->v[i].name;

		if (name.n > 0 && !str_has_char(name, '/'))
			list->v[n++] = list->v[i];
	}
	list->n = n;
}

may_suspend struct error *kv_list(struct kv *kv, struct str directory, struct arena *arena,
				  struct kv_list *ret)
{
	_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;

	whole_key(kv, directory, &whole);
	strbuf_addc(&whole, '/');
	TRY(kv->backend->list(kv, strbuf_str(&whole), arena, ret));
	leave_out_deeper(ret);
	return NULL;
}

may_suspend struct error *kv_wait(struct kv *kv, struct str key, uint64_t revision)
{
	_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;

	return kv->backend->wait(kv, whole_key(kv, key, &whole), revision);
}

static struct error *check_value(struct str key, struct str value)
{
	if (value.n <= LIMIT_KV_VALUE)
		return NULL;
	return error_new(ERR_TOO_LARGE, "the value of %.*s has more than %zu bytes", STR_ARG(key),
			 LIMIT_KV_VALUE);
}

static may_suspend struct error *put(struct kv *kv, struct str key, struct str value,
				     struct kv_lease *lease, const struct fence *fence)
{
	_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;

	TRY(check_value(key, value));
	return kv->backend->put(kv, whole_key(kv, key, &whole), value, lease, fence);
}

may_suspend struct error *kv_put(struct kv *kv, struct str key, struct str value,
				 struct kv_lease *lease)
{
	return put(kv, key, value, lease, NULL);
}

may_suspend struct error *kv_put_fenced(struct kv *kv, struct str key, struct str value,
					const struct fence *fence)
{
	return put(kv, key, value, NULL, fence);
}

may_suspend struct error *kv_delete(struct kv *kv, struct str key)
{
	return kv_delete_fenced(kv, key, NULL);
}

may_suspend struct error *kv_delete_fenced(struct kv *kv, struct str key, const struct fence *fence)
{
	_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;

	return kv->backend->remove(kv, whole_key(kv, key, &whole), fence);
}

may_suspend struct error *kv_lock(struct kv *kv, struct str key, struct str value,
				  struct kv_lease *lease, bool *ret)
{
	_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;

	TRY(check_value(key, value));
	return kv->backend->lock(kv, whole_key(kv, key, &whole), value, lease, ret);
}

struct error *kv_check_ttl(const struct kv *kv, int64_t ttl)
{
	_cleanup_(strbuf_fini) struct strbuf least = STRBUF_INIT;

	if (ttl >= kv->backend->least_ttl)
		return NULL;
	duration_format(kv->backend->least_ttl, &least);
	return error_new(
		ERR_INVALID,
		"%s:// needs a TTL of %.*s at least: its sessions last 10s or more, and up "
		"to twice as long as they are told to",
		kv->backend->scheme, STR_ARG(strbuf_str(&least)));
}

int64_t kv_lease_floor(const struct kv *kv, int64_t ttl)
{
	return kv->backend->halves_ttl ? ttl / 2 : ttl;
}

may_suspend struct error *kv_lease_begin(struct kv *kv, int64_t ttl, struct kv_lease **ret)
{
	TRY(kv_check_ttl(kv, ttl));
	TRY(kv->backend->lease_begin(kv, kv_lease_floor(kv, ttl), ret));
	(*ret)->kv = kv;
	return NULL;
}

may_suspend struct error *kv_lease_renew(struct kv_lease *lease)
{
	return lease->kv->backend->lease_renew(lease);
}

int64_t kv_lease_ttl(const struct kv_lease *lease)
{
	return lease->ttl;
}

struct error *kv_lease_lost(const char *what)
{
	return error_new(ERR_NOT_FOUND, "the %s is lost", what);
}

static may_suspend void revoke(void *arg)
{
	struct kv_lease *lease = arg;
	_cleanup_(deadline_end) struct deadline patience = deadline_begin(REVOKE_TIME);
	struct error *err = lease->kv->backend->lease_revoke(lease);

	if (err && !error_is(err, ERR_NOT_FOUND))
		log_debug("a lease ends by itself: the store could not be told", LOG_ERR(err));
	error_free(err);
}

may_suspend void kv_lease_drop(struct kv_lease *lease)
{
	if (lease)
		lease->kv->backend->lease_free(lease);
}

/* Who was cancelled cannot wait for the store, so another fiber does. */
may_suspend void kv_lease_end(struct kv_lease *lease)
{
	struct group group = GROUP_INIT;

	if (!lease)
		return;
	fiber_shield();
	group_go(&group, "kv-lease-end", revoke, lease);
	error_free(group_wait(&group));
	group_finish(&group);
	kv_lease_drop(lease);
	fiber_unshield();
}
