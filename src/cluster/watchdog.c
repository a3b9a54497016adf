/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides what is to be done for the guards (guards.h), and when: looks at those that are not kept
 * whenever something has changed, and once a second while there are any. What is done then runs on
 * fibers of its own, a few at a time.
 */
#include "cluster/watchdog.h"

#include "base/duration.h"
#include "base/log.h"
#include "cluster/internal.h"
#include "docker/specification.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"

#define TICK	  (1 * SECOND)
#define MOVES	  8 /* at the same time */
#define LOAD_TIME (10 * SECOND)

void guards_wake(struct cluster *c)
{
	c->guards.woken = true;
	waitq_wake_all(&c->guards.changed);
}

bool guards_may_act(const struct cluster *c)
{
	return !c->stopping && fence_is_open(c->config.fence);
}

struct error *guards_check_acting(const struct cluster *c)
{
	return fence_check(c->config.fence);
}

uint64_t guards_term(const struct cluster *c)
{
	return 1 + (c->config.fence ? c->config.fence->term : 0);
}

/* Unless it was not the primary meanwhile, and what it read then is old. */
bool guards_are_loaded(const struct cluster *c)
{
	return c->guards.is_loaded && c->guards.loaded_term == guards_term(c);
}

may_suspend struct error *guards_await_loaded(struct cluster *c)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(LOAD_TIME);

	while (!guards_are_loaded(c) && c->guards.began && c->config.records && guards_may_act(c)) {
		struct error *err = waitq_wait(&c->guards.loaded, "the records of rescheduling");

		if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d)) {
			TRY(err);
			continue;
		}
		error_free(err);
		return error_new(ERR_UNAVAILABLE,
				 "the records of what is to be rescheduled cannot be read: a name "
				 "may be taken");
	}
	return NULL;
}

static bool depends_on(const struct container_config *config, const struct guard *g)
{
	for (size_t i = 0; i < config->dependencies.n; i++) {
		struct str name = config->dependencies.v[i];

		if (str_eq(name, str_from(g->name)) || str_eq(name, str_from(g->swarm_id)) ||
		    str_eq(name, str_from(g->container)))
			return true;
	}
	return false;
}

/* What it links to, or takes its volumes or network from, goes first. */
static bool waits_for_another(const struct cluster *c, const struct guard *g)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct container_config config;
	struct error *err = container_config_read(strbuf_str(&g->specification), &arena, &config);

	if (err || !config.dependencies.n) {
		error_free(err);
		return false;
	}
	list_for_each(link, &c->guards.todo) {
		const struct guard *other = list_item(link, struct guard, at_todo);

		if (other != g && depends_on(&config, other))
			return true;
	}
	return false;
}

/*
 * Nobody saw the removal, and a record that was not written in time tells of a copy that gave way to
 * a later one: what may be later stays.
 */
static void drop_removed(struct cluster *c, struct guard *g)
{
	log_info("a container was removed while its node was not looked at: it is not rescheduled",
		 LOG_CSTR("name", g->name), LOG_CSTR("node", g->node_name));
	g->astray = g->spent = false;
	guard_bury(c, g, true);
}

static bool is_due(struct cluster *c, struct guard *g)
{
	enum guard_verdict v;

	if (g->moving || clock_now() < g->retry_at)
		return false;
	if (g->state == GUARD_UNFINISHED)
		return !waits_for_another(c, g);
	v = guard_judge(c, g);
	if (v == GUARD_REMOVED)
		drop_removed(c, g);
	return (v == GUARD_FAILED || v == GUARD_ABSENT) && !waits_for_another(c, g);
}

static void begin_moves(struct cluster *c)
{
	struct guards *gs = &c->guards;

	/* A guard may be dropped by being looked at; only it. */
	list_for_each(link, &gs->todo) {
		struct guard *g = list_item(link, struct guard, at_todo);

		if (gs->moves.n >= MOVES)
			break;
		if (is_due(c, g))
			move_begin(c, g);
	}
}

/* Until something has changed, or a second has passed where that may change something. */
static may_suspend struct error *wait_for_news(struct cluster *c, bool ticks)
{
	struct guards *gs = &c->guards;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(ticks ? TICK : HOUR);
	struct error *err = NULL;

	while (!gs->woken && !err)
		err = waitq_wait(&gs->changed, "a node to fail");
	gs->woken = false;
	if (!error_is(err, ERR_TIMEOUT))
		return err;
	error_free(err);
	return NULL;
}

