/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of guards: written by one fiber, those first that a client waits for, read once when
 * this manager begins to act. A store that fails is tried again; what is guarded goes on meanwhile.
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"

#define RETRY_PAUSE (5 * SECOND)
#define FLUSH_TIME  (5 * SECOND)
#define WRITE_TIME  (10 * SECOND) /* a client waits that long */

/* A record that is to go. */
struct forgotten {
	struct list link;
	char key[GUARD_KEY_SIZE];
	bool awaited; /* nobody has tried to remove it */
};

static bool has_store(const struct cluster *c)
{
	return c->config.records != NULL;
}

void guard_dirty(struct cluster *c, struct guard *g)
{
	if (!has_store(c) || g->dropped || list_linked(&g->at_dirty))
		return;
	list_append(&c->guards.dirty, &g->at_dirty);
	waitq_wake_all(&c->guards.changed);
}

void guard_dirty_first(struct cluster *c, struct guard *g)
{
	guard_dirty(c, g);
	if (!list_linked(&g->at_dirty) || g->first)
		return;
	g->first = true;
	list_remove(&g->at_dirty);
	list_append(&c->guards.dirty_first, &g->at_dirty);
}

/* Also while a put of it is under way: the removal comes behind. */
void guard_forget_record(struct cluster *c, const struct guard *g)
{
	struct forgotten *r;

	if (!has_store(c) || (!g->saved && !g->saving))
		return;
	r = mem_new(struct forgotten);
	memcpy(r->key, g->key, sizeof(r->key));
	r->awaited = true;
	c->guards.n_awaited++;
	list_append(&c->guards.removals, &r->link);
	waitq_wake_all(&c->guards.changed);
}

void guards_end_wait(struct cluster *c, bool *awaited)
{
	c->guards.n_awaited -= *awaited;
	*awaited = false;
	waitq_wake_all(&c->guards.saved);
}

/* Clients wait for nothing while it does. */
static void set_store_fails(struct cluster *c, bool fails)
{
	c->guards.store_fails = fails;
	waitq_wake_all(&c->guards.saved);
}

static struct error *check_store(const struct cluster *c)
{
	return c->guards.store_fails ? error_new(ERR_UNAVAILABLE, "records cannot be written")
				     : NULL;
}

/* What came of writing to it. */
static void note_store(struct cluster *c, const struct error *err)
{
	/* Whoever leads now will write it. */
	if (err && (error_is(err, ERR_CANCELLED) || !guards_may_act(c)))
		return;
	if (!err != c->guards.store_fails)
		return;
	if (err)
		log_error("records of rescheduling cannot be written", LOG_ERR(err));
	else
		log_info("records of rescheduling can be written again");
	set_store_fails(c, err != NULL);
}

/* What its record's text is to be, and the hash of that. */
static uint64_t write_record(const struct guard *g, struct strbuf *text)
{
	guard_write(g, text);
	return str_hash(strbuf_str(text));
}

static bool is_saved(const struct guard *g)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	return !g->saving && write_record(g, &text) == g->saved;
}

static may_suspend struct error *put(struct cluster *c, struct guard *g)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	const struct record_store *store = c->config.records;
	struct error *err;
	uint64_t hash = write_record(g, &text);

	if (hash == g->saved)
		return NULL;
	if (text.n > LIMIT_RECORD)
		return error_new(ERR_TOO_LARGE, "the record of %s has %zu bytes, over %zu", g->name,
				 text.n, LIMIT_RECORD);
	TRY(guards_check_acting(c));
	g->saving = true;
	err = store->put(store->arg, str_from(g->key), strbuf_str(&text));
	g->saving = false;
	if (!err)
		g->saved = hash;
	note_store(c, err);
	return err;
}

