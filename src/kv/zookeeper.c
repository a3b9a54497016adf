/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ZooKeeper: a key is a node, its directories are nodes too, and a key under a lease is an
 * ephemeral node of a session that is the lease's own. That session is kept up between renewals,
 * but no longer than the lease was asked for: the server grants what it likes.
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/clock.h"
#include "kv/zookeeper_call.h"

/* Of the session that reads and watches. */
#define MAIN_TTL (10 * SECOND)

/* Values of a directory that are asked for at once. */
#define AT_ONCE 64

/* Somebody else may make or delete a node between two steps of ours. */
#define ROUNDS 8

struct zookeeper {
	struct kv base;
	struct addr *addrs;
	size_t n_addrs;
	struct zk_session main;
};

struct zk_lease {
	struct kv_lease base;
	struct zk_session session;
	int64_t asked;
	struct vec paths; /* of char *: what it holds */
};

static struct zookeeper *zookeeper_of(struct kv *kv)
{
	return container_of(kv, struct zookeeper, base);
}

static struct zk_lease *lease_of(struct kv_lease *lease)
{
	return container_of(lease, struct zk_lease, base);
}

static struct error *zk_open(const struct kv_target *target, struct kv **ret)
{
	struct zookeeper *zk = mem_new(struct zookeeper);

	zk->addrs = mem_realloc_array(NULL, target->n_addrs, sizeof(*zk->addrs));
	memcpy(zk->addrs, target->addrs, target->n_addrs * sizeof(*zk->addrs));
	zk->n_addrs = target->n_addrs;
	zk_session_init(&zk->main, zk->addrs, zk->n_addrs, MAIN_TTL, false);
	*ret = &zk->base;
	return NULL;
}

static may_suspend void zk_stop(struct kv *kv)
{
	zk_session_stop(&zookeeper_of(kv)->main);
}

static void zk_close(struct kv *kv)
{
	struct zookeeper *zk = zookeeper_of(kv);

	zk_session_fini(&zk->main);
	free(zk->addrs);
	free(zk);
}

/* "/a/b" of "a/b" */
static char *path_of(struct str key)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addc(&path, '/');
	strbuf_add(&path, key);
	return strbuf_take(&path);
}

/* What moves with each change of a node and of what is below it; 0 where there is none. */
static uint64_t revision_of(const struct zk_answer *a)
{
	return a->code == ZOK ? (uint64_t)MAX(a->stat.mzxid, a->stat.pzxid) : 0;
}

/*
 * Swarm 1.2 held a key by nodes below it, and left the key itself behind.
 */
static bool is_held(const struct Stat *stat)
{
	return stat->ephemeralOwner != 0 || stat->numChildren > 0;
}

static may_suspend struct error *zk_get(struct kv *kv, struct str key, struct arena *arena,
					struct kv_value *ret)
{
	_cleanup_(mem_freep) char *path = path_of(key);
	_cleanup_(zk_answer_fini) struct zk_answer a = { 0 };

	TRY(zk_ask(&zookeeper_of(kv)->main, &(struct zk_request){ .kind = ZK_GET, .path = path },
		   &a));
	*ret = (struct kv_value){ .found = a.code == ZOK, .revision = revision_of(&a) };
	if (ret->found) {
		ret->value = arena_dup(arena, strbuf_str(&a.value));
		ret->held = is_held(&a.stat);
	}
	return NULL;
}

