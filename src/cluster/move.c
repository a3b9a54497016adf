/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One guarded container, made again: let go of its networks, created by the same expressions, put
 * into the rest of its networks, started. Each run goes as far as it can; what fails is tried again
 * later from where it stands, which is what the tables and the guard say (guards.h).
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/call.h"
#include "cluster/internal.h"
#include "cluster/networks.h"
#include "cluster/place.h"
#include "docker/specification.h"
#include "engine/client.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "json/build.h"
#include "json/edit.h"

#define PAUSE_MIN  (1 * SECOND)
#define PAUSE_MAX  (60 * SECOND)
#define START_TIME (2 * MINUTE)
#define PROBES	   3
#define PROBE_GAP  (5 * SECOND)

struct move {
	struct cluster *c;
	struct guard *g; /* a reference */
	struct arena arena;
	struct json specification;
	struct specified_networks networks;
	bool absent; /* its node left the pool and does not answer */
	bool asked;  /* an engine may have been asked to create it */
};

/* Before each step that changes something: all may be otherwise by now. */
static struct error *check(const struct move *m, enum guard_state expected)
{
	enum guard_verdict v;

	TRY(guards_check_acting(m->c));
	if (m->g->dropped)
		return error_new(ERR_NOT_FOUND, "it was removed");
	if (m->g->state != expected)
		return error_new(ERR_UNAVAILABLE, "its node is another now");
	if (expected != GUARD_LOST)
		return NULL;
	v = guard_judge(m->c, m->g);
	if (v == GUARD_FAILED || (v == GUARD_ABSENT && m->absent))
		return NULL;
	return error_new(ERR_UNAVAILABLE, "its node may be back");
}

static may_suspend bool answers(const struct move *m)
{
	struct engine_config config = {
		.refresh_min = m->c->config.refresh_min,
		.refresh_max = m->c->config.refresh_max,
		.failure_retry = m->c->config.failure_retry,
		.tls = m->c->config.engine_tls,
		.observer = &cluster_observer,
		.observer_arg = m->c,
	};
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	_cleanup_(error_freep) struct error *err = NULL;
	struct addr addr;

	err = addr_parse(str_from(m->g->node_addr), &addr);
	if (err)
		return false;
	e = engine_new(&addr, &config);
	err = engine_call_ping(e);
	return err == NULL;
}

/* One that answers was taken out on purpose, and its containers with it. */
static may_suspend struct error *ask_absent_node(struct move *m)
{
	for (int i = 0; i < PROBES; i++) {
		if (i > 0)
			TRY(fiber_sleep(PROBE_GAP));
		if (m->g->dropped || m->g->state != GUARD_LOST)
			return error_new(ERR_NOT_FOUND, "its node is another now");
		if (!answers(m)) {
			TRY(fiber_check());
			continue;
		}
		return guards_check_acting(m->c);
	}
	m->absent = true;
	return NULL;
}

static void leave_with_node(struct move *m)
{
	log_info("a node that answers was taken out of the pool: its container is not rescheduled",
		 LOG_CSTR("name", m->g->name), LOG_CSTR("node", m->g->node_name));
	guard_drop(m->c, m->g);
}

/* Where a network of that name is on a node that is well. */
static bool is_there(const struct cluster *c, enum object_kind kind, struct str name)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };

	object_index_find_all(&c->objects[kind], name, &f);
	for (size_t i = 0; i < f.n; i++)
		if (engine_state(f.v[i].engine) == ENGINE_HEALTHY)
			return true;
	return false;
}

static bool is_global(const struct cluster *c, struct str network)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };

	object_index_find_all(&c->objects[OBJECT_NETWORK], network, &f);
	return f.n && f.v[0].object->global;
}

static bool is_swarms(const struct cluster *c, struct str network)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };

	object_index_find_all(&c->objects[OBJECT_NETWORK], network, &f);
	return f.n && str_eq(f.v[0].object->scope, STR("swarm"));
}

/*
 * In a swarm's network its manager draws the address, the container shows it as if it had been
 * asked for, and to the swarm it stays the failed node's until that is back: another is drawn.
 */
static struct error *leave_addresses(struct move *m)
{
	struct json_edit *edit = json_edit_new(m->specification, &m->arena);
	struct strbuf text = STRBUF_INIT;
	struct error *err;

	for (size_t i = 0; i < m->networks.n; i++) {
		const struct specified_network *n = &m->networks.v[i];
		struct json asked = json_get(n->endpoint, "IPAMConfig");

		if (json_exists(asked) && is_swarms(m->c, n->name))
			json_edit_replace(edit, asked, STR("null"));
	}
	json_edit_apply(edit, &text);
	err = json_parse(arena_dup(&m->arena, strbuf_str(&text)), &m->arena, &m->specification);
	strbuf_fini(&text);
	TRY(err);
	m->networks = specification_networks(m->specification, &m->arena);
	return NULL;
}

