/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table and the store together. A change of either is made by one fiber at a time (the lock),
 * on the disk first; between the two the table changes for nobody. Readers need no lock.
 */
#include "registry/registry.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/vec.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "registry/request.h"
#include "registry/store.h"
#include "registry/table.h"

struct registry {
	struct store *store;
	struct table table;
	bool locked;
	struct waitq unlocked, sooner; /* sooner: an entry ends before what was the first */
	struct group fibers;
};

static may_suspend struct error *lock(struct registry *r)
{
	while (r->locked)
		TRY(waitq_wait(&r->unlocked, "the token service's lock"));
	r->locked = true;
	return NULL;
}

static void unlockp(struct registry **slot)
{
	struct registry *r = *slot;

	r->locked = false;
	waitq_wake_one(&r->unlocked);
}

#define LOCKED(r)     \
	TRY(lock(r)); \
	_cleanup_(unlockp) _unused_ struct registry *_locked = (r)

static struct error *find(const struct registry *r, struct str id, struct registry_cluster **ret)
{
	*ret = table_find(&r->table, id);
	if (!*ret)
		return error_new(ERR_NOT_FOUND, "there is no cluster with this id");
	(*ret)->used = clock_now();
	return NULL;
}

/*
 * Removes one entry that is due, so that others come in between where many are. A store that fails
 * keeps it, and it ends again after the next start.
 */
static may_suspend struct error *expire_one(struct registry *r, bool *ret_more)
{
	struct cluster_entry *e;
	struct error *err;

	LOCKED(r);
	e = table_first_due(&r->table);
	*ret_more = e && e->due.key <= clock_now();
	if (!*ret_more)
		return NULL;
	err = store_remove_node(r->store, str_from(e->cluster->id), str_from(e->node));
	if (err)
		log_error("an entry that ended could not be removed", LOG_ERR(err));
	error_free(err);
	table_leave(&r->table, e);
	return NULL;
}

static may_suspend struct error *expire(struct registry *r)
{
	bool more = true;

	while (more)
		TRY(expire_one(r, &more));
	return NULL;
}

static may_suspend struct error *wait_for_due(struct registry *r)
{
	const struct cluster_entry *e = table_first_due(&r->table);
	_cleanup_(deadline_end) struct deadline due =
		deadline_begin(e ? e->due.key - clock_now() : 24 * HOUR);
	struct error *err = waitq_wait(&r->sooner, "entries that end");

	if (error_is(err, ERR_TIMEOUT) && deadline_passed(&due)) {
		error_free(err);
		return NULL;
	}
	return err;
}

static may_suspend void expire_for_ever(void *arg)
{
	struct error *err = NULL;

	while (!error_is(err, ERR_CANCELLED)) {
		error_free(err);
		err = wait_for_due(arg);
		if (!err)
			err = expire(arg);
	}
	error_free(err);
}

static void load_row(struct registry *r, const struct store_row *row)
{
	struct str id = str_from(row->id);
	struct registry_cluster *c = table_find(&r->table, id);

	if (!row->node && !c)
		table_add(&r->table, id, STR_NONE, clock_now())->own = row->own;
	else if (row->node && c)
		table_enter(&r->table, c, str_from(row->node), STR_NONE, row->ttl, clock_now());
}

may_suspend struct error *registry_open(const char *dir, struct registry **ret)
{
	_cleanup_(store_rows_fini) struct store_rows rows = { NULL, 0, 0 };
	struct store *store;
	struct registry *r;
	struct error *err;

	TRY(store_open(dir, &store));
	err = store_load(store, &rows);
	if (err) {
		store_close(store);
		return err;
	}
	r = mem_new(struct registry);
	r->store = store;
	table_init(&r->table);
	for (size_t i = 0; i < rows.n; i++)
		load_row(r, &rows.v[i]);
	group_go(&r->fibers, "token-expiry", expire_for_ever, r);
	*ret = r;
	return NULL;
}

may_suspend void registry_close(struct registry *r)
{
	if (!r)
		return;
	group_finish(&r->fibers);
	store_close(r->store);
	table_fini(&r->table);
	waitq_fini(&r->unlocked);
	waitq_fini(&r->sooner);
	free(r);
}

static may_suspend struct error *forget(struct registry *r, struct registry_cluster *c)
{
	TRY(store_remove_cluster(r->store, str_from(c->id)));
	table_remove(&r->table, c);
	return NULL;
}