/* One too large stays as it is: no other attempt would end differently. */
static may_suspend struct error *put_one(struct cluster *c, struct list *of)
{
	_cleanup_(guard_unrefp) struct guard *g =
		guard_ref(list_item(list_pop(of), struct guard, at_dirty));
	struct error *err;

	g->first = false;
	err = put(c, g);
	g->tries++;
	guards_end_wait(c, &g->awaited);
	if (error_is(err, ERR_TOO_LARGE)) {
		log_error("a container is not remembered over a restart", LOG_CSTR("name", g->name),
			  LOG_ERR(err));
		error_free(err);
		return NULL;
	}
	if (err)
		guard_dirty(c, g);
	return err;
}

static may_suspend struct error *remove_first(struct cluster *c)
{
	const struct record_store *store = c->config.records;
	struct forgotten *r = list_item(list_pop(&c->guards.removals), struct forgotten, link);
	struct error *err = guards_check_acting(c);

	if (!err) {
		err = store->remove(store->arg, str_from(r->key));
		note_store(c, err);
	}
	guards_end_wait(c, &r->awaited);
	if (err)
		list_prepend(&c->guards.removals, &r->link);
	else
		free(r);
	return err;
}

static bool all_is_saved(const struct guards *gs)
{
	return list_empty(&gs->removals) && list_empty(&gs->dirty_first) && list_empty(&gs->dirty);
}

static may_suspend struct error *save_some(struct cluster *c)
{
	struct guards *gs = &c->guards;

	/* Clients may wait for both: in turn. */
	gs->removes = !list_empty(&gs->removals) && (!gs->removes || list_empty(&gs->dirty_first));
	if (gs->removes)
		return remove_first(c);
	if (!list_empty(&gs->dirty_first))
		return put_one(c, &gs->dirty_first);
	if (!list_empty(&gs->dirty))
		return put_one(c, &gs->dirty);
	return waitq_wait(&gs->changed, "records to change");
}

/* Who is not primary writes nothing, and will read before it does. */
static may_suspend struct error *await_acting(struct cluster *c)
{
	while (!guards_are_loaded(c))
		TRY(waitq_wait(&c->guards.loaded, "records to be read"));
	return NULL;
}

may_suspend void guards_save_main(void *arg)
{
	struct cluster *c = arg;
	struct error *err = NULL;

	while (!error_is(err, ERR_CANCELLED)) {
		if (err) {
			error_free(err);
			err = fiber_sleep(RETRY_PAUSE);
		}
		if (!err)
			err = await_acting(c);
		if (!err)
			err = save_some(c);
	}
	error_free(err);
}

/* One that begins now: what is under way may tell how it was before. */
static unsigned int next_try(const struct guard *g)
{
	return g->tries + (g->saving ? 2 : 1);
}

static bool awaits_try(const struct guard *g, unsigned int wanted)
{
	return !g->dropped && (int)(wanted - g->tries) > 0;
}

may_suspend struct error *guard_await_saved(struct cluster *c, struct guard *g)
{
	unsigned int wanted = next_try(g);

	if (!has_store(c))
		return NULL;
	guard_dirty(c, g);
	while (awaits_try(g, wanted))
		TRY(waitq_wait(&c->guards.saved, "a record to be written"));
	return NULL;
}

/* A store that has not answered in time fails, until it does answer. */
static may_suspend struct error *wait_for_store(struct cluster *c, const struct deadline *d)
{
	struct error *err;

	TRY(check_store(c));
	err = waitq_wait(&c->guards.saved, "a record to be written");
	if (error_is(err, ERR_TIMEOUT) && deadline_passed(d))
		set_store_fails(c, true);
	return err;
}

static may_suspend struct error *await_remembered(struct cluster *c, struct guard *g)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(WRITE_TIME);
	unsigned int wanted = next_try(g);

	if (is_saved(g))
		return NULL;
	guard_dirty_first(c, g);
	while (awaits_try(g, wanted) && guards_may_act(c))
		TRY(wait_for_store(c, &d));
	TRY(guards_check_acting(c));
	return check_store(c);
}

may_suspend void guard_await_remembered(struct cluster *c, struct guard *g)
{
	_cleanup_(guard_unrefp) struct guard *ref = guard_ref(g);
	struct error *err;

	if (!has_store(c) || !c->guards.began)
		return;
	err = await_remembered(c, g);
	if (err && !error_is(err, ERR_CANCELLED))
		log_error("what a client did with a container is not remembered over a restart yet",
			  LOG_CSTR("name", g->name), LOG_ERR(err));
	error_free(err);
}

