/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of containers that were made again, on nodes that are back: stopped, then removed without
 * their volumes; also where the container was removed since. What only looks like a copy, since it
 * runs an image that was committed from one and has its labels from there, stays.
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/call.h"
#include "cluster/internal.h"
#include "docker/specification.h"
#include "engine/client.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"

#define STOP_TIME   (5 * MINUTE)
#define RETRY_PAUSE (5 * SECOND)
#define NAME_TIME   (30 * SECOND) /* then its engine may say that the name is taken */

struct removal {
	struct cluster *c;
	struct engine *engine;	/* a reference */
	struct container *copy; /* a reference */
};

struct str removal_key(const void *item)
{
	return ((const struct removal *)item)->copy->id;
}

/*
 * A later copy is on a node that is well, or was removed: until then this one may be all that there
 * is.
 */
static bool is_superseded(const struct cluster *c, const struct container *ct)
{
	const struct container *latest = index_copy(&c->containers, ct->swarm_id, ct->name, ct);

	if (!ct->stale || engine_state(ct->engine) != ENGINE_HEALTHY)
		return false;
	return guards_is_remnant(c, ct) ||
	       (latest && engine_state(latest->engine) == ENGINE_HEALTHY);
}

bool copies_are_in_the_way(const struct cluster *c, const struct guard *g)
{
	for (size_t i = 0; i < c->containers.stale.n; i++) {
		const struct container *ct = c->containers.stale.v[i];

		if (str_eq(ct->name, str_from(g->name)) &&
		    str_eq(ct->swarm_id, str_from(g->swarm_id)) && is_superseded(c, ct))
			return true;
	}
	return false;
}

/* The name is on its way to be free. */
static bool holds_name(const struct cluster *c, struct str name)
{
	for (size_t i = 0; i < c->containers.stale.n; i++) {
		const struct container *ct = c->containers.stale.v[i];

		if (str_eq(ct->name, name) && engine_state(ct->engine) == ENGINE_HEALTHY &&
		    guards_is_remnant(c, ct))
			return true;
	}
	return false;
}

may_suspend struct error *copies_await_name(struct cluster *c, struct str name)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(NAME_TIME);
	struct error *err = NULL;

	while (!err && guards_may_act(c) && holds_name(c, name))
		err = waitq_wait(&c->guards.changed, "a name to be free");
	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return NULL;
}

static struct error *check(const struct removal *r)
{
	const struct container *now = index_by_id(&r->c->containers, r->copy->id);

	TRY(guards_check_acting(r->c));
	if (now && now->engine == r->engine && is_superseded(r->c, now))
		return NULL;
	return error_new(ERR_NOT_FOUND, "it is no copy any more");
}

/* Its image says the same of itself. */
static may_suspend struct error *is_of_committed_image(const struct removal *r, bool *ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json image;
	struct error *err;

	*ret = false;
	err = engine_call_inspect_image(r->engine, r->copy->image_id, &arena, &image);
	if (error_is(err, ERR_NOT_FOUND)) {
		error_free(err);
		return NULL;
	}
	TRY(err);
	*ret = json_str_eq(json_get(json_path(image, "Config.Labels"), LABEL_SWARM_ID),
			   r->copy->swarm_id);
	return NULL;
}

static void leave_alone(const struct removal *r)
{
	struct container *now = index_by_id(&r->c->containers, r->copy->id);

	log_warn("a container has the labels of another one from its image: it stays",
		 LOG_STR("name", r->copy->name), LOG_STR("node", engine_name(r->engine)),
		 LOG_STR("container", r->copy->id));
	if (now)
		index_set_stranger(&r->c->containers, now);
}

/* Gone, or going, is what was wanted. */
static struct error *unless_gone(struct error *err)
{
	if (!error_is(err, ERR_NOT_FOUND) && !error_is(err, ERR_CONFLICT))
		return err;
	error_free(err);
	return NULL;
}

static may_suspend struct error *stop(const struct removal *r)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(STOP_TIME);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str path = arena_printf(&arena, "/containers/%.*s/stop", STR_ARG(r->copy->id));
	struct str nothing;

	log_info("stopping what a node has of a container that was rescheduled",
		 LOG_STR("name", r->copy->name), LOG_STR("node", engine_name(r->engine)),
		 LOG_STR("container", r->copy->id), LOG_NUM("generation", r->copy->generation));
	return unless_gone(
		call_engine(r->engine, API_VERSION_NEWEST, "POST", path, &arena, &nothing));
}

static may_suspend struct error *remove_copy(const struct removal *r)
{
	bool committed;

	TRY(check(r));
	TRY(is_of_committed_image(r, &committed));
	TRY(check(r));
	if (committed) {
		leave_alone(r);
		return NULL;
	}
	TRY(stop(r));
	TRY(check(r));
	TRY(unless_gone(engine_call_remove(r->engine, r->copy->id, true, false)));
	engine_forget_container(r->engine, r->copy->id);
	log_info("removed what a node had of a container that was rescheduled",
		 LOG_STR("name", r->copy->name), LOG_STR("node", engine_name(r->engine)),
		 LOG_STR("container", r->copy->id), LOG_NUM("generation", r->copy->generation));
	return NULL;
}

static may_suspend void removal_main(void *arg)
{
	struct removal *r = arg;
	struct cluster *c = r->c;
	_cleanup_(error_freep) struct error *err = fence_enter(c->config.fence);

	if (!err)
		err = remove_copy(r);

	if (err && !error_is(err, ERR_CANCELLED) && !error_is(err, ERR_NOT_FOUND)) {
		log_warn("what a node has of a container that was rescheduled cannot be removed "
			 "yet; it is tried again",
			 LOG_STR("name", r->copy->name), LOG_STR("node", engine_name(r->engine)),
			 LOG_ERR(err));
		c->guards.remove_at = clock_now() + RETRY_PAUSE;
	}
	map_del(&c->guards.removing, r->copy->id);
	guards_wake(c);
	container_unref(r->copy);
	engine_unref(r->engine);
	free(r);
}

void copies_begin(struct cluster *c)
{
	struct guards *gs = &c->guards;

	for (size_t i = 0; clock_now() >= gs->remove_at && i < c->containers.stale.n; i++) {
		struct container *ct = c->containers.stale.v[i];
		struct removal *r;

		if (!is_superseded(c, ct) || map_get(&gs->removing, ct->id))
			continue;
		r = mem_new(struct removal);
		r->c = c;
		r->engine = engine_ref(ct->engine);
		r->copy = container_ref(ct);
		map_put(&gs->removing, r);
		group_go(&gs->moves, "copy-rm", removal_main, r);
	}
}
