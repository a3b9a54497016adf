/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's events: the last 256, and a stream of them from any of those on.
 */
#include "sim/engine.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"

void sim_overtake_event(struct sim_engine *e, int64_t by)
{
	e->overtaken_by = by;
}

/* No two at the same time, so that their order can be told. */
static int64_t next_event_time(struct sim_engine *e)
{
	int64_t by = e->overtaken_by;

	e->overtaken_by = 0;
	if (by)
		return e->last_event_time - by;
	e->last_event_time = MAX(fake_clock(e), e->last_event_time + 1);
	return e->last_event_time;
}

void fake_event(struct sim_engine *e, const char *type, const char *action, const char *actor,
		const char *from, const char *attributes)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	int64_t now = next_event_time(e);
	size_t slot = e->n_events % SIM_EVENTS;

	json_begin_object(&o);
	if (from) {
		json_put_str(&o, "status", str_from(action));
		json_put_str(&o, "id", str_from(actor));
		json_put_str(&o, "from", str_from(from));
	}
	json_put_str(&o, "Type", str_from(type));
	json_put_str(&o, "Action", str_from(action));
	json_key(&o, "Actor");
	json_begin_object(&o);
	json_put_str(&o, "ID", str_from(actor));
	strbuf_addf(&text, ",\"Attributes\":{%s}", attributes);
	json_end_object(&o);
	json_put_str(&o, "scope", STR("local"));
	json_put_i64(&o, "time", now / SECOND);
	json_put_i64(&o, "timeNano", now);
	json_end_object(&o);

	free(e->events[slot]);
	e->events[slot] = strbuf_take(&text);
	e->event_times[slot] = now;
	e->n_events++;
	waitq_wake_all(&e->news);
}

void fake_forget_events(struct sim_engine *e)
{
	for (size_t i = 0; i < SIM_EVENTS; i++)
		free(take(e->events[i]));
	e->first_event = e->n_events;
}

/* "sec" or "sec.nanos"; 0 where there is none. */
static int64_t read_time(struct str text)
{
	struct str seconds, fraction;
	int64_t s = 0, ns = 0;

	str_cut(text, '.', &seconds, &fraction);
	str_to_i64(seconds, &s);
	if (fraction.n == 9)
		str_to_i64(fraction, &ns);
	return s * SECOND + ns;
}

static uint64_t oldest_event(const struct sim_engine *e)
{
	uint64_t oldest = e->n_events > SIM_EVENTS ? e->n_events - SIM_EVENTS : 0;

	return MAX(oldest, e->first_event);
}

static bool is_wanted(const struct sim_engine *e, uint64_t i, int64_t since, int64_t until)
{
	int64_t at = e->event_times[i % SIM_EVENTS];

	return (!since || at >= since) && (!until || at <= until);
}

static may_suspend struct error *await_event(struct sim_engine *e, uint64_t next, int64_t until)
{
	_cleanup_(deadline_end) struct deadline d =
		deadline_begin(until ? until - fake_clock(e) : INT64_MAX / 2);

	while (next >= e->n_events)
		TRY(waitq_wait(&e->news, "events"));
	return NULL;
}

may_suspend struct error *serve_events_follow(struct sim_call *call)
{
	struct sim_engine *e = call->e;
	struct http_header type = { STR("Content-Type"), STR("application/json") };
	struct str since_text = http_param(&call->in->url, "since");
	int64_t since = read_time(since_text);
	int64_t until = read_time(http_param(&call->in->url, "until"));
	uint64_t next = since ? oldest_event(e) : e->n_events;

	TRY(http_reply_begin(call->in, 200, STR(""), &type, 1, -1));
	for (;; next++) {
		_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;
		struct error *err = await_event(e, next, until);

		if (error_is(err, ERR_TIMEOUT) && until) {
			error_free(err);
			return http_reply_end(call->in);
		}
		TRY(err);
		if (!is_wanted(e, next, since, until))
			continue;
		strbuf_addf(&line, "%s\n", e->events[next % SIM_EVENTS]);
		TRY(http_reply_write(call->in, strbuf_str(&line)));
	}
}

/* The attributes of a container's events: its image, its name, its labels, and more. */
void fake_container_event(struct sim_container *c, const char *action, const char *more)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json labels = json_get(c->config, "Labels"), value;
	struct json_iter it = json_iter(labels);
	struct json_out o = json_out(&text);
	struct str key;

	json_begin_object(&o);
	while (json_type(labels) == JSON_OBJECT && json_next(&it, &key, &value)) {
		json_key_str(&o, key);
		json_str_value(&o, json_str(value));
	}
	json_put_str(&o, "image", c->image_ref);
	json_put_str(&o, "name", str_from(c->name));
	if (more)
		strbuf_addf(&text, ",%s", more);
	json_end_object(&o);
	/* Without the braces, as fake_event wants it. */
	text.p[text.n - 1] = '\0';
	fake_event(c->engine, "container", action, c->id, c->image_ref.p, text.p + 1);
}