static may_suspend struct error *await_buried(struct cluster *c)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(WRITE_TIME);
	struct guards *gs = &c->guards;

	if (!gs->n_awaited)
		return NULL;
	while (gs->n_awaited && gs->began && guards_may_act(c))
		TRY(wait_for_store(c, &d));
	TRY(guards_check_acting(c));
	return check_store(c);
}

may_suspend void guards_await_buried(struct cluster *c)
{
	struct error *err = await_buried(c);

	if (err && !error_is(err, ERR_CANCELLED))
		log_error("a container was removed, and that is not remembered over a restart yet",
			  LOG_ERR(err));
	error_free(err);
}

/* What this manager wrote when it led before may have been written over since. */
static void doubt_records(struct cluster *c, const struct map *table)
{
	struct guard *first;

	for (size_t i = 0; (first = map_next(table, &i));) {
		first->saved = 0;
		guard_dirty(c, first);
		list_for_each(link, &first->same_name) {
			struct guard *g = list_item(link, struct guard, same_name);

			g->saved = 0;
			guard_dirty(c, g);
		}
	}
}

/* Lost, and without a record: who led before has moved it, or was told to let it go. */
static void drop_unrecorded(struct cluster *c)
{
	list_for_each(link, &c->guards.todo) {
		struct guard *g = list_item(link, struct guard, at_todo);

		if (g->state == GUARD_LOST && !g->saved)
			guard_drop(c, g);
	}
}

static bool is_another_pools(const struct cluster *c, const struct guard *record)
{
	if (!c->config.records->shared)
		return false;
	return record->removed_at ? !grave_is_of_pool(c, record)
				  : !map_get(&c->by_addr, str_from(record->node_addr));
}

static void take_record(struct cluster *c, struct guard *g, const struct record *r)
{
	if (is_another_pools(c, g))
		guard_unref(g);
	else if (g->removed_at)
		guards_take_grave(c, g, r->key, r->text);
	else
		guards_take_record(c, g, r->key, r->text);
}

static void take_records(struct cluster *c, const struct records *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct record *r = &all->v[i];
		struct guard *g;
		struct error *err = guard_read(r->text, &g);

		if (!err) {
			take_record(c, g, r);
			continue;
		}
		log_error("a record of rescheduling cannot be read and is left out",
			  LOG_STR("record", r->key), LOG_ERR(err));
		error_free(err);
	}
}

may_suspend struct error *guards_load(struct cluster *c)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct record_store *store = c->config.records;
	struct records all = { NULL, 0 };
	struct error *err;

	if (has_store(c)) {
		err = store->list(store->arg, &arena, &all);
		if (!error_is(err, ERR_CANCELLED))
			set_store_fails(c, err != NULL);
		TRY(err);
		doubt_records(c, &c->guards.by_name);
		doubt_records(c, &c->guards.graves);
		take_records(c, &all);
		if (c->config.fence)
			drop_unrecorded(c);
		if (all.n)
			log_info("records of rescheduling were read",
				 LOG_NUM("records", (int64_t)all.n));
	}
	c->guards.is_loaded = true;
	waitq_wake_all(&c->guards.loaded);
	return NULL;
}

may_suspend void guards_flush(struct cluster *c)
{
	struct guards *gs = &c->guards;
	struct error *err = NULL;

	if (has_store(c) && guards_are_loaded(c) && guards_may_act(c)) {
		_cleanup_(deadline_end) struct deadline d = deadline_begin(FLUSH_TIME);

		while (!err && !deadline_passed(&d) && !all_is_saved(gs))
			err = save_some(c);
	}
	if (err)
		log_error("records of rescheduling could not be written at the end", LOG_ERR(err));
	error_free(err);
	for (struct list *link; (link = list_pop(&gs->removals));)
		free(list_item(link, struct forgotten, link));
}