/* The values of some names. Those that are gone by now are left out. */
static may_suspend struct error *get_some(struct zk_session *s, struct str directory, char **names,
					  size_t n, struct arena *arena, struct kv_list *ret)
{
	struct zk_call *calls[AT_ONCE];
	struct error *err = NULL;
	size_t begun = 0;

	for (; begun < n && !err; begun += !err) {
		struct str path = arena_printf(arena, "/%.*s%s", STR_ARG(directory), names[begun]);

		err = zk_begin(s, &(struct zk_request){ .kind = ZK_GET, .path = path.p },
			       &calls[begun]);
	}
	for (size_t i = 0; i < begun; i++) {
		_cleanup_(zk_answer_fini) struct zk_answer a = { .code = ZNONODE };
		struct error *failed = zk_finish(calls[i], &a);

		if (!failed && a.code == ZOK)
			ret->v[ret->n++] = (struct kv_entry){
				.name = arena_dup(arena, str_from(names[i])),
				.value = arena_dup(arena, strbuf_str(&a.value)),
				.held = is_held(&a.stat),
			};
		if (failed)
			error_keep(&err, failed);
	}
	return err;
}

static may_suspend struct error *zk_list(struct kv *kv, struct str directory, struct arena *arena,
					 struct kv_list *ret)
{
	struct zk_session *s = &zookeeper_of(kv)->main;
	_cleanup_(mem_freep) char *path = path_of(str_first(directory, directory.n - 1));
	_cleanup_(zk_answer_fini) struct zk_answer a = { 0 };
	struct kv_list list = { 0 };

	TRY(zk_ask(s, &(struct zk_request){ .kind = ZK_CHILDREN, .path = path }, &a));
	list.revision = revision_of(&a);
	list.v = arena_new_array(arena, struct kv_entry, a.names.n + 1);
	for (size_t i = 0; i < a.names.n; i += AT_ONCE)
		TRY(get_some(s, directory, (char **)&a.names.v[i], MIN(a.names.n - i, AT_ONCE),
			     arena, &list));
	*ret = list;
	return NULL;
}

/* Asks to be told of changes of the node and of what is below it; *ret_revision: as it is now. */
static may_suspend struct error *watch(struct zk_session *s, const char *path,
				       uint64_t *ret_revision)
{
	_cleanup_(zk_answer_fini) struct zk_answer node = { 0 }, below = { 0 };

	TRY(zk_ask(s, &(struct zk_request){ .kind = ZK_EXISTS, .path = path, .watch = true },
		   &node));
	*ret_revision = revision_of(&node);
	if (node.code != ZOK)
		return NULL;
	TRY(zk_ask(s, &(struct zk_request){ .kind = ZK_CHILDREN, .path = path, .watch = true },
		   &below));
	*ret_revision = revision_of(&below);
	return NULL;
}

static may_suspend struct error *zk_wait(struct kv *kv, struct str key, uint64_t revision)
{
	struct zk_session *s = &zookeeper_of(kv)->main;
	_cleanup_(mem_freep) char *path = path_of(key);
	uint64_t now, news, epoch;

	for (;;) {
		TRY(zk_session_connect(s));
		news = s->news;
		epoch = s->epoch;
		TRY(watch(s, path, &now));
		if (now != revision)
			return NULL;
		while (s->news == news && s->epoch == epoch)
			TRY(waitq_wait(&s->changed, "ZooKeeper's news"));
		if (s->epoch != epoch)
			return error_new(ERR_CLOSED, "the connection to ZooKeeper was lost");
	}
}

/* The directories of a path, each where it is not there. */
static may_suspend struct error *make_parents(struct zk_session *s, const char *path)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_(mem_freep) char *parent = str_dup(str_of(path, (size_t)(slash - path)));
		_cleanup_(zk_answer_fini) struct zk_answer a = { 0 };

		TRY(zk_ask(s, &(struct zk_request){ .kind = ZK_CREATE, .path = parent }, &a));
	}
	return NULL;
}

static may_suspend struct error *ask_code(struct zk_session *s, const struct zk_request *r,
					  int *ret)
{
	_cleanup_(zk_answer_fini) struct zk_answer a = { 0 };

	TRY(zk_ask(s, r, &a));
	*ret = a.code;
	return NULL;
}