/*
 * What the failed node still holds of a global network would be in the way of the same name there.
 * Where the network does not know of it there is nothing to let go.
 */
static may_suspend void let_go_of_networks(struct move *m)
{
	for (size_t i = 0; i < m->networks.n; i++) {
		struct str network = m->networks.v[i].name;
		struct error *err;

		if (!is_global(m->c, network) || !is_there(m->c, OBJECT_NETWORK, network))
			continue;
		err = cluster_disconnect_lost(m->c, network, str_from(m->g->name));
		if (err)
			log_debug("nothing to disconnect from a network",
				  LOG_CSTR("name", m->g->name), LOG_STR("network", network),
				  LOG_ERR(err));
		error_free(err);
	}
}

static void write_connect(const struct specified_network *n, struct str container,
			  struct strbuf *out)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_put_str(&o, "Container", container);
	json_put_raw(&o, "EndpointConfig", json_raw(n->endpoint));
	json_end_object(&o);
}

/* One of the failed node alone stays behind, and the log says so. */
static may_suspend struct error *connect(struct move *m, const struct specified_network *n)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct error *err;

	if (!is_there(m->c, OBJECT_NETWORK, n->name)) {
		log_warn("a container that was rescheduled is not in a network that it was in",
			 LOG_CSTR("name", m->g->name), LOG_STR("network", n->name));
		return NULL;
	}
	write_connect(n, str_from(m->g->container), &body);
	err = cluster_connect_again(m->c, n->name, strbuf_str(&body));
	if (!error_is(err, ERR_NOT_FOUND) || !guard_container(m->c, m->g))
		return err;
	log_warn("a container that was rescheduled is not in a network that it was in",
		 LOG_CSTR("name", m->g->name), LOG_STR("network", n->name), LOG_ERR(err));
	error_free(err);
	return NULL;
}

/* What is of one node alone would be another thing elsewhere. */
static struct error *check_what_it_needs(struct move *m)
{
	struct str mode = specification_network(m->specification);
	struct container_config config;

	TRY(container_config_read(json_raw(m->specification), &m->arena, &config));
	if (!str_empty(mode) && !is_there(m->c, OBJECT_NETWORK, mode))
		return error_new(ERR_NO_NODE, "network %.*s is on no healthy node", STR_ARG(mode));
	for (size_t i = 0; i < config.volumes.n; i++) {
		struct str name = config.volumes.v[i];

		if (!is_there(m->c, OBJECT_VOLUME, name))
			return error_new(ERR_NO_NODE, "volume %.*s is on no healthy node",
					 STR_ARG(name));
	}
	return NULL;
}

/* A generation is used once: whether a copy got it may never be known. */
static may_suspend struct error *take_generation(struct move *m)
{
	struct guard *g = m->g;

	if (g->spent) {
		g->astray |= g->generation > g->copy;
		g->generation++;
		g->spent = false;
	}
	TRY(guard_await_saved(m->c, g));
	return check(m, GUARD_LOST);
}

static bool is_known_to_have_failed(const struct error *err)
{
	return err && !call_is_unanswered(err);
}

static may_suspend struct error *create(struct move *m)
{
	struct guard *g = m->g;
	struct create_again again = { str_from(g->swarm_id), 0 };
	struct http_header type = { STR("Content-Type"), STR("application/json") };
	struct create_request req = {
		.version = API_VERSION_NEWEST,
		.headers = &type,
		.n_headers = 1,
		.name = str_from(g->name),
		.again = &again,
		.body = specification_body(m->specification, &m->arena),
	};
	struct error *err;
	struct str reply;

	TRY(check_what_it_needs(m));
	let_go_of_networks(m);
	TRY(check(m, GUARD_LOST));
	TRY(take_generation(m));
	again.generation = g->generation;
	g->spent = m->asked = true;
	err = cluster_create(m->c, &req, &m->arena, &reply);
	if (is_known_to_have_failed(err))
		g->spent = false;
	return err;
}

/* It was removed by a client while it was being made. */
static may_suspend void undo(struct move *m)
{
	const struct container *ct =
		index_copy(&m->c->containers, str_from(m->g->swarm_id), str_from(m->g->name), NULL);
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	struct str id;
	struct error *err;

	if (!m->asked || !ct || ct->generation < m->g->generation ||
	    ct->state.status != CONTAINER_CREATED)
		return;
	e = engine_ref(ct->engine);
	id = arena_dup(&m->arena, ct->id);
	err = engine_call_remove(e, id, true, true);
	if (!err)
		engine_forget_container(e, id);
	else
		log_warn("a container that was removed while it was rescheduled is still there",
			 LOG_CSTR("name", m->g->name), LOG_STR("node", engine_name(e)),
			 LOG_ERR(err));
	error_free(err);
}

