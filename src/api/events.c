/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /events: the pool's events as they happen. What happened before is not replayed: a range that
 * lies in the past ends at once.
 */
#include "cluster/events.h"

#include "api/event_time.h"
#include "api/handlers.h"
#include "api/reply.h"
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
		TRY(event_time_parse(since, now, &ret->since));
	if (!str_empty(until))
		TRY(event_time_parse(until, now, &ret->until));
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

static may_suspend struct error *pass_until(struct request *r, struct subscription *s,
					    int64_t until)
{
	for (;;) {
		_cleanup_(strbuf_fini) struct strbuf lines = STRBUF_INIT;
		bool over;

		TRY(next_lines(s, until, &lines, &over));
		if (over)
			return NULL;
		TRY(http_reply_write(r->in, strbuf_str(&lines)));
	}
}

may_suspend struct error *events_stream(struct request *r)
{
	static const struct http_header type[] = {
		{ STR_INIT("Content-Type"), STR_INIT("application/json") },
	};
	_cleanup_(subscription_closep) struct subscription *s = NULL;
	struct filters filters;
	struct range range;

	TRY(read_range(r, &range));
	TRY(request_filters(r, &filters));
	TRY(docker_event_filters_check(&filters));

	/* Before the head: what happens once the client has that is for it to see. */
	s = cluster_subscribe(r->cluster, &filters);
	TRY(http_reply_begin(r->in, 200, STR_NONE, type, ARRAY_LEN(type), -1));
	TRY(pass_until(r, s, range.until));
	return http_reply_end(r->in);
}