/* Makes the node with its directories. ZNODEEXISTS: it is there. */
static may_suspend struct error *create(struct zk_session *s, const struct zk_request *r, int *ret)
{
	TRY(ask_code(s, r, ret));
	if (*ret != ZNONODE)
		return NULL;
	TRY(make_parents(s, r->path));
	return ask_code(s, r, ret);
}

static may_suspend struct error *create_held(struct zk_session *s, const char *path,
					     struct str value, int *ret)
{
	const struct zk_request r = {
		.kind = ZK_CREATE, .path = path, .value = value, .flags = ZOO_EPHEMERAL
	};

	return create(s, &r, ret);
}

/* Whose an ephemeral node is: a session's id; 0 where it is nobody's, or not there. */
static may_suspend struct error *owner_of(struct zk_session *s, const char *path, int64_t *ret)
{
	_cleanup_(zk_answer_fini) struct zk_answer a = { 0 };

	TRY(zk_ask(s, &(struct zk_request){ .kind = ZK_EXISTS, .path = path }, &a));
	*ret = a.code == ZOK ? a.stat.ephemeralOwner : 0;
	return NULL;
}

static struct error *unsettled(const char *path)
{
	return error_new(ERR_UNAVAILABLE, "ZooKeeper: %s changes hands all the time", path);
}

static may_suspend struct error *remove_path(struct zk_session *s, const char *path,
					     const struct fence *fence)
{
	const struct zk_request r = {
		.kind = ZK_DELETE, .path = path, .version = ZK_ANY_VERSION, .fence = fence
	};
	int code;

	TRY(ask_code(s, &r, &code));
	if (code == ZNOTEMPTY)
		return error_new(ERR_CONFLICT, "ZooKeeper: %s is a directory", path);
	return NULL;
}

static may_suspend struct error *put_plain(struct zk_session *s, const char *path, struct str value,
					   const struct fence *fence)
{
	struct zk_request r = { .path = path, .value = value, .fence = fence };

	for (int i = 0; i < ROUNDS; i++) {
		int code;

		r.kind = ZK_SET;
		TRY(ask_code(s, &r, &code));
		if (code == ZOK)
			return NULL;
		r.kind = ZK_CREATE;
		TRY(create(s, &r, &code));
		if (code == ZOK)
			return NULL;
	}
	return unsettled(path);
}

static void note_held(struct zk_lease *lease, const char *path)
{
	for (size_t i = 0; i < lease->paths.n; i++) {
		if (strcmp(lease->paths.v[i], path) == 0)
			return;
	}
	vec_push(&lease->paths, mem_strdup(path));
}

/* A node of another session is replaced: as a node's own of before its restart. */
static may_suspend struct error *put_held(struct zk_lease *lease, const char *path,
					  struct str value)
{
	struct zk_session *s = &lease->session;
	int64_t owner;
	int code;

	note_held(lease, path);
	for (int i = 0; i < ROUNDS; i++) {
		TRY(create_held(s, path, value, &code));
		if (code == ZOK)
			return NULL;
		TRY(owner_of(s, path, &owner));
		if (owner == zk_session_id(s))
			return put_plain(s, path, value, NULL);
		TRY(remove_path(s, path, NULL));
	}
	return unsettled(path);
}

static may_suspend struct error *zk_put(struct kv *kv, struct str key, struct str value,
					struct kv_lease *lease, const struct fence *fence)
{
	_cleanup_(mem_freep) char *path = path_of(key);

	if (lease)
		return put_held(lease_of(lease), path, value);
	return put_plain(&zookeeper_of(kv)->main, path, value, fence);
}

static may_suspend struct error *zk_remove(struct kv *kv, struct str key, const struct fence *fence)
{
	_cleanup_(mem_freep) char *path = path_of(key);

	return remove_path(&zookeeper_of(kv)->main, path, fence);
}

