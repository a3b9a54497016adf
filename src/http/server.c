/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners, and the connections that came in through them. What is said on a connection is in
 * connection.c.
 */
#include "http/server.h"

#include <assert.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "http/connection.h"

/* So many more than there may be are told why they are not served; others are just closed. */
enum { TOLD = 64 };

/* How much was logged of what strangers did in the second that is going on. */
struct told {
	int64_t since;
	int64_t n;
};

struct http_server {
	struct http_server_config config;
	struct http_limits limits;
	struct group accepting, serving;
	struct list ports, connections, shaking;
	size_t n, n_shaking;
	size_t held; /* bytes of requests' bodies in memory */
	struct told told;
	bool stopping;
};

struct port {
	struct list link;
	struct http_server *server;
	struct listener *listener;
};

struct http_server *http_server_new(const struct http_server_config *config)
{
	struct http_server *s = mem_new(struct http_server);

	assert(config->handler);
	s->config = *config;
	s->limits = config->limits ? *config->limits : (struct http_limits)HTTP_LIMITS_DEFAULT;
	s->config.limits = &s->limits;
	list_init(&s->ports);
	list_init(&s->connections);
	list_init(&s->shaking);
	return s;
}

const struct http_server_config *http_server_config(const struct http_server *s)
{
	return &s->config;
}

const struct http_limits *http_server_limits(const struct http_server *s)
{
	return &s->limits;
}

bool http_server_stopping(const struct http_server *s)
{
	return s->stopping;
}

size_t http_server_connections(const struct http_server *s)
{
	return s->n;
}

void http_server_left(struct http_server *s, struct http_connection *c)
{
	list_remove(&c->link);
	s->n--;
}

void http_server_shaking(struct http_server *s, struct http_connection *c)
{
	/* Whoever means it is done in a few round trips, and so is never the one longest at it. */
	if (s->n_shaking == LIMIT_HANDSHAKES) {
		struct http_connection *oldest =
			list_item(s->shaking.next, struct http_connection, shaking);

		if (http_server_may_log(s))
			log_info("a TLS handshake gives way: too many are under way",
				 LOG_CSTR("client", oldest->conn.stream->peer));
		http_server_shaken(s, oldest);
		fiber_cancel(oldest->fiber);
	}
	list_append(&s->shaking, &c->shaking);
	s->n_shaking++;
}

void http_server_shaken(struct http_server *s, struct http_connection *c)
{
	if (!list_linked(&c->shaking))
		return;
	list_remove(&c->shaking);
	s->n_shaking--;
}

struct error *http_server_hold(struct http_server *s, struct http_connection *c, size_t n)
{
	if (n > LIMIT_JSON_BODIES - s->held)
		return error_over_limit(ERR_UNAVAILABLE,
					"too many large requests are under way: try again later");
	s->held += n;
	c->held += n;
	return NULL;
}

void http_server_release(struct http_server *s, struct http_connection *c)
{
	s->held -= c->held;
	c->held = 0;
}

bool http_server_may_log(struct http_server *s)
{
	struct told *t = &s->told;
	int64_t now = clock_now();

	if (now - t->since >= SECOND) {
		if (t->n > LIMIT_REFUSALS_TOLD)
			log_info("more clients were refused",
				 LOG_NUM("count", t->n - LIMIT_REFUSALS_TOLD));
		*t = (struct told){ .since = now };
	}
	return t->n++ < LIMIT_REFUSALS_TOLD;
}

static void admit(struct http_server *s, struct stream *stream)
{
	struct http_connection *c;

	if (s->n >= s->limits.connections + TOLD) {
		if (http_server_may_log(s))
			log_info("connection closed: there are too many",
				 LOG_CSTR("client", stream->peer));
		stream_close(stream);
		return;
	}
	c = http_connection_new(s, stream);
	c->unwanted = s->n >= s->limits.connections;
	list_append(&s->connections, &c->link);
	s->n++;
	group_go(&s->serving, "http connection", http_connection_serve, c);
}

/* Accepting goes on for as long as the server does: a failure is logged, and passes. */
static may_suspend struct error *accept_one(struct port *p)
{
	struct stream *stream;
	_cleanup_(error_freep) struct error *err = listener_accept(p->listener, &stream);

	if (!err) {
		admit(p->server, stream);
		return NULL;
	}
	if (error_is(err, ERR_CANCELLED))
		return take(err);
	log_warn("cannot accept connections", LOG_ERR(err));
	return fiber_sleep(100 * MILLISECOND);
}

static may_suspend void accept_all(void *arg)
{
	struct error *err = NULL;

	while (!err)
		err = accept_one(arg);
	error_free(err);
}

void http_server_listen(struct http_server *s, struct listener *l)
{
	struct port *p = mem_new(struct port);

	assert(!s->stopping);
	p->server = s;
	p->listener = l;
	list_append(&s->ports, &p->link);
	group_go(&s->accepting, "http accept", accept_all, p);
}

static void close_ports(struct http_server *s)
{
	struct list *link;

	while ((link = list_pop(&s->ports))) {
		struct port *p = list_item(link, struct port, link);

		listener_close(p->listener);
		free(p);
	}
}

/* Those between two requests; one that has not run yet sees by itself that there is a stop. */
static void end_idle(struct http_server *s)
{
	list_for_each(link, &s->connections) {
		struct http_connection *c = list_item(link, struct http_connection, link);

		if (c->fiber && !c->busy)
			fiber_cancel(c->fiber);
	}
}

may_suspend void http_server_stop(struct http_server *s, int64_t grace)
{
	struct deadline d;

	s->stopping = true;
	group_finish(&s->accepting);
	close_ports(s);
	end_idle(s);

	d = deadline_begin(grace);
	error_free(group_wait(&s->serving));
	deadline_end(&d);
	group_finish(&s->serving);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	assert(s->n == 0 && s->held == 0 && list_empty(&s->ports));
	free(s);
}
