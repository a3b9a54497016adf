/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between replay and live stream is the last event that the manager had seen of each
 * engine when the subscription was made: the engine is asked for events up to a little later than
 * that, for two that happened at once may be published in either order, and what the subscription
 * has of this little is dropped there.
 */
#include "cluster/replay.h"

#include <inttypes.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/fan.h"
#include "cluster/internal.h"
#include "docker/event.h"
#include "engine/client.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"

#define ANSWER_TIME (10 * SECOND)
#define OLDEST	    SECOND /* engines take `since=0` for none */
#define PIECE	    (64 * 1024)

struct past {
	int64_t at; /* on the manager's clock; never before its engine's event in front of it */
	size_t order;
	struct str text;
};

/* One engine's part. */
struct replay_job {
	struct replay *replay;
	struct engine *engine; /* a reference */
	int64_t since, until;  /* on the engine's clock */
	int64_t newest;	       /* of what it told, on the manager's clock */
	struct error *err;
};

struct replay {
	struct cluster *cluster;
	const struct filters *filters;
	int64_t since, until;
	bool live;
	struct replay_job *jobs;
	size_t n_jobs, n_asked;
	struct arena arena;
	struct vec events; /* of struct past in the arena */
	size_t bytes;
	struct error *refusal; /* it would be too much */
	struct map told; /* of struct str in the arena: lines that the subscription may have too */
};

static struct str text_of(const void *item)
{
	return ((const struct past *)item)->text;
}

/* a + b, held at the ends of the range. */
static int64_t shift(int64_t a, int64_t b)
{
	int64_t sum;

	if (a == INT64_MIN || a == INT64_MAX)
		return a;
	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

static struct error *hold(struct replay *r, size_t n)
{
	struct cluster *c = r->cluster;

	if (n > LIMIT_EVENT_REPLAY - r->bytes)
		return error_over_limit(ERR_TOO_LARGE,
					"the events of that time are more than %zu MiB: ask for a "
					"shorter time, or with filters",
					(size_t)(LIMIT_EVENT_REPLAY / MIB));
	if (n > c->config.events_held - c->events_replayed)
		return error_over_limit(ERR_UNAVAILABLE,
					"too many past events are being read: try again later");
	r->bytes += n;
	c->events_replayed += n;
	return NULL;
}

static struct error *replay_add(struct replay *r, int64_t at, struct str text)
{
	struct past *p;

	if (!r->refusal)
		r->refusal = hold(r, text.n + sizeof(*p));
	if (r->refusal)
		return error_copy(r->refusal);
	p = arena_new(&r->arena, struct past);
	*p = (struct past){ .at = at, .order = r->events.n, .text = arena_dup(&r->arena, text) };
	vec_push(&r->events, p);
	return NULL;
}

/* The pool's own are few, and kept as they were written. */
static void add_pool_events(struct replay *r)
{
	const struct cluster *c = r->cluster;

	for (size_t i = events_oldest_past(c); i < c->n_past; i++) {
		const struct past_event *p = &c->past[i % PAST_EVENTS];
		struct str text = str_from(p->text);

		if (p->at < r->since || p->at > r->until || !events_text_match(text, r->filters))
			continue;
		/* A refusal is kept. */
		error_free(replay_add(r, p->at, text));
	}
}

static void add_job(struct replay *r, struct engine *e)
{
	struct replay_job *job = &r->jobs[r->n_jobs++];
	int64_t skew = engine_skew(e);

	*job = (struct replay_job){ .replay = r, .engine = e, .newest = INT64_MIN };
	job->since = MAX(shift(r->since, skew), OLDEST);
	job->until = shift(r->until, skew);
	if (r->live)
		job->until = MIN(job->until, engine_events_seen(e));
}

struct replay *replay_new(struct cluster *c, int64_t since, int64_t until, bool live,
			  const struct filters *filters)
{
	struct replay *r = mem_new(struct replay);
	struct engines engines;

	r->cluster = c;
	r->filters = filters;
	r->since = since;
	r->until = until;
	r->live = live;
	map_init(&r->told, text_of);
	cluster_engines(c, &engines);
	r->jobs = mem_zalloc((engines.n + 1) * sizeof(*r->jobs));
	for (size_t i = 0; i < engines.n; i++) {
		if (engine_info(engines.v[i]) && engine_state(engines.v[i]) != ENGINE_PENDING)
			add_job(r, engine_ref(engines.v[i]));
	}
	engines_fini(&engines);
	add_pool_events(r);
	return r;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_jobs; i++) {
		engine_unref(r->jobs[i].engine);
		error_free(r->jobs[i].err);
	}
	free(r->jobs);
	r->cluster->events_replayed -= r->bytes;
	error_free(r->refusal);
	vec_fini(&r->events);
	map_fini(&r->told);
	arena_fini(&r->arena);
	free(r);
}

