/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /events: what happened in the pool, from `since` on, and what happens, until `until`.
 */
#include "cluster/events.h"

#include "api/handlers.h"
#include "api/reply.h"
#include "cluster/replay.h"
#include "docker/time_arg.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "http/reply.h"

#define FOREVER INT64_MAX

struct range {
	int64_t since, until; /* unix ns */
};

static struct error *read_range(const struct request *r, struct range *ret)
{
	struct str since = request_param(r, "since"), until = request_param(r, "until");
	int64_t now = clock_wall();

	*ret = (struct range){ INT64_MIN, FOREVER };
	if (!str_empty(since))
		TRY(time_arg_parse(since, now, &ret->since));
	if (!str_empty(until))
		TRY(time_arg_parse(until, now, &ret->until));
	if (ret->until < ret->since)
		return error_new(ERR_INVALID,
				 "`since` time (%.*s) cannot be after `until` time (%.*s)",
				 STR_ARG(since), STR_ARG(until));
	return NULL;
}

/* What comes next, or that the range is over. */
static may_suspend struct error *next_lines(struct subscription *s, int64_t until,
					    struct strbuf *out, bool *ret_over)
{
	int64_t left = until == FOREVER ? FOREVER : until - clock_wall();
	_cleanup_(deadline_end) struct deadline d = deadline_begin(left);
	struct error *err;

	*ret_over = left <= 0;
	if (*ret_over)
		return NULL;
	err = subscription_next(s, out);
	*ret_over = error_is(err, ERR_TIMEOUT) && deadline_passed(&d);
	if (!*ret_over)
		return err;
	error_free(err);
	return NULL;
}

/* One answer: lines of the past, then those of the subscription. */
struct events_answer {
	struct request *request;
	struct subscription *live; /* NULL: the range is in the past */
	struct replay *replay;	   /* NULL: nothing of the past was asked for */
};

static void events_answer_fini(struct events_answer *a)
{
	subscription_close(a->live);
	replay_free(a->replay);
}

static may_suspend struct error *emit_past(void *arg, struct str piece)
{
	struct events_answer *a = arg;

	return http_reply_write(a->request->in, piece);
}

static may_suspend struct error *pass_live(struct events_answer *a, struct str lines)
{
	_cleanup_(strbuf_fini) struct strbuf news = STRBUF_INIT;

	if (!a->replay)
		return http_reply_write(a->request->in, lines);
	replay_filter_live(a->replay, lines, &news);
	return news.n ? http_reply_write(a->request->in, strbuf_str(&news)) : NULL;
}

static may_suspend struct error *pass_until(struct events_answer *a, int64_t until)
{
	for (;;) {
		_cleanup_(strbuf_fini) struct strbuf lines = STRBUF_INIT;
		bool over;

		TRY(next_lines(a->live, until, &lines, &over));
		if (over)
			return NULL;
		TRY(pass_live(a, strbuf_str(&lines)));
	}
}

/* Nothing may happen between these two: the one ends where the other begins. */
static void begin_to_listen(struct events_answer *a, const struct range *range,
			    const struct filters *filters)
{
	struct cluster *c = a->request->cluster;
	bool live = range->until == FOREVER || range->until > clock_wall();

	if (live)
		a->live = cluster_subscribe(c, filters);
	if (range->since != INT64_MIN || range->until != FOREVER)
		a->replay = replay_new(c, range->since, range->until, live, filters);
}

/* An engine negotiates the type from API 1.52 on; in all older versions it is this one. */
static const struct http_header events_type[] = {
	{ STR_INIT("Content-Type"), STR_INIT("application/json") },
};

may_suspend struct error *events_stream(struct request *r)
{
	_cleanup_(events_answer_fini) struct events_answer a = { .request = r };
	struct filters filters;
	struct range range;

	TRY(read_range(r, &range));
	TRY(request_filters(r, &filters));
	TRY(docker_event_filters_check(&filters));

	/* Before the head: what happens once the client has that is for it to see. */
	begin_to_listen(&a, &range, &filters);
	/* And what has been is together, so that too much of it is a status. */
	if (a.replay)
		TRY(replay_collect(a.replay));
	TRY(http_reply_begin(r->in, 200, STR_NONE, events_type, ARRAY_LEN(events_type), -1));
	if (a.replay)
		TRY(replay_emit(a.replay, emit_past, &a));
	if (a.live)
		TRY(pass_until(&a, range.until));
	return http_reply_end(r->in);
}
