/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's own fiber: admits the engine to the pool, then watches whether it is well.
 *
 * It is pinged when nothing was heard from it for QUIET, and at once when its event stream breaks
 * or a call stays unanswered; every PING_PERIOD as long as a ping is unanswered, a failure counted
 * or the stream away. How long a dead engine stays unnoticed at the defaults, at most:
 *   cut off silently: QUIET 20 s + first ping unanswered 10 s + two connections not made,
 *                     5 s each = 40 s, and no less for one that accepts and never answers, since
 *                     the pings that follow do not wait for the first
 *   refusing:         the stream breaks at once + three pings, 5 s apart = 10 s
 * A call that fails counts as the first failure only: a hundred requests that fail together are one
 * outage, and the pings say how long it lasts.
 */
#include <assert.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/rand.h"
#include "engine/internal.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

#define PING_PERIOD   (5 * SECOND)
#define SUSPECT_PAUSE (1 * SECOND) /* between pings of an engine whose stream breaks on and on */
#define QUIET_MIN     (15 * SECOND)
#define QUIET_MAX     (20 * SECOND)
#define VALIDATE_TIME (10 * SECOND)
#define BACKOFF_MIN   (1 * SECOND)
#define BACKOFF_MAX   (30 * SECOND)

void health_wake(struct engine *e)
{
	e->woken = true;
	waitq_wake_all(&e->wake);
}

void health_heard(struct engine *e)
{
	e->heard_at = clock_now();
}

void health_suspect(struct engine *e)
{
	e->suspect = true;
	health_wake(e);
}

static bool is_admitted(const struct engine *e)
{
	return e->state == ENGINE_HEALTHY || e->state == ENGINE_UNHEALTHY;
}

static bool is_well(const struct engine *e)
{
	return e->state == ENGINE_HEALTHY && e->failures == 0;
}

static void count_failure(struct engine *e, const struct error *err)
{
	/* What was open to it is suspect too: the next ping is to connect anew. */
	http_client_close_idle(e->http);
	engine_set_error(e, err);
	if (e->failures < e->config.failure_retry)
		e->failures++;
	if (e->failures == e->config.failure_retry && e->state == ENGINE_HEALTHY)
		engine_set_state(e, ENGINE_UNHEALTHY);
	else
		engine_tell_health(e);
}

void engine_failed(struct engine *e, const struct error *err)
{
	if (!is_admitted(e) || e->failures > 0 || !error_is_transport(err))
		return;
	e->pinged_at = clock_now();
	count_failure(e, err);
	health_wake(e);
}

void health_misbehaves(struct engine *e, const struct error *err)
{
	if (e->state != ENGINE_HEALTHY)
		return;
	engine_set_error(e, err);
	e->failures = e->config.failure_retry;
	engine_set_state(e, ENGINE_UNHEALTHY);
	health_wake(e);
}

static may_suspend void ping_main(void *arg)
{
	struct engine *e = arg;
	int64_t began = clock_now();
	_cleanup_(error_freep) struct error *err = engine_call_ping(e);

	e->n_pings--;
	if (error_is(err, ERR_CANCELLED) || client_is_our_want(err))
		return;
	if (!err) {
		health_heard(e);
		e->answered_at = MAX(e->answered_at, began);
		e->answered = true;
	} else if (began > e->answered_at) {
		/* One that began before the last that was answered tells nothing new. */
		count_failure(e, err);
	}
	health_wake(e);
}

static void ping(struct engine *e)
{
	e->suspect = false;
	e->pinged_at = clock_now();
	e->quiet = rand_between(QUIET_MIN, QUIET_MAX);
	e->n_pings++;
	group_go(&e->pings, "engine-ping", ping_main, e);
}

static int64_t next_ping(const struct engine *e)
{
	if (e->suspect)
		return e->pinged_at + SUSPECT_PAUSE;
	if (!is_well(e) || e->n_pings > 0 || !e->stream)
		return e->pinged_at + PING_PERIOD;
	return e->heard_at + e->quiet;
}

/* Parks until then, or until there is something to act on. */
static may_suspend struct error *wait_until(struct engine *e, int64_t at)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(at - clock_now());
	struct error *err = NULL;

	while (!e->woken && !err)
		err = waitq_wait(&e->wake, "its engine to need something");
	e->woken = false;
	if (!error_is(err, ERR_TIMEOUT))
		return err;
	error_free(err);
	return NULL;
}

static may_suspend struct error *read_about(struct engine *e, struct engine_info **ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str version, info;
	int64_t before;

	TRY(engine_call_version(e, &arena, &version));
	before = clock_wall();
	TRY(engine_call_info(e, &arena, &info));
	return engine_info_read(engine_addr(e), info, version, before, clock_wall(), ret);
}

static may_suspend struct error *validate(struct engine *e, struct engine_info **ret)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(VALIDATE_TIME);
	struct error *err = engine_call_ping(e);

	if (!err)
		e->failures = 0;
	else if (error_is_transport(err) && e->failures < e->config.failure_retry)
		e->failures++;
	if (!err)
		err = read_about(e, ret);
	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return error_new(ERR_TIMEOUT, "%.*s: no answer within %d seconds", STR_ARG(engine_addr(e)),
			 (int)(VALIDATE_TIME / SECOND));
}

