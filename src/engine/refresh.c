/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When what is out of date is fetched anew: one container, image, volume or network (fetch.c), all
 * images or everything (reconcile.c). Each of them is a `struct dirty` while it is marked or being fetched,
 * and is never fetched twice at once; who marks it meanwhile, or asks for it, gets a fetch that
 * began later.
 *
 * Marks are worked off by up to FETCHES fibers, which end when there is nothing left; who asks
 * fetches on its own fiber. A mark waits for SETTLE first, since events of one container come in
 * groups (create, connect, start), and the last of them often takes it away again.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/internal.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

#define FETCHES	    4
#define SETTLE	    (50 * MILLISECOND)
#define RETRY_PAUSE (5 * SECOND)

enum dirty_kind {
	DIRTY_CONTAINER = 'c',
	DIRTY_IMAGE = 'i',
	DIRTY_VOLUME = 'v',
	DIRTY_NETWORK = 'n',
	DIRTY_IMAGES = 'I', /* all of them */
	DIRTY_EVERYTHING = 'a',
};

static const enum dirty_kind dirty_objects[OBJECT_KINDS] = {
	[OBJECT_VOLUME] = DIRTY_VOLUME,
	[OBJECT_NETWORK] = DIRTY_NETWORK,
};

struct dirty {
	struct list link;      /* in the engine's queue while it is marked */
	int64_t due;	       /* when a mark is to be worked off */
	uint64_t began, ended; /* fetches: how many began, the last that ended well */
	unsigned int users;    /* fibers that hold it across a park */
	bool fetching;
	bool again; /* was marked during the fetch: what that brings may be old already */
	size_t n;
	char key[]; /* the kind, then the id or name */
};

static struct str dirty_key(const void *item)
{
	const struct dirty *d = item;

	return str_of(d->key, d->n);
}

static struct str dirty_id(const struct dirty *d)
{
	return str_of(d->key + 1, d->n - 1);
}

void refresh_init(struct engine *e)
{
	map_init(&e->dirty, dirty_key);
	list_init(&e->queue);
	list_init(&e->reconciles);
}

/* Goes when nobody has a use for it any more. */
static void dirty_release(struct engine *e, struct dirty *d)
{
	if (d->users || d->fetching || list_linked(&d->link))
		return;
	map_del(&e->dirty, dirty_key(d));
	free(d);
}

static struct dirty *dirty_get(struct engine *e, enum dirty_kind kind, struct str id)
{
	_cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
	struct dirty *d;

	strbuf_addc(&key, (char)kind);
	strbuf_add(&key, id);
	d = map_get(&e->dirty, strbuf_str(&key));
	if (d)
		return d;
	d = mem_zalloc(sizeof(*d) + key.n);
	d->n = key.n;
	memcpy(d->key, key.p, key.n);
	map_put(&e->dirty, d);
	return d;
}

static struct dirty *first_marked(struct engine *e)
{
	return list_empty(&e->queue) ? NULL : list_item(e->queue.next, struct dirty, link);
}

/* Nearly always the last one: all but repetitions are due after the same span. */
static void enqueue(struct engine *e, struct dirty *d, int64_t due)
{
	struct list *behind = e->queue.prev;

	if (list_linked(&d->link))
		return;
	while (behind != &e->queue && list_item(behind, struct dirty, link)->due > due)
		behind = behind->prev;
	d->due = due;
	list_insert_before(behind->next, &d->link);
}

static void mark_dirty(struct engine *e, struct dirty *d)
{
	if (d->fetching)
		d->again = true;
	else
		enqueue(e, d, clock_now() + SETTLE);
	refresh_kick(e);
}

/* Beyond that many all is looked at anew. */
static bool has_too_many(const struct engine *e, struct str id)
{
	return id.n > LIMIT_ENGINE_NAME || e->dirty.n >= e->config.news;
}

static void mark(struct engine *e, enum dirty_kind kind, struct str id)
{
	if (str_empty(id))
		return;
	refresh_touch(e, id);
	mark_dirty(e, has_too_many(e, id) ? dirty_get(e, DIRTY_EVERYTHING, STR(""))
					  : dirty_get(e, kind, id));
}

void refresh_mark_container(struct engine *e, struct str id)
{
	mark(e, DIRTY_CONTAINER, id);
}

