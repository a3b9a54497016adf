/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etcd://, consul:// and zk://: each node is a key below "docker/swarm/nodes", its address the
 * value, under a lease of who registered it. The store tells of changes. What kind of store it is
 * does not matter here.
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "discovery/backend.h"
#include "fiber/fiber.h"
#include "kv/kv.h"

#define DEFAULT_PATH "docker/swarm/nodes"

/*
 * A store that cannot be read is asked again after the first, then twice as long, up to the last.
 */
#define RETRY_FIRST (250 * MILLISECOND)
#define RETRY_LAST  (5 * SECOND)

struct kvstore {
	struct discovery base;
	struct kv *kv;
	char *path;
	int64_t heartbeat; /* within which who joins comes back */
	uint64_t revision; /* of the last list */
	int64_t retry;	   /* how long until the next look; 0: the last one went well */

	struct kv_lease *lease; /* of the entry that was registered here, or NULL */
};

/* What --discovery-opt may say. */
struct store_options {
	struct str path;
	struct str ca, cert, key;
};

static struct error *read_option(const char *opt, const char *scheme, struct store_options *ret)
{
	static const struct {
		struct str name;
		size_t at;
	} known[] = {
		{ STR_INIT("kv.path"), offsetof(struct store_options, path) },
		{ STR_INIT("kv.cacertfile"), offsetof(struct store_options, ca) },
		{ STR_INIT("kv.certfile"), offsetof(struct store_options, cert) },
		{ STR_INIT("kv.keyfile"), offsetof(struct store_options, key) },
	};
	struct str name, value;

	str_cut(str_from(opt), '=', &name, &value);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!str_eq(name, known[i].name))
			continue;
		if (str_empty(value))
			return error_new(ERR_INVALID, "--discovery-opt %.*s= has no value",
					 STR_ARG(name));
		*(struct str *)(void *)((char *)ret + known[i].at) = value;
		return NULL;
	}
	return error_new(ERR_INVALID,
			 "%s:// has no option \"%s\"; it has kv.path, kv.cacertfile, kv.certfile "
			 "and kv.keyfile",
			 scheme, opt);
}

static struct error *check_tls(const struct store_options *o)
{
	bool any = o->ca.p || o->cert.p || o->key.p;

	if (any && !o->ca.p)
		return error_new(
			ERR_INVALID,
			"TLS to a key-value store needs --discovery-opt kv.cacertfile=FILE");
	if (!o->cert.p != !o->key.p)
		return error_new(ERR_INVALID, "--discovery-opt %s needs %s beside it",
				 o->cert.p ? "kv.certfile" : "kv.keyfile",
				 o->cert.p ? "kv.keyfile" : "kv.certfile");
	return NULL;
}

/* Without slashes at its ends, as keys are written. */
static struct error *trim_path(struct str path, struct str *ret)
{
	while (str_starts(path, STR("/")))
		path = str_skip(path, 1);
	while (str_ends(path, STR("/")))
		path = str_first(path, path.n - 1);
	if (str_empty(path) || str_contains(path, STR("//")))
		return error_new(ERR_INVALID, "--discovery-opt kv.path takes a path such as "
					      "docker/swarm/nodes");
	TRY(kv_check_path(path));
	*ret = path;
	return NULL;
}

static struct error *open_store(const char *scheme, struct str rest,
				const struct discovery_options *options, struct discovery **ret)
{
	struct store_options o = { .path = STR(DEFAULT_PATH) };
	_cleanup_(strbuf_fini) struct strbuf uri = STRBUF_INIT;
	struct kv_options files;
	struct kvstore *store;
	struct kv *kv;

	for (size_t i = 0; options->opts && options->opts[i]; i++)
		TRY(read_option(options->opts[i], scheme, &o));
	TRY(check_tls(&o));
	TRY(trim_path(o.path, &o.path));
	/* The ends of our own arguments, so each has its NUL. */
	files = (struct kv_options){ .ca = o.ca.p, .cert = o.cert.p, .key = o.key.p };
	strbuf_addf(&uri, "%s://%.*s", scheme, STR_ARG(rest));
	TRY(kv_open(strbuf_str(&uri), &files, &kv));
	store = mem_new(struct kvstore);
	store->kv = kv;
	store->path = str_dup(o.path);
	store->heartbeat = options->heartbeat;
	*ret = &store->base;
	return NULL;
}

static struct error *etcd_open(struct str rest, const struct discovery_options *options,
			       struct discovery **ret)
{
	return open_store("etcd", rest, options, ret);
}

static struct error *consul_open(struct str rest, const struct discovery_options *options,
				 struct discovery **ret)
{
	return open_store("consul", rest, options, ret);
}

static struct error *zookeeper_open(struct str rest, const struct discovery_options *options,
				    struct discovery **ret)
{
	return open_store("zk", rest, options, ret);
}

static struct kvstore *store_of(struct discovery *d)
{
	return container_of(d, struct kvstore, base);
}

static may_suspend struct error *store_fetch(struct discovery *d, struct arena *arena,
					     struct vec *ret)
{
	struct kvstore *store = store_of(d);
	struct kv_list list;