static may_suspend struct error *join_networks(struct move *m, struct json inspect)
{
	struct json now = json_path(inspect, "NetworkSettings.Networks"), endpoint;

	for (size_t i = 0; i < m->networks.n; i++) {
		struct json_iter it = json_iter(now);
		bool joined = false;
		struct str name;

		while (json_type(now) == JSON_OBJECT && json_next(&it, &name, &endpoint))
			joined |= str_eq(name, m->networks.v[i].name);
		if (joined)
			continue;
		TRY(check(m, GUARD_UNFINISHED));
		TRY(connect(m, &m->networks.v[i]));
	}
	return NULL;
}

static may_suspend struct error *start(struct move *m, struct engine *e, struct str id)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(START_TIME);
	struct str path = arena_printf(&m->arena, "/containers/%.*s/start", STR_ARG(id));
	struct str nothing;

	TRY(check(m, GUARD_UNFINISHED));
	return call_engine(e, API_VERSION_NEWEST, "POST", path, &m->arena, &nothing);
}

static void tell(struct move *m, struct engine *e)
{
	const struct guard *g = m->g;

	log_info("container rescheduled", LOG_CSTR("name", g->name), LOG_CSTR("from", g->from),
		 LOG_STR("to", engine_name(e)), LOG_CSTR("as", g->container),
		 LOG_NUM("generation", g->generation));
	events_rescheduled(m->c, e, str_from(g->name), str_from(g->container),
			   str_from(g->swarm_id), str_from(g->from));
}

/* Where it stands may be known from before a restart only: the engine is asked. */
static may_suspend struct error *finish(struct move *m)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	const struct container *ct = guard_container(m->c, m->g);
	struct json inspect;
	struct str id;
	bool is_read;

	TRY(check(m, GUARD_UNFINISHED));
	if (!ct)
		return error_new(ERR_UNAVAILABLE, "its node is another now");
	e = engine_ref(ct->engine);
	id = arena_dup(&m->arena, ct->id);
	if (copies_are_in_the_way(m->c, m->g))
		return error_new(ERR_UNAVAILABLE, "its node is back, and still has a copy");

	TRY(engine_call_inspect_container(e, id, &m->arena, &inspect));
	TRY(join_networks(m, inspect));
	if (m->g->running && json_str_eq(json_path(inspect, "State.Status"), STR("created")))
		TRY(start(m, e, id));
	/* Who hears of it finds it as it is. */
	is_read = engine_read_back_container(e, id);
	TRY(check(m, GUARD_UNFINISHED));
	tell(m, e);
	guard_finished(m->c, m->g, is_read ? guard_container(m->c, m->g) : NULL);
	return NULL;
}

static may_suspend struct error *run(struct move *m)
{
	struct guard *g = m->g;

	TRY(json_parse(arena_dup(&m->arena, strbuf_str(&g->specification)), &m->arena,
		       &m->specification));
	m->networks = specification_networks(m->specification, &m->arena);
	TRY(leave_addresses(m));
	if (g->state == GUARD_LOST) {
		if (guard_judge(m->c, g) == GUARD_ABSENT) {
			TRY(ask_absent_node(m));
			if (!m->absent) {
				leave_with_node(m);
				return NULL;
			}
		}
		TRY(check(m, GUARD_LOST));
		if (!g->pause)
			log_info("rescheduling a container", LOG_CSTR("name", g->name),
				 LOG_CSTR("from", g->node_name));
		TRY(create(m));
	}
	return g->state == GUARD_UNFINISHED ? finish(m) : NULL;
}

/* The same trouble is logged once. */
static void try_later(struct move *m, const struct error *err)
{
	struct guard *g = m->g;
	struct str why = str_from(error_message(err));

	g->pause = g->pause ? MIN(2 * g->pause, PAUSE_MAX) : PAUSE_MIN;
	g->retry_at = clock_now() + g->pause;
	if (g->trouble.n && str_eq(strbuf_str(&g->trouble), why))
		return;
	strbuf_reset(&g->trouble);
	strbuf_add(&g->trouble, why);
	log_warn("a container cannot be rescheduled yet; it is tried again",
		 LOG_CSTR("name", g->name), LOG_CSTR("node", g->node_name), LOG_ERR(err));
}

static may_suspend void move_main(void *arg)
{
	struct move *m = arg;
	struct guard *g = m->g;
	_cleanup_(error_freep) struct error *err = fence_enter(m->c->config.fence);

	if (!err)
		err = run(m);

	g->moving = false;
	if (g->dropped && !error_is(err, ERR_CANCELLED))
		undo(m);
	else if (err && !error_is(err, ERR_CANCELLED) && g->state != GUARD_KEPT)
		try_later(m, err);
	guards_wake(m->c);
	guard_unref(g);
	arena_fini(&m->arena);
	free(m);
}

void move_begin(struct cluster *c, struct guard *g)
{
	struct move *m = mem_new(struct move);

	m->c = c;
	m->g = guard_ref(g);
	g->moving = true;
	group_go(&c->guards.moves, "reschedule", move_main, m);
}