static may_suspend struct error *make(struct registry *r, struct str client, bool own,
				      struct strbuf *ret_id)
{
	_cleanup_(strbuf_fini) struct strbuf id = STRBUF_INIT;

	rand_hex(&id, REGISTRY_ID_DIGITS);
	TRY(store_put_cluster(r->store, strbuf_str(&id), own));
	table_add(&r->table, strbuf_str(&id), client, clock_now())->own = own;
	strbuf_add(ret_id, strbuf_str(&id));
	return NULL;
}

may_suspend struct error *registry_create(struct registry *r, struct str client,
					  struct strbuf *ret_id)
{
	struct registry_cluster *room;

	LOCKED(r);
	TRY(table_check_add(&r->table, client, clock_now(), &room));
	if (room)
		TRY(forget(r, room));
	return make(r, client, false, ret_id);
}

static may_suspend struct error *leave(struct registry *r, struct registry_cluster *c,
				       struct str node)
{
	struct cluster_entry *e = table_entry(c, node);

	if (!e)
		return NULL;
	TRY(store_remove_node(r->store, str_from(c->id), node));
	table_leave(&r->table, e);
	return NULL;
}

/* Under the lock: neither the cluster nor the entry goes while the disk is waited for. */
static may_suspend struct error *enter(struct registry *r, struct registry_cluster *c,
				       struct str node, int64_t ttl, struct str client)
{
	const struct cluster_entry *e = table_entry(c, node);

	if (!e)
		TRY(table_check_enter(&r->table, c, client));
	if (!e || e->ttl != ttl)
		TRY(store_put_node(r->store, str_from(c->id), node, ttl));
	table_enter(&r->table, c, node, client, ttl, clock_now());
	waitq_wake_all(&r->sooner);
	return NULL;
}

may_suspend struct error *registry_enter(struct registry *r, struct str id, const struct addr *node,
					 int64_t ttl, struct str client)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	struct registry_cluster *c;

	addr_format(node, &name);
	LOCKED(r);
	TRY(find(r, id, &c));
	if (ttl == 0)
		return leave(r, c, strbuf_str(&name));
	return enter(r, c, strbuf_str(&name), ttl, client);
}

may_suspend struct error *registry_end(struct registry *r, struct str id)
{
	struct registry_cluster *c;

	LOCKED(r);
	TRY(find(r, id, &c));
	if (c->own)
		return error_new(ERR_CONFLICT,
				 "this is the manager's own cluster: it ends with its state "
				 "directory");
	return forget(r, c);
}

static int compare_nodes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct error *registry_list(struct registry *r, struct str id, struct arena *arena, struct vec *ret,
			    uint64_t *ret_version)
{
	struct registry_cluster *c;
	struct cluster_entry *e;

	TRY(find(r, id, &c));
	for (size_t i = 0; (e = map_next(&c->entries, &i));) {
		struct str *node;

		if (e->due.key <= clock_now())
			continue;
		node = arena_new(arena, struct str);
		*node = arena_dup(arena, str_from(e->node));
		vec_push(ret, node);
	}
	vec_sort(ret, compare_nodes);
	*ret_version = c->version;
	return NULL;
}

may_suspend struct error *registry_wait(struct registry *r, struct str id, uint64_t version)
{
	struct registry_cluster *c;

	for (;;) {
		TRY(find(r, id, &c));
		if (c->version != version)
			return NULL;
		TRY(waitq_wait(&c->changed, "a change of the cluster"));
	}
}

static struct registry_cluster *the_own(const struct registry *r)
{
	struct registry_cluster *c, *only = NULL;

	for (size_t i = 0; (c = map_next(&r->table.clusters, &i));) {
		if (c->own)
			return c;
		only = c;
	}
	return r->table.clusters.n == 1 ? only : NULL;
}

may_suspend struct error *registry_own(struct registry *r, struct strbuf *ret_id)
{
	struct registry_cluster *c;

	LOCKED(r);
	c = the_own(r);
	if (!c)
		return make(r, STR_NONE, true, ret_id);
	if (!c->own)
		TRY(store_put_cluster(r->store, str_from(c->id), true));
	c->own = true;
	strbuf_add(ret_id, str_from(c->id));
	return NULL;
}
