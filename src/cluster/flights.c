/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creations under way: from the moment a node is chosen they count as containers there, and their
 * name is taken, until the container is in the tables or the creation has failed.
 */
#include <assert.h>

#include "cluster/internal.h"

struct str flight_name_key(const void *item)
{
	return ((const struct flight *)item)->name;
}

struct str flight_swarm_id_key(const void *item)
{
	return ((const struct flight *)item)->swarm_id;
}

static struct error *name_taken(struct str name, struct str holder)
{
	return error_new(
		ERR_CONFLICT,
		"Conflict: The name %.*s is already assigned. You have to delete (or rename) "
		"that container%s%.*s%s to be able to assign %.*s to a container again.",
		STR_ARG(name), str_empty(holder) ? "" : " (", STR_ARG(holder),
		str_empty(holder) ? "" : ")", STR_ARG(name));
}

static struct error *hold(struct cluster *c, struct flight *f, struct str name)
{
	if (map_get(&c->flight_names, name))
		return name_taken(name, STR_NONE);
	f->name = name;
	map_put(&c->flight_names, f);
	return NULL;
}

/* One that waits to be made again keeps its name, though no engine may tell of it. */
struct error *flight_hold_name(struct cluster *c, struct flight *f, struct str name)
{
	const struct guard *lost = guards_lost_named(c, name);
	bool alone;
	const struct container *ct = index_by_name(&c->containers, name, &alone);

	if (ct)
		return name_taken(name, str_first(ct->id, 12));
	if (lost)
		return name_taken(name, str_first(str_from(lost->container), 12));
	return hold(c, f, name);
}

struct error *flight_take_name(struct cluster *c, struct flight *f, struct str name,
			       struct str swarm_id, uint32_t generation)
{
	bool alone = true;
	const struct container *ct = index_by_name(&c->containers, name, &alone);

	if (ct && (!alone || !str_eq(ct->swarm_id, swarm_id) ||
		   (engine_state(ct->engine) == ENGINE_HEALTHY && ct->generation >= generation)))
		return name_taken(name, str_first(ct->id, 12));
	return hold(c, f, name);
}

void flight_board(struct flight *f, struct member *m, struct str swarm_id)
{
	f->member = m;
	f->engine = engine_ref(m->engine);
	f->swarm_id = swarm_id;
	f->landed = false;
	list_append(&m->flights, &f->at_member);
	if (!str_empty(swarm_id))
		map_put(&m->cluster->flight_swarm_ids, f);

	for (size_t i = 0; i < f->n_volumes; i++)
		claim_take(m->cluster, f->volumes[i], f->engine);
	m->sched.containers++;
	m->sched.reserved_nano_cpus += f->nano_cpus;
	m->sched.reserved_memory += f->memory;
	devices_step_flight(m, f, 1);
	for (size_t i = 0; i < f->n_ports; i++)
		port_table_add(&m->ports, &f->ports[i], f, f->name);
	labels_enter(m, f->labels, f->image);
}

/* Gives back what it reserved on its node, once. */
static void unreserve(struct flight *f)
{
	struct member *m = f->member;

	if (!m || f->landed)
		return;
	m->sched.containers--;
	m->sched.reserved_nano_cpus -= f->nano_cpus;
	m->sched.reserved_memory -= f->memory;
	devices_step_flight(m, f, -1);
	for (size_t i = 0; i < f->n_ports; i++)
		port_table_remove(&m->ports, &f->ports[i], f);
	labels_leave(m, f->labels, f->image);
	f->landed = true;
}

may_suspend struct error *flight_await_turn(struct cluster *c, struct flight *f)
{
	struct member *m = f->member;

	if (m && m->asked < c->config.create_limit) {
		m->asked++;
		f->asked = true;
	} else if (m) {
		list_append(&m->turns, &f->at_turn);
	}
	while (f->member && !f->asked) {
		struct error *err = waitq_wait(&f->turn, "a turn to create");

		if (err) {
			list_remove(&f->at_turn);
			return err;
		}
	}
	if (!f->member)
		return error_new(ERR_UNAVAILABLE, "the node left while the container was created");
	return NULL;
}

/* The turn is handed to the next, so that nobody who comes now is before who waits. */
void flight_end_turn(struct flight *f)
{
	struct list *link;
	struct flight *next;

	if (!f->asked)
		return;
	f->asked = false;
	link = list_pop(&f->member->turns);
	if (!link) {
		f->member->asked--;
		return;
	}
	next = list_item(link, struct flight, at_turn);
	next->asked = true;
	waitq_wake_one(&next->turn);
}