	store->retry = store->retry ? MIN(2 * store->retry, RETRY_LAST) : RETRY_FIRST;
	TRY(kv_list(store->kv, str_from(store->path), arena, &list));
	store->retry = 0;
	store->revision = list.revision;
	for (size_t i = 0; i < list.n; i++)
		discovery_push(arena, ret, list.v[i].value);
	return NULL;
}

static may_suspend struct error *store_wait(struct discovery *d)
{
	struct kvstore *store = store_of(d);

	if (store->retry)
		return fiber_sleep(store->retry);
	return kv_wait(store->kv, str_from(store->path), store->revision);
}

static struct str key_of(const struct kvstore *store, struct str entry, struct strbuf *out)
{
	strbuf_addf(out, "%s/%.*s", store->path, STR_ARG(entry));
	return strbuf_str(out);
}

/* A renewal that comes later than the lease ends is none. */
static struct error *store_check_ttl(const struct discovery *d, int64_t ttl)
{
	const struct kvstore *store = (const struct kvstore *)d;
	_cleanup_(strbuf_fini) struct strbuf least = STRBUF_INIT;

	TRY(kv_check_ttl(store->kv, ttl));
	if (kv_lease_floor(store->kv, ttl) > store->heartbeat)
		return NULL;
	duration_format(2 * store->heartbeat, &least);
	return error_new(ERR_INVALID,
			 "%s:// needs a TTL of more than %.*s, twice the heartbeat: it may let an "
			 "entry live twice as long as it is told to",
			 kv_scheme(store->kv), STR_ARG(strbuf_str(&least)));
}

static may_suspend struct error *begin_lease(struct kvstore *store, int64_t ttl)
{
	_cleanup_(strbuf_fini) struct strbuf asked = STRBUF_INIT, granted = STRBUF_INIT;

	TRY(store_check_ttl(&store->base, ttl));
	TRY(kv_lease_begin(store->kv, ttl, &store->lease));
	if (kv_lease_ttl(store->lease) == ttl)
		return NULL;
	duration_format(ttl, &asked);
	duration_format(kv_lease_ttl(store->lease), &granted);
	log_info("the store has a TTL of its own for the entry",
		 LOG_CSTR("discovery", kv_scheme(store->kv)), LOG_STR("asked", strbuf_str(&asked)),
		 LOG_STR("granted", strbuf_str(&granted)));
	return NULL;
}

/* Somebody may have removed it while its lease lives on. */
static may_suspend struct error *ensure_entry(struct kvstore *store, struct str key,
					      struct str entry)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_value now;

	TRY(kv_get(store->kv, key, &arena, &now));
	if (now.found && str_eq(now.value, entry))
		return NULL;
	return kv_put(store->kv, key, entry, store->lease);
}

/* By the lease that there is; ERR_NOT_FOUND: it is lost. */
static may_suspend struct error *renew_entry(struct kvstore *store, struct str key,
					     struct str entry)
{
	TRY(kv_lease_renew(store->lease));
	return ensure_entry(store, key, entry);
}

static may_suspend struct error *store_enter(struct discovery *d, struct str entry, int64_t ttl)
{
	struct kvstore *store = store_of(d);
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str key = key_of(store, entry, &text);
	struct error *err;

	if (store->lease) {
		err = renew_entry(store, key, entry);
		if (!error_is(err, ERR_NOT_FOUND))
			return err;
		error_free(err);
		kv_lease_drop(take(store->lease));
		log_warn("the store had forgotten the entry: it is registered anew",
			 LOG_CSTR("discovery", kv_scheme(store->kv)), LOG_STR("entry", entry));
	}
	TRY(begin_lease(store, ttl));
	err = kv_put(store->kv, key, entry, store->lease);
	if (error_is(err, ERR_NOT_FOUND))
		err = error_as(ERR_UNAVAILABLE, err); /* lost within moments: the next time, then */
	if (err)
		kv_lease_end(take(store->lease));
	return err;
}

static may_suspend struct error *store_leave(struct discovery *d, struct str entry)
{
	struct kvstore *store = store_of(d);
	_cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
	struct error *err;

	if (!store->lease)
		return NULL;
	err = kv_delete(store->kv, key_of(store, entry, &key));
	kv_lease_end(take(store->lease));
	return err;
}

static may_suspend void store_stop(struct discovery *d)
{
	struct kvstore *store = store_of(d);

	kv_lease_drop(take(store->lease));
	kv_stop(store->kv);
}

static void store_close(struct discovery *d)
{
	struct kvstore *store = store_of(d);

	kv_close(store->kv);
	free(store->path);
	free(store);
}

struct kv *discovery_store(struct discovery *d)
{
	return discovery_is_store(d) ? store_of(d)->kv : NULL;
}

#define STORE_BACKEND(name, opener)                                                          \
	{                                                                                    \
		.scheme = (name), .is_store = true, .takes_options = true, .open = (opener), \
		.fetch = store_fetch, .wait = store_wait, .check_ttl = store_check_ttl,      \
		.enter = store_enter, .leave = store_leave, .stop = store_stop,              \
		.close = store_close,                                                        \
	}

const struct discovery_backend discovery_etcd = STORE_BACKEND("etcd", etcd_open);
const struct discovery_backend discovery_consul = STORE_BACKEND("consul", consul_open);
const struct discovery_backend discovery_zookeeper = STORE_BACKEND("zk", zookeeper_open);
