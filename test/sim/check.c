/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold whenever nothing is under way, whatever happened before: the manager's tables are
 * what is really on the engines, reservations are their sum, nothing is held.
 */
#include "sim/internal.h"

#include "base/list.h"
#include "cluster/internal.h"
#include "fiber/fiber.h"
#include "sim/engine.h"

static int64_t label_cores(const struct sim_container *c)
{
	struct str text = json_get_str(json_get(c->config, "Labels"), LABEL_SWARM_CPUS);
	int64_t nano = 0;

	return config_cores_parse(text, &nano) ? nano : 0;
}

/* Section 5: what was asked for as cores, else NanoCpus. */
static int64_t reserved_cpus(const struct sim_container *c)
{
	return c->nano_cpus ?: label_cores(c);
}

static void check_container(struct engine *node, const struct sim_container *real)
{
	const struct container *known = map_get(engine_containers(node), str_from(real->id));
	const char *state;

	if (!known)
		fail_msg("%s: the manager does not know %s (%s)", real->engine->name, real->name,
			 real->id);
	assert_str(known->name, real->name);
	state = container_status_name(known->state.status);
	if (strcmp(state, fake_container_state_name(real)) != 0)
		fail_msg("%s: %s is %s, and %s to the manager", real->engine->name, real->name,
			 fake_container_state_name(real), state);
	assert_int_equal(known->memory, real->memory);
	assert_int_equal(known->nano_cpus, reserved_cpus(real));
}

static void check_images(struct engine *node, const struct sim_engine *e)
{
	for (size_t i = 0; i < e->images.n; i++) {
		const struct sim_image *real = e->images.v[i];
		const struct image *known = map_get(engine_images(node), str_from(real->id));

		if (!known)
			fail_msg("%s: the manager does not know image %s", e->name, real->id);
		if (known->n_tags != real->tags.n)
			fail_msg("%s: image %s has %zu tags, and %u to the manager", e->name,
				 real->id, real->tags.n, known->n_tags);
	}
	assert_int_equal(engine_images(node)->n, e->images.n);
}

static void check_objects(struct engine *node, const struct sim_engine *e)
{
	for (size_t i = 0; i < e->volumes.n; i++) {
		const struct sim_volume *real = e->volumes.v[i];

		if (!map_get(engine_volumes(node), str_from(real->name)))
			fail_msg("%s: the manager does not know volume %s", e->name, real->name);
	}
	for (size_t i = 0; i < e->networks.n; i++) {
		const struct sim_network *real = e->networks.v[i];

		if (!map_get(engine_networks(node), str_from(real->id)))
			fail_msg("%s: the manager does not know network %s", e->name, real->name);
	}
	assert_int_equal(engine_volumes(node)->n, e->volumes.n);
	assert_int_equal(engine_networks(node)->n, e->networks.n);
}

static void check_devices(const struct member *m)
{
	size_t n = m->sched.devices ? m->sched.devices->n_kinds : 0;
	_cleanup_(mem_freep) int64_t *counted = mem_zalloc((n + 1) * sizeof(*counted));

	if (!n)
		return;
	devices_count(m, counted);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(m->sched.reserved_devices[i], counted[i]);
		assert_true(counted[i] <= m->sched.devices->kinds[i].total);
	}
}

static void check_engine(const struct sim *s, const struct sim_engine *e)
{
	int64_t cpus = 0, memory = 0, known_cpus, known_memory;
	struct engine *node = sim_node(s, e);
	const struct member *m;

	if (!node || engine_state(node) != ENGINE_HEALTHY)
		return;
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *real = e->containers.v[i];

		check_container(node, real);
		cpus += reserved_cpus(real);
		memory += real->memory;
	}
	if (engine_containers(node)->n != e->containers.n)
		fail_msg("%s has %zu containers, and %zu to the manager", e->name, e->containers.n,
			 engine_containers(node)->n);
	check_images(node, e);
	check_objects(node, e);

	cluster_reserved(node, &known_cpus, &known_memory);
	assert_int_equal(known_cpus, cpus);
	assert_int_equal(known_memory, memory);
	m = member_of(node);
	assert_int_equal(m->sched.containers, e->containers.n);
	assert_int_equal(m->running + m->paused + m->stopped, e->containers.n);
	assert_true(list_empty(&m->flights));
	assert_true(list_empty(&m->turns));
	assert_int_equal(m->asked, 0);
	check_devices(m);
}

void sim_check(struct sim *s)
{
	const struct cluster *c = s->cluster;

	assert_int_equal(c->flight_names.n, 0);
	assert_int_equal(c->flight_swarm_ids.n, 0);
	assert_int_equal(c->claims.n, 0);
	assert_int_equal(c->network_names.n, 0);
	for (size_t i = 0; i < s->engines.n; i++) {
		const struct sim_engine *e = s->engines.v[i];

		if (e->listed)
			check_engine(s, e);
	}
}

/* What the creations under way hold, but for those whose container is known already. */
static void check_sums(const struct member *m)
{
	int64_t cpus = 0, memory = 0;
	uint32_t n = 0;
	const struct container *ct;

	for (size_t i = 0; (ct = map_next(engine_containers(m->engine), &i)); n++) {
		cpus += ct->nano_cpus;
		memory += ct->memory;
	}
	list_for_each(link, &m->flights) {
		const struct flight *f = list_item(link, struct flight, at_member);

		if (f->landed)
			continue;
		cpus += f->nano_cpus;
		memory += f->memory;
		n++;
	}
	assert_int_equal(m->sched.containers, n);
	assert_int_equal(m->sched.reserved_nano_cpus, cpus);
	assert_int_equal(m->sched.reserved_memory, memory);
	if (m->sched.slots >= 0)
		assert_true(m->sched.containers <= m->sched.slots);
}

static void check_ports(const struct port_table *t)
{
	for (size_t i = 1; i < t->n; i++)
		if (t->v[i].port.port == t->v[i - 1].port.port &&
		    t->v[i].port.protocol == t->v[i - 1].port.protocol)
			fail_msg("port %u is held by %.*s and %.*s", t->v[i].port.port,
				 STR_ARG(t->v[i - 1].name), STR_ARG(t->v[i].name));
}

void sim_check_busy(struct sim *s)
{
	const struct cluster *c = s->cluster;
	const struct container *ct;
	const struct flight *f;

	for (size_t i = 0; i < c->nodes.n; i++) {
		const struct member *m = member_of_node(c->nodes.v[i]);

		check_sums(m);
		check_devices(m);
		check_ports(&m->ports);
		assert_true(m->asked <= c->config.create_limit);
	}
	for (size_t i = 0; (ct = map_next(&c->containers.names, &i));)
		if (list_linked(&ct->by_name))
			fail_msg("two containers are called %.*s", STR_ARG(ct->name));
	/* A held name is its creation's alone: a container that has it is that one. */
	for (size_t i = 0; (f = map_next(&c->flight_names, &i));) {
		ct = map_get(&c->containers.names, f->name);
		if (ct && !str_empty(f->swarm_id))
			assert_true(str_eq(ct->swarm_id, f->swarm_id));
	}
}

/* Long enough for news to arrive, for what was broken to be tried again, and for a reconcile. */
may_suspend void sim_settle(struct sim *s)
{
	sim_run(s, 3 * MINUTE);
	sim_check(s);
}
