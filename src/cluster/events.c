/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one stream of all nodes' events. Each is written once and copied to those who want it; who
 * does not keep up is dropped, so that no engine's stream is ever held up.
 */
#include "cluster/events.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "json/build.h"
#include "json/edit.h"

struct pool_attribute {
	const char *key;
	struct str value;
};

struct subscription {
	struct list link;
	struct cluster *cluster;
	const struct filters *filters;
	struct fiber *reader; /* who subscribed, and nobody else, reads */
	struct strbuf pending;
	size_t held; /* bytes pending, and handed out: its reader may stand still with those */
	struct waitq more;
	bool closed; /* the cluster stops, or it fell too far behind */
};

struct subscription *cluster_subscribe(struct cluster *c, const struct filters *filters)
{
	struct subscription *s = mem_new(struct subscription);

	s->cluster = c;
	s->filters = filters;
	s->reader = fiber_self();
	s->closed = c->stopping;
	list_append(&c->subscriptions, &s->link);
	return s;
}

/* All but what is pending. */
static void let_go(struct subscription *s)
{
	s->cluster->events_waiting -= s->held - s->pending.n;
	s->held = s->pending.n;
}

static void drop_pending(struct subscription *s)
{
	strbuf_fini(&s->pending);
	s->pending = (struct strbuf)STRBUF_INIT;
}

void subscription_close(struct subscription *s)
{
	if (!s)
		return;
	list_remove(&s->link);
	drop_pending(s);
	let_go(s);
	waitq_fini(&s->more);
	free(s);
}

may_suspend struct error *subscription_next(struct subscription *s, struct strbuf *out)
{
	let_go(s);
	while (!s->pending.n) {
		if (s->closed)
			return error_new(ERR_CLOSED, "the stream of events was closed");
		TRY(waitq_wait(&s->more, "events"));
	}
	strbuf_add(out, strbuf_str(&s->pending));
	drop_pending(s);
	return NULL;
}

/* Its reader may be in a write to who reads nothing: what that holds goes with its request. */
static void give_up(struct subscription *s)
{
	log_warn("a reader of /events fell too far behind and was closed",
		 LOG_NUM("bytes", (int64_t)s->held));
	drop_pending(s);
	let_go(s);
	s->closed = true;
	fiber_cancel(s->reader);
}

static struct subscription *furthest_behind(const struct cluster *c)
{
	struct subscription *ret = NULL;

	list_for_each(link, &c->subscriptions) {
		struct subscription *s = list_item(link, struct subscription, link);

		if (!ret || s->held > ret->held)
			ret = s;
	}
	return ret;
}

static void deliver(struct cluster *c, struct subscription *s, struct str text)
{
	size_t n = text.n + 1;

	if (s->closed)
		return;
	if (n > c->config.event_backlog - s->held) {
		give_up(s);
		return;
	}
	strbuf_add(&s->pending, text);
	strbuf_addc(&s->pending, '\n');
	s->held += n;
	c->events_waiting += n;
	waitq_wake_all(&s->more);
	if (c->events_waiting > c->config.events_held)
		give_up(furthest_behind(c));
}

void events_engine(struct cluster *c, struct engine *e, const struct docker_event *ev)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct event_node node = event_node_of(e);

	list_for_each(link, &c->subscriptions) {
		struct subscription *s = list_item(link, struct subscription, link);

		if (!docker_event_match(ev, &node, s->filters))
			continue;
		if (!text.n)
			docker_event_write(ev, &node, &text);
		deliver(c, s, strbuf_str(&text));
	}
}

/* The node that an event which was written here is about. */
static struct event_node written_node(const struct docker_event *ev)
{
	return (struct event_node){ .name = json_get_str(ev->attributes, "node.name"),
				    .id = json_get_str(ev->attributes, "node.id") };
}