void refresh_mark_image(struct engine *e, struct str name)
{
	mark(e, DIRTY_IMAGE, name);
}

void refresh_mark_images(struct engine *e)
{
	mark_dirty(e, dirty_get(e, DIRTY_IMAGES, STR("")));
}

void refresh_mark_object(struct engine *e, enum object_kind kind, struct str key)
{
	mark(e, dirty_objects[kind], key);
}

static void unmark(struct engine *e, enum dirty_kind kind, struct str id)
{
	struct dirty *d = dirty_get(e, kind, id);

	refresh_touch(e, id);
	/* What a fetch under way brings is from before. */
	d->again = true;
	list_remove(&d->link);
	dirty_release(e, d);
}

void refresh_forget_container(struct engine *e, struct str id)
{
	unmark(e, DIRTY_CONTAINER, id);
}

void refresh_forget_object(struct engine *e, enum object_kind kind, struct str key)
{
	unmark(e, dirty_objects[kind], key);
}

static may_suspend struct error *fetch_kind(struct engine *e, struct dirty *d)
{
	switch ((enum dirty_kind)d->key[0]) {
	case DIRTY_CONTAINER:
		return fetch_container(e, dirty_id(d), &d->again);
	case DIRTY_IMAGE:
		return fetch_image(e, dirty_id(d), &d->again);
	case DIRTY_VOLUME:
		return fetch_object(e, OBJECT_VOLUME, dirty_id(d), &d->again);
	case DIRTY_NETWORK:
		return fetch_object(e, OBJECT_NETWORK, dirty_id(d), &d->again);
	case DIRTY_IMAGES:
		return reconcile_images_alone(e);
	case DIRTY_EVERYTHING:
		return reconcile(e);
	}
	abort();
}

static bool is_single(const struct dirty *d)
{
	return d->key[0] != DIRTY_EVERYTHING;
}

/*
 * The caller has a use of `d`, and nobody fetches it. A mark that the fetch took with it comes back
 * where it failed for no reason of the object's own.
 */
static may_suspend struct error *fetch(struct engine *e, struct dirty *d)
{
	bool marked = list_linked(&d->link);
	unsigned int epoch = e->epoch;
	uint64_t turn = ++d->began;
	struct error *err;

	assert(!d->fetching);
	list_remove(&d->link);
	d->again = false;
	d->fetching = true;
	e->n_fetches += is_single(d);
	err = fetch_kind(e, d);
	e->n_fetches -= is_single(d);
	d->fetching = false;

	waitq_wake_all(&e->fetched);
	if (e->epoch != epoch)
		return err ?: engine_check_epoch(e, epoch);
	if (d->again)
		enqueue(e, d, clock_now());
	else if (!err)
		d->ended = turn;
	else if (marked && (error_is_transport(err) || error_is(err, ERR_CANCELLED)))
		enqueue(e, d, clock_now() + RETRY_PAUSE);
	return err;
}

/* Until a fetch has ended that began after this call. */
static may_suspend struct error *fetch_from_now(struct engine *e, struct dirty *d)
{
	uint64_t wanted = d->began + 1;
	unsigned int epoch = e->epoch;
	struct error *err = NULL;

	d->users++;
	while (!err && d->ended < wanted) {
		err = engine_check_epoch(e, epoch);
		if (err)
			break;
		if (d->fetching || (is_single(d) && e->n_fetches >= FETCHES))
			err = waitq_wait(&e->fetched, "a refresh");
		else
			err = fetch(e, d);
	}
	d->users--;
	dirty_release(e, d);
	refresh_kick(e);
	return err;
}

static bool may_work(const struct engine *e)
{
	return e->state == ENGINE_HEALTHY && e->failures == 0;
}

/* A failure shows in the log alone: the object stays as it was known, until the next reconcile. */
static may_suspend struct error *work_off(struct engine *e, struct dirty *d)
{
	struct error *err;

	d->users++;
	err = fetch(e, d);
	d->users--;
	if (err && !error_is(err, ERR_CANCELLED)) {
		log_debug("cannot refresh", LOG_STR("node", engine_name(e)),
			  LOG_STR("object", dirty_id(d)), LOG_ERR(err));
		error_free(err);
		err = NULL;
	}
	dirty_release(e, d);
	return err;
}

