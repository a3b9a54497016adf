/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's event stream: opened by the engine's own fiber, drained at once by one of its own,
 * with a buffer only while something comes. A stream that was broken is resumed a moment before
 * the last event that was seen: the replay must begin with one that was. If it does not, something
 * is missing.
 */
#include <inttypes.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/internal.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

/* A replay comes at once; an engine that has forgotten sends nothing until something happens. */
#define REPLAY_TIME (2 * SECOND)

void monitor_forget(struct engine *e)
{
	e->last_time = 0;
	e->stream_from = 0;
	e->replaying = false;
	e->n_seen = 0;
}

/*
 * What happens in one moment is published in either order. Where no event was seen yet, the time is
 * our guess at the engine's clock when we began to listen.
 */
#define ONE_MOMENT  (50 * MILLISECOND)
#define CLOCK_GUESS (2 * SECOND)

static size_t n_kept(const struct engine *e)
{
	return MIN(e->n_seen, (size_t)SEEN_EVENTS);
}

static void note_seen(struct engine *e, int64_t time, uint64_t digest)
{
	if (!e->seen)
		e->seen = mem_realloc_array(NULL, SEEN_EVENTS, sizeof(*e->seen));
	e->seen[e->n_seen++ % SEEN_EVENTS] = (struct seen_event){ time, digest };
	e->last_time = time;
}

static bool was_seen(const struct engine *e, int64_t time, uint64_t digest)
{
	for (size_t i = 0; i < n_kept(e); i++)
		if (e->seen[i].time == time && e->seen[i].digest == digest)
			return true;
	return false;
}

/* All events until then were seen, on the engine's clock. */
static int64_t followed_until(const struct engine *e)
{
	return e->last_time ? e->last_time : e->stream_from;
}

/*
 * Where to resume, on the engine's clock; 0: there is nothing to resume. At the last event that is
 * older than whatever may still come behind it, so that the replay begins with that one.
 */
static int64_t resume_time(const struct engine *e)
{
	int64_t oldest = e->last_time, older = 0;

	if (!e->last_time)
		return e->stream_from;
	for (size_t i = 0; i < n_kept(e); i++) {
		int64_t time = e->seen[i].time;

		oldest = MIN(oldest, time);
		if (time <= e->last_time - ONE_MOMENT)
			older = MAX(older, time);
	}
	return older ? older : oldest;
}

int64_t engine_events_seen(const struct engine *e)
{
	if (e->last_time)
		return e->last_time + ONE_MOMENT;
	return (e->stream_from ? e->stream_from : engine_now(e)) + CLOCK_GUESS;
}

static may_suspend struct error *open_stream(struct engine *e, struct http_exchange **ret)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(ENGINE_CALL_TIME);
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct engine_call call = { .method = "GET" };
	const struct http_response *head;
	int64_t since = resume_time(e);

	strbuf_add(&path, STR("/events"));
	if (since)
		strbuf_addf(&path, "?since=%" PRId64 ".%09" PRId64, since / SECOND, since % SECOND);
	call.path = strbuf_str(&path);
	TRY(client_begin(e, &call, &x));
	TRY(http_exchange_response(x, &head));
	if (head->status != 200)
		return engine_refusal(x);
	*ret = take(x);
	return NULL;
}

/* Events of this span may be missing: what is on the engine is looked at anew. */
static void lost(struct engine *e, int64_t until)
{
	e->replaying = false;
	e->config.observer->events_lost(e->config.observer_arg, e, followed_until(e), until);
	e->last_time = 0;
	e->stream_from = until;
	/* What was looked at since the stream was opened misses nothing. */
	if (e->inspected_at >= e->stream_at)
		return;
	e->inspect_all = true;
	e->reconcile_at = clock_now();
	health_wake(e);
}

/*
 * The event was seen before. Not in a replay alone: what is published just when a stream is opened
 * an engine tells in the replay, and once more behind it.
 */
static bool is_overlap(struct engine *e, int64_t time, uint64_t digest)
{
	if (was_seen(e, time, digest)) {
		e->replaying = false;
		return true;
	}
	if (e->replaying)
		lost(e, time);
	return false;
}

static void take_event(struct engine *e, struct str text)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(error_freep) struct error *err = NULL;
	uint64_t digest = str_hash(text);
	struct docker_event ev;

	err = docker_event_read(text, &arena, &ev);
	if (err) {
		log_debug("an engine's event is not understood", LOG_STR("node", engine_name(e)),
			  LOG_ERR(err));
		return;
	}
	if (is_overlap(e, ev.time_nano, digest))
		return;

	note_seen(e, ev.time_nano, digest);
	e->updated_at = clock_wall();
	monitor_apply(e, &ev);
	/* What happened before the engine was in the pool is not the pool's. */
	if (e->state != ENGINE_PENDING)
		e->config.observer->event(e->config.observer_arg, e, &ev);
}

static struct error *take_events(struct engine *e, struct strbuf *in, struct json_scan *scan)
{
	size_t done = 0, n;

	for (;;) {
		struct str rest = str_skip(strbuf_str(in), done);

		TRY(error_as(ERR_PROTOCOL, json_scan_value(rest, scan, &n)));
		if (!n)
			break;
		take_event(e, str_trim(str_first(rest, n)));
		*scan = (struct json_scan){ 0 };
		done += n;
	}
	strbuf_consume(in, done);
	if (in->n > LIMIT_ENGINE_EVENT)
		return error_new(ERR_PROTOCOL, "an event is longer than 1 MiB");
	return NULL;
}

/* Parks until something comes; a replay that does not come has nothing to begin with. */
static may_suspend struct error *wait_for_events(struct engine *e)
{
	if (e->replaying) {
		_cleanup_(deadline_end) struct deadline d =
			deadline_begin(e->stream_at + REPLAY_TIME - clock_now());
		struct error *err = http_exchange_wait_readable(e->stream);

		if (!error_is(err, ERR_TIMEOUT))
			return err;
		error_free(err);
		lost(e, engine_now(e));
	}
	return http_exchange_wait_readable(e->stream);
}

static may_suspend struct error *drain(struct engine *e)
{
	_cleanup_(strbuf_fini) struct strbuf in = STRBUF_INIT;
	struct json_scan scan = { 0 };
	size_t n;

	for (;;) {
		TRY(wait_for_events(e));
		TRY(client_read(e->stream, &in, &n));
		if (!n)
			return error_new(ERR_CLOSED, "the engine ended its event stream");
		health_heard(e);
		TRY(take_events(e, &in, &scan));
		if (!in.n)
			strbuf_fini(&in);
		TRY(fiber_pace());
	}
}

static may_suspend void monitor_main(void *arg)
{
	struct engine *e = arg;
	_cleanup_(error_freep) struct error *err = drain(e);

	http_exchange_free(take(e->stream));
	if (error_is(err, ERR_CANCELLED))
		return;
	log_debug("an event stream broke", LOG_STR("node", engine_name(e)), LOG_ERR(err));
	/* Idle connections have likely gone the same way: the ping is to connect anew. */
	http_client_close_idle(e->http);
	health_suspect(e);
}

may_suspend struct error *monitor_open(struct engine *e)
{
	struct http_exchange *x = NULL;

	TRY(client_judge(e, open_stream(e, &x)));
	e->replaying = resume_time(e) != 0;
	if (!e->stream_from)
		e->stream_from = engine_now(e);
	e->stream_at = clock_now();
	e->stream = x;
	group_go(&e->monitor, "engine-events", monitor_main, e);
	return NULL;
}

may_suspend void monitor_stop(struct engine *e)
{
	group_finish(&e->monitor);
}