bool events_text_match(struct str text, const struct filters *filters)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct event_node node;
	struct docker_event ev;
	struct error *err = docker_event_read(text, &arena, &ev);

	if (err) {
		log_error("an event of the pool cannot be read", LOG_ERR(err));
		error_free(err);
		return false;
	}
	node = written_node(&ev);
	return docker_event_match(&ev, &node, filters);
}

size_t events_oldest_past(const struct cluster *c)
{
	return c->n_past > PAST_EVENTS ? c->n_past - PAST_EVENTS : 0;
}

static void keep(struct cluster *c, struct str text)
{
	struct past_event *p = &c->past[c->n_past++ % PAST_EVENTS];

	free(p->text);
	*p = (struct past_event){ clock_wall(), str_dup(text) };
}

void events_forget_past(struct cluster *c)
{
	for (size_t i = 0; i < PAST_EVENTS; i++)
		free(take(c->past[i].text));
}

/* An event of the pool itself, to whom its filters let it through. */
static void deliver_pool_event(struct cluster *c, struct str text)
{
	keep(c, text);
	list_for_each(link, &c->subscriptions) {
		struct subscription *s = list_item(link, struct subscription, link);

		if (events_text_match(text, s->filters))
			deliver(c, s, text);
	}
}

void events_pool(struct cluster *c, struct engine *e, const char *action)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct event_node node = event_node_of(e);

	docker_event_pool(action, &node, clock_wall(), &text);
	deliver_pool_event(c, strbuf_str(&text));
}

void cluster_tell_leader(struct cluster *c, const char *action, struct str manager)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	docker_event_manager(action, manager, clock_wall(), &text);
	deliver_pool_event(c, strbuf_str(&text));
}

/* An event of the pool about a node, with attributes of its own. */
static void write_event(const struct engine *e, const char *action,
			const struct pool_attribute *attributes, size_t n, struct strbuf *out)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct event_node node = event_node_of(e);
	struct json_edit *edit;
	struct json root;
	struct error *err;

	docker_event_pool(action, &node, clock_wall(), &text);
	err = json_parse(strbuf_str(&text), &arena, &root);
	if (err) {
		log_error("an event of the pool cannot be read", LOG_ERR(err));
		error_free(err);
		return;
	}
	edit = json_edit_new(root, &arena);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(strbuf_fini) struct strbuf value = STRBUF_INIT;

		json_quote(&value, attributes[i].value);
		json_edit_add(edit, json_path(root, "Actor.Attributes"),
			      str_from(attributes[i].key), arena_dup(&arena, strbuf_str(&value)));
	}
	json_edit_apply(edit, out);
}

static struct str time_text(int64_t unix_ns, struct arena *arena)
{
	return arena_printf(arena, "%lld.%09lld", (long long)(unix_ns / SECOND),
			    (long long)(unix_ns % SECOND));
}

void events_lost_text(const struct engine *e, int64_t from, int64_t to, struct strbuf *out)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct pool_attribute span[] = {
		{ "from", time_text(from, &arena) },
		{ "to", time_text(to, &arena) },
	};

	write_event(e, "engine_events_lost", span, ARRAY_LEN(span), out);
}

void events_rescheduled(struct cluster *c, struct engine *e, struct str name, struct str id,
			struct str swarm_id, struct str from)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	const struct pool_attribute attributes[] = {
		{ "container.name", name },	    { "container.id", id },
		{ "container.swarm.id", swarm_id }, { "from", from },
		{ "to", engine_name(e) },
	};

	write_event(e, "container_rescheduled", attributes, ARRAY_LEN(attributes), &text);
	deliver_pool_event(c, strbuf_str(&text));
}

void events_lost(struct cluster *c, struct engine *e, int64_t from, int64_t to)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	events_lost_text(e, from, to, &text);
	deliver_pool_event(c, strbuf_str(&text));
}

void events_close_all(struct cluster *c)
{
	list_for_each(link, &c->subscriptions) {
		struct subscription *s = list_item(link, struct subscription, link);

		s->closed = true;
		waitq_wake_all(&s->more);
	}
}