/* Takes away what nobody holds, unless it was changed or replaced meanwhile. */
static may_suspend struct error *clear_way(struct zk_session *s, const char *path)
{
	_cleanup_(zk_answer_fini) struct zk_answer there = { 0 };
	int code;

	TRY(zk_ask(s, &(struct zk_request){ .kind = ZK_EXISTS, .path = path }, &there));
	if (there.code != ZOK || is_held(&there.stat))
		return NULL;
	return ask_code(s,
			&(struct zk_request){
				.kind = ZK_DELETE, .path = path, .version = there.stat.version },
			&code);
}

static may_suspend struct error *zk_lock(_unused_ struct kv *kv, struct str key, struct str value,
					 struct kv_lease *base, bool *ret)
{
	struct zk_lease *lease = lease_of(base);
	struct zk_session *s = &lease->session;
	_cleanup_(mem_freep) char *path = path_of(key);
	int64_t owner;
	int code;

	TRY(create_held(s, path, value, &code));
	if (code == ZNODEEXISTS) {
		TRY(clear_way(s, path));
		TRY(create_held(s, path, value, &code));
	}
	if (code != ZOK) {
		/* An attempt whose answer was lost may have made it. */
		TRY(owner_of(s, path, &owner));
		if (owner != zk_session_id(s)) {
			*ret = false;
			return NULL;
		}
	}
	note_held(lease, path);
	*ret = true;
	return NULL;
}

static may_suspend void zk_lease_free(struct kv_lease *base)
{
	struct zk_lease *lease = lease_of(base);

	zk_session_stop(&lease->session);
	zk_session_fini(&lease->session);
	for (size_t i = 0; i < lease->paths.n; i++)
		free(lease->paths.v[i]);
	vec_fini(&lease->paths);
	free(lease);
}

static may_suspend struct error *zk_lease_begin(struct kv *kv, int64_t ttl, struct kv_lease **ret)
{
	struct zookeeper *zk = zookeeper_of(kv);
	struct zk_lease *lease = mem_new(struct zk_lease);
	struct error *err;

	zk_session_init(&lease->session, zk->addrs, zk->n_addrs, ttl, true);
	lease->asked = ttl;
	lease->session.until = clock_now() + ttl;
	err = zk_session_connect(&lease->session);
	if (err) {
		zk_lease_free(&lease->base);
		return error_is(err, ERR_NOT_FOUND) ? error_as(ERR_UNAVAILABLE, err) : err;
	}
	lease->base.ttl = zk_session_ttl(&lease->session);
	*ret = &lease->base;
	return NULL;
}

/* Whatever the server hears of a session renews it. */
static may_suspend struct error *zk_lease_renew(struct kv_lease *base)
{
	struct zk_lease *lease = lease_of(base);
	int64_t until = clock_now() + lease->asked;
	int64_t owner;

	TRY(owner_of(&lease->session, "/", &owner));
	lease->session.until = until;
	return NULL;
}

/* The end of a session takes its nodes along, but when is the server's affair: now is better. */
static may_suspend struct error *zk_lease_revoke(struct kv_lease *base)
{
	struct zk_lease *lease = lease_of(base);
	struct zk_session *s = &lease->session;

	for (size_t i = 0; i < lease->paths.n; i++) {
		int64_t owner;

		TRY(owner_of(s, lease->paths.v[i], &owner));
		if (owner == zk_session_id(s))
			TRY(remove_path(s, lease->paths.v[i], NULL));
	}
	return NULL;
}

const struct kv_backend kv_zookeeper = {
	.scheme = "zk",
	.port = 2181,
	.open = zk_open,
	.stop = zk_stop,
	.close = zk_close,
	.get = zk_get,
	.list = zk_list,
	.wait = zk_wait,
	.put = zk_put,
	.remove = zk_remove,
	.lock = zk_lock,
	.lease_begin = zk_lease_begin,
	.lease_renew = zk_lease_renew,
	.lease_revoke = zk_lease_revoke,
	.lease_free = zk_lease_free,
};