void flight_leave(struct cluster *c, struct flight *f)
{
	unreserve(f);
	flight_end_turn(f);
	for (size_t i = 0; f->engine && i < f->n_volumes; i++)
		claim_drop(c, f->volumes[i]);
	if (f->member)
		list_remove(&f->at_member);
	f->member = NULL;
	if (!str_empty(f->swarm_id) && map_get(&c->flight_swarm_ids, f->swarm_id) == f)
		map_del(&c->flight_swarm_ids, f->swarm_id);
	engine_unref(take(f->engine));
}

/* Another one's labels may have been copied with their swarm id; a name that is held is nobody's. */
static bool is_made_by(const struct container *ct, const struct flight *f)
{
	return f->engine == ct->engine && (str_empty(f->name) || str_eq(f->name, ct->name));
}

/* The container counts by itself from now on; the name stays held until flight_end. */
void flight_land(struct cluster *c, const struct container *ct)
{
	struct flight *f = NULL;

	if (!str_empty(ct->swarm_id))
		f = map_get(&c->flight_swarm_ids, ct->swarm_id);
	if (f && is_made_by(ct, f))
		unreserve(f);
}

static const struct container_port *copy_ports(const struct flight *f, struct arena *arena)
{
	struct container_port *ports = arena_new_array(arena, struct container_port, f->n_ports);

	if (f->n_ports)
		memcpy(ports, f->ports, f->n_ports * sizeof(*ports));
	return ports;
}

static const struct str *copy_volumes(const struct flight *f, struct arena *arena)
{
	struct str *volumes = arena_new_array(arena, struct str, f->n_volumes);

	for (size_t i = 0; i < f->n_volumes; i++)
		volumes[i] = arena_dup(arena, f->volumes[i]);
	return volumes;
}

static struct json copy_json(struct json value, struct arena *arena)
{
	struct json copy = { 0 };
	struct error *err;

	if (!json_exists(value))
		return copy;
	err = json_parse(arena_dup(arena, json_raw(value)), arena, &copy);
	assert(!err);
	return copy;
}

/* The ports that it reserved are known by whose they are. */
static void move_ports(struct flight *from, struct flight *to)
{
	struct port_table *t = from->member && !from->landed ? &from->member->ports : NULL;

	for (size_t i = 0; t && i < from->n_ports; i++) {
		port_table_remove(t, &from->ports[i], from);
		port_table_add(t, &to->ports[i], to, to->name);
	}
}

void flight_move(struct cluster *c, struct flight *from, struct flight *to, struct arena *arena)
{
	assert(!from->asked);
	*to = *from;
	list_init(&to->at_turn);
	to->turn = (struct waitq)WAITQ_INIT;
	to->name = arena_dup(arena, from->name);
	to->swarm_id = arena_dup(arena, from->swarm_id);
	to->ports = copy_ports(from, arena);
	to->labels = copy_json(from->labels, arena);
	to->devices = copy_json(from->devices, arena);
	to->volumes = copy_volumes(from, arena);
	to->image = arena_dup(arena, from->image);
	move_ports(from, to);

	list_init(&to->at_member);
	if (from->member) {
		list_append(&from->member->flights, &to->at_member);
		list_remove(&from->at_member);
	}
	if (!str_empty(from->name) && map_get(&c->flight_names, from->name) == from)
		map_put(&c->flight_names, to);
	if (!str_empty(from->swarm_id) && map_get(&c->flight_swarm_ids, from->swarm_id) == from)
		map_put(&c->flight_swarm_ids, to);
	*from = (struct flight){ 0 };
}

void flight_end(struct cluster *c, struct flight *f)
{
	flight_leave(c, f);
	if (!str_empty(f->name) && map_get(&c->flight_names, f->name) == f)
		map_del(&c->flight_names, f->name);
}

/* A creation under way there finds out by its own call. */
void flights_strand(struct member *m)
{
	list_for_each(link, &m->flights) {
		struct flight *f = list_item(link, struct flight, at_member);

		unreserve(f);
		list_remove(&f->at_member);
		list_remove(&f->at_turn);
		f->asked = false;
		f->member = NULL;
		waitq_wake_one(&f->turn);
	}
}