static may_suspend struct error *take_event(void *arg, struct str line)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct replay_job *job = arg;
	struct event_node node = event_node_of(job->engine);
	struct docker_event ev;

	TRY(error_as(ERR_PROTOCOL, docker_event_read(line, &arena, &ev)));
	/* Some engines' idea of the range is by the second. */
	if (ev.time_nano < job->since || ev.time_nano > job->until)
		return NULL;
	if (!docker_event_match(&ev, &node, job->replay->filters))
		return NULL;
	docker_event_write(&ev, &node, &text);
	job->newest = MAX(job->newest, shift(ev.time_nano, -engine_skew(job->engine)));
	return replay_add(job->replay, job->newest, strbuf_str(&text));
}

static void write_time(struct strbuf *out, const char *name, int64_t at)
{
	strbuf_addf(out, "%s=%" PRId64 ".%09" PRId64, name, at / SECOND, at % SECOND);
}

static may_suspend struct error *ask(struct replay_job *job)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	struct http_call call = { .method = STR("GET") };

	write_time(&path, "/events?since", job->since);
	write_time(&path, "&until", job->until);
	/* In the version of the live stream, so that an event reads the same in both. */
	TRY(engine_exchange(job->engine, API_VERSION_NEWEST, strbuf_str(&path), &call, &x));
	return engine_read_lines(x, take_event, job);
}

static may_suspend void ask_one(struct replay_job *job)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(ANSWER_TIME);

	if (job->until < job->since)
		return;
	if (engine_state(job->engine) == ENGINE_HEALTHY)
		job->err = ask(job);
	else
		job->err = error_new(ERR_NODE_DOWN, "the node is unhealthy");
}

static may_suspend void ask_one_after_the_other(void *arg)
{
	struct replay *r = arg;

	while (r->n_asked < r->n_jobs && !r->refusal)
		ask_one(&r->jobs[r->n_asked++]);
}

/* What a node cannot tell may be missing: the reader hears of it where it reads. */
static struct error *take_failure(struct replay_job *job)
{
	struct replay *r = job->replay;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	if (error_is(job->err, ERR_CANCELLED))
		return take(job->err);
	log_warn("the past events of a node are missing in a replay",
		 LOG_STR("node", engine_name(job->engine)), LOG_ERR(job->err));
	events_lost_text(job->engine, job->since, job->until, &text);
	if (!events_text_match(strbuf_str(&text), r->filters))
		return NULL;
	return replay_add(r, MIN(clock_wall(), r->until), strbuf_str(&text));
}

static may_suspend struct error *ask_all(struct replay *r)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	for (size_t i = fan_width(r->n_jobs); i > 0; i--)
		group_go(&g, "replay", ask_one_after_the_other, r);
	TRY(group_wait(&g));
	if (r->refusal)
		return take(r->refusal);
	for (size_t i = 0; i < r->n_jobs; i++)
		if (r->jobs[i].err)
			TRY(take_failure(&r->jobs[i]));
	return NULL;
}

static int oldest_first(const void *a, const void *b)
{
	const struct past *x = *(const struct past *const *)a, *y = *(const struct past *const *)b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

may_suspend struct error *replay_collect(struct replay *r)
{
	TRY(ask_all(r));
	if (r->events.n)
		qsort(r->events.v, r->events.n, sizeof(*r->events.v), oldest_first);
	return NULL;
}

may_suspend struct error *replay_emit(struct replay *r, emit_fn *emit, void *arg)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < r->events.n; i++) {
		struct past *p = r->events.v[i];

		if (r->live)
			map_put(&r->told, p);
		strbuf_add(&out, p->text);
		strbuf_addc(&out, '\n');
		if (out.n < PIECE)
			continue;
		TRY(emit(arg, strbuf_str(&out)));
		strbuf_reset(&out);
	}
	return out.n ? emit(arg, strbuf_str(&out)) : NULL;
}

void replay_filter_live(struct replay *r, struct str lines, struct strbuf *out)
{
	struct str line;

	while (str_next(&lines, '\n', &line)) {
		if (str_empty(line) || map_get(&r->told, line))
			continue;
		strbuf_add(out, line);
		strbuf_addc(out, '\n');
	}
}
