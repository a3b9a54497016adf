/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of an engine's /events, read and written out again with the node it came from.
 */
#ifndef DOCKER_EVENT_H
#define DOCKER_EVENT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "docker/filters.h"
#include "json/json.h"

struct docker_event {
	struct json root;
	struct str type, action; /* "container", "exec_create: sh" */
	struct str actor_id;	 /* container id, image name, network id, volume name ... */
	struct json attributes;
	struct str scope;
	int64_t time_nano; /* unix ns, the engine's clock */
};

must_check struct error *docker_event_read(struct str line, struct arena *arena,
					   struct docker_event *ret);

/* The node named in events. */
struct event_node {
	struct str name, id, addr, ip;
};

/*
 * The event's text with node.name, node.id, node.addr, node.ip in Actor.Attributes, a `node`
 * object, and " node:NAME" behind `from` where there is one. No newline.
 */
void docker_event_write(const struct docker_event *ev, const struct event_node *node,
			struct strbuf *out);

/* An event of the pool itself: type "node", action "engine_connect" and so on. No newline. */
void docker_event_pool(const char *action, const struct event_node *node, int64_t time_nano,
		       struct strbuf *out);
/* The same of a manager ("host:port"): "leader_elected", "leader_lost". */
void docker_event_manager(const char *action, struct str manager, int64_t time_nano,
			  struct strbuf *out);

/*
 * Whether the event passes /events' filters (container, image, label, type, event, scope, node
 * ...).
 */
bool docker_event_match(const struct docker_event *ev, const struct event_node *node,
			const struct filters *f);
/* ERR_INVALID for a filter that /events does not know. */
must_check struct error *docker_event_filters_check(const struct filters *f);

#endif