static may_suspend void worker_main(void *arg)
{
	struct engine *e = arg;
	struct error *err = NULL;
	struct dirty *d;

	while (!err && may_work(e) && (d = first_marked(e))) {
		int64_t wait = d->due - clock_now();

		if (wait > 0) {
			err = fiber_sleep(wait);
		} else if (d->fetching || e->n_fetches >= FETCHES) {
			err = waitq_wait(&e->fetched, "a refresh");
		} else {
			if (d->link.next != &e->queue)
				refresh_kick(e);
			err = work_off(e, d);
		}
	}
	error_free(err);
	e->n_workers--;
}

/* One worker waits for the next mark to be due; more of them come when that many are. */
void refresh_kick(struct engine *e)
{
	struct dirty *d = first_marked(e);

	if (!d || !may_work(e) || e->n_workers >= FETCHES)
		return;
	if (e->n_workers > 0 && d->due > clock_now())
		return;
	e->n_workers++;
	group_go(&e->refreshers, "engine-refresh", worker_main, e);
}

static may_suspend void reconcile_main(void *arg)
{
	struct engine *e = arg;
	_cleanup_(error_freep) struct error *err = engine_reconcile(e);

	if (err && !error_is(err, ERR_CANCELLED))
		log_debug("cannot reconcile", LOG_STR("node", engine_name(e)), LOG_ERR(err));
	/* That is no failure of the connection, which the next ping would make good. */
	if (error_is(err, ERR_PROTOCOL) || error_is(err, ERR_TOO_LARGE))
		health_misbehaves(e, err);
}

void refresh_start_reconcile(struct engine *e)
{
	struct dirty *d = map_get(&e->dirty, STR("a"));

	if (!d || !d->fetching)
		group_go(&e->refreshers, "engine-reconcile", reconcile_main, e);
}

may_suspend void refresh_stop(struct engine *e)
{
	struct list *link;

	group_finish(&e->refreshers);
	while ((link = list_pop(&e->queue)))
		dirty_release(e, list_item(link, struct dirty, link));
}

void refresh_fini(struct engine *e)
{
	assert(e->dirty.n == 0 && e->refreshers.n == 0);
	map_fini(&e->dirty);
	waitq_fini(&e->fetched);
}

may_suspend struct error *refresh_everything(struct engine *e)
{
	return fetch_from_now(e, dirty_get(e, DIRTY_EVERYTHING, STR("")));
}

static struct error *check_in_pool(const struct engine *e)
{
	if (e->state == ENGINE_HEALTHY || e->state == ENGINE_UNHEALTHY)
		return NULL;
	return error_new(ERR_UNAVAILABLE, "node %.*s is %s", STR_ARG(engine_addr(e)),
			 engine_state_name(e->state));
}

may_suspend struct error *engine_refresh_container(struct engine *e, struct str id)
{
	TRY(check_in_pool(e));
	return fetch_from_now(e, dirty_get(e, DIRTY_CONTAINER, id));
}

may_suspend bool engine_read_back_container(struct engine *e, struct str id)
{
	struct error *err = engine_refresh_container(e, id);
	bool is_read = !err;

	if (err)
		log_debug("a container could not be read again", LOG_STR("id", id), LOG_ERR(err));
	error_free(err);
	return is_read;
}

may_suspend struct error *engine_refresh_image(struct engine *e, struct str name)
{
	TRY(check_in_pool(e));
	return fetch_from_now(e, dirty_get(e, DIRTY_IMAGE, name));
}

may_suspend struct error *engine_refresh_images(struct engine *e)
{
	TRY(check_in_pool(e));
	return fetch_from_now(e, dirty_get(e, DIRTY_IMAGES, STR("")));
}

may_suspend struct error *engine_refresh_object(struct engine *e, enum object_kind kind,
						struct str key)
{
	TRY(check_in_pool(e));
	return fetch_from_now(e, dirty_get(e, dirty_objects[kind], key));
}

may_suspend struct error *engine_refresh_volume(struct engine *e, struct str name)
{
	return engine_refresh_object(e, OBJECT_VOLUME, name);
}

may_suspend struct error *engine_refresh_network(struct engine *e, struct str id)
{
	return engine_refresh_object(e, OBJECT_NETWORK, id);
}

may_suspend struct error *engine_reconcile(struct engine *e)
{
	TRY(check_in_pool(e));
	TRY(reconcile_info(e));
	return refresh_everything(e);
}