/* What is on it is no longer known. */
static may_suspend void leave(struct engine *e)
{
	group_finish(&e->pings);
	monitor_stop(e);
	monitor_forget(e);
	refresh_stop(e);
	engine_drop_all(e);
}

/*
 * The stream is opened before the lists are read, so that nothing happens between the two unseen.
 */
static may_suspend struct error *load(struct engine *e)
{
	struct error *err = monitor_open(e);

	if (!err)
		err = refresh_everything(e);
	if (err)
		leave(e);
	return err;
}

static void schedule_reconcile(struct engine *e)
{
	e->reconcile_at = clock_now() + rand_between(e->config.refresh_min, e->config.refresh_max);
}

static may_suspend struct error *try_to_admit(struct engine *e)
{
	_cleanup_(engine_info_unrefp) struct engine_info *info = NULL;

	TRY(validate(e, &info));
	TRY(e->config.observer->validate(e->config.observer_arg, e, info));
	engine_take_info(e, take(info));
	TRY(load(e));

	e->failures = 0;
	e->suspect = e->answered = e->replaced = false;
	e->pinged_at = e->answered_at = clock_now();
	e->quiet = rand_between(QUIET_MIN, QUIET_MAX);
	schedule_reconcile(e);
	engine_set_state(e, ENGINE_HEALTHY);
	refresh_kick(e);
	return NULL;
}

static void pending_because(struct engine *e, const struct error *err)
{
	if (!str_eq(engine_error(e), str_from(error_message(err)))) {
		log_warn("node is pending", LOG_STR("addr", engine_addr(e)), LOG_ERR(err));
		engine_set_error(e, err);
	}
	/* Though nothing is new, an ID that the observer let it have is free again. */
	engine_tell_health(e);
}

/* Tries until the engine is in the pool; ERR_CANCELLED is its only failure. */
static may_suspend struct error *admit(struct engine *e)
{
	for (int64_t pause = BACKOFF_MIN;; pause = MIN(pause * 2, BACKOFF_MAX)) {
		struct error *err = try_to_admit(e);

		if (!err || error_is(err, ERR_CANCELLED))
			return err;
		pending_because(e, err);
		error_free(err);
		TRY(fiber_sleep(rand_between(pause / 2, pause)));
	}
}

/*
 * The engine answers again after its stream broke or it was unhealthy: another one may have taken
 * its address, and what happened meanwhile is not known. An unhealthy one is healthy again when all
 * of it was looked at.
 */
static may_suspend struct error *rejoin(struct engine *e)
{
	_cleanup_(engine_info_unrefp) struct engine_info *info = NULL;

	TRY(read_about(e, &info));
	if (!str_eq(info->id, engine_id(e))) {
		e->replaced = true;
		return NULL;
	}
	engine_take_info(e, take(info));

	if (e->state == ENGINE_UNHEALTHY)
		monitor_stop(e); /* the stream may be one that the peer no longer knows */
	if (!e->stream)
		TRY(monitor_open(e));
	if (e->state == ENGINE_UNHEALTHY) {
		e->inspect_all = true;
		TRY(refresh_everything(e));
		e->failures = 0;
		schedule_reconcile(e);
		engine_set_state(e, ENGINE_HEALTHY);
	}
	refresh_kick(e);
	return NULL;
}

/* What keeps it from being followed is shown, and tried again after the next ping. */
static bool show_error(struct engine *e, const struct error *err)
{
	if (str_eq(engine_error(e), str_from(error_message(err))))
		return false;
	if (err)
		log_warn("node answers, but cannot be followed", LOG_STR("node", engine_name(e)),
			 LOG_STR("addr", engine_addr(e)), LOG_ERR(err));
	engine_set_error(e, err);
	return true;
}

static may_suspend struct error *act_on_answer(struct engine *e)
{
	bool news = e->state == ENGINE_HEALTHY && e->failures > 0;
	struct error *err = NULL;

	e->answered = false;
	if (news)
		e->failures = 0;
	if (e->state == ENGINE_UNHEALTHY || !e->stream)
		err = rejoin(e);
	else
		refresh_kick(e);
	if (error_is(err, ERR_CANCELLED))
		return err;

	if (show_error(e, err) || news)
		engine_tell_health(e);
	error_free(err);
	return NULL;
}

/* Until another engine answers at the address. */
static may_suspend struct error *watch(struct engine *e)
{
	while (!e->replaced) {
		int64_t at = next_ping(e);

		TRY(wait_until(e, is_well(e) ? MIN(at, e->reconcile_at) : at));
		if (e->answered)
			TRY(act_on_answer(e));
		if (clock_now() >= next_ping(e))
			ping(e);
		if (is_well(e) && clock_now() >= e->reconcile_at) {
			schedule_reconcile(e);
			refresh_start_reconcile(e);
		}
	}
	return NULL;
}

may_suspend void health_main(void *arg)
{
	struct engine *e = arg;
	struct error *err = NULL;

	while (!err) {
		err = admit(e);
		if (!err)
			err = watch(e);
		leave(e);
		if (!err)
			engine_set_state(e, ENGINE_PENDING);
	}
	assert(error_is(err, ERR_CANCELLED));
	error_free(err);
}