static may_suspend struct error *begin_acting(struct cluster *c)
{
	struct error *err;

	c->guards.is_loaded = false;
	c->guards.loaded_term = guards_term(c);
	err = guards_load(c);
	if (!err || error_is(err, ERR_CANCELLED))
		return err;
	log_error("the records of rescheduling cannot be read", LOG_ERR(err));
	error_free(err);
	return fiber_sleep(5 * SECOND);
}

static may_suspend void watchdog_main(void *arg)
{
	struct cluster *c = arg;
	struct guards *gs = &c->guards;
	struct error *err = NULL;

	while (!err) {
		bool fading = false;

		guards_settle_left(c);
		if (!guards_may_act(c)) {
			/* Another manager does. */
			gs->is_loaded = false;
		} else if (!guards_are_loaded(c)) {
			err = begin_acting(c);
			continue;
		} else {
			fading = guards_fade(c);
			begin_moves(c);
			copies_begin(c);
		}
		err = wait_for_news(c, fading || !gs->is_loaded || !list_empty(&gs->todo) ||
					       c->containers.stale.n);
	}
	error_free(err);
}

void guards_begin(struct cluster *c)
{
	struct guards *gs = &c->guards;

	if (gs->began || c->stopping)
		return;
	gs->began = true;
	gs->began_at = clock_now();
	gs->is_loaded = !c->config.records && !c->config.fence;
	gs->loaded_term = guards_term(c);
	group_go(&gs->fibers, "watchdog", watchdog_main, c);
	if (c->config.records)
		group_go(&gs->fibers, "records", guards_save_main, c);
}

may_suspend void guards_stop(struct cluster *c)
{
	group_finish(&c->guards.fibers); /* it begins the others */
	group_finish(&c->guards.moves);
	guards_flush(c);
}

void cluster_role_changed(struct cluster *c)
{
	/* What decided it has answered: clients wait for it again. */
	c->guards.store_fails = false;
	guards_wake(c);
}

may_suspend struct error *cluster_await_records(struct cluster *c)
{
	struct error *err = guards_await_loaded(c);

	/* The store is away: what needs to know (a create) refuses for itself. */
	if (!error_is(err, ERR_UNAVAILABLE))
		return err;
	error_free(err);
	return NULL;
}

may_suspend void cluster_await_removed(struct cluster *c)
{
	guards_await_buried(c);
}

/* NULL: nothing guards it, or it is not the copy that is followed. */
static struct guard *guard_of(const struct cluster *c, struct str id)
{
	const struct container *ct = index_by_id(&c->containers, id);
	struct guard *g = ct ? guards_find(c, ct->name, ct->swarm_id) : NULL;

	return g && str_eq(str_from(g->container), id) ? g : NULL;
}

may_suspend void cluster_await_remembered(struct cluster *c, struct str id)
{
	struct guard *g = guard_of(c, id);

	if (g)
		guard_await_remembered(c, g);
	else if (!index_by_id(&c->containers, id))
		guards_await_buried(c);
}

void cluster_container_acted(struct cluster *c, struct str id)
{
	const struct container *ct = index_by_id(&c->containers, id);
	struct guard *g = guard_of(c, id);

	if (!g)
		return;
	guard_set_running(g, container_status_is_up(ct->state.status),
			  container_state_since(&ct->state));
	if (!guards_are_loaded(c))
		g->told_in = guards_term(c);
	guard_dirty(c, g);
}

static struct guard *find_abandoned(const struct cluster *c, struct str ref)
{
	struct str name = str_strip_prefix(ref, STR("/"));
	struct container *ct;
	struct error *err = index_find(&c->containers, ref, &ct);
	struct guard *g;

	if (!err) {
		g = guards_find(c, ct->name, ct->swarm_id);
		return g && g->state == GUARD_LOST && str_eq(str_from(g->container), ct->id) ? g
											     : NULL;
	}
	error_free(err);
	return guards_lost_named(c, name);
}

struct error *cluster_abandon(struct cluster *c, struct str ref, bool force, struct error *refusal)
{
	struct guard *g = find_abandoned(c, ref);
	struct error *err;

	if (!g || (g->running && !force))
		return refusal;
	err = error_new(ERR_NODE_DOWN,
			"Container %s running on unhealthy node %s; it is not rescheduled any more",
			g->name, g->node_name);
	log_info("a container is not rescheduled any more: a client removes it",
		 LOG_CSTR("name", g->name), LOG_CSTR("node", g->node_name));
	guard_bury(c, g, false);
	error_free(refusal);
	return err;
}
