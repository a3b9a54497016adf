/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of the pool: what each engine tells is entered here, one step for each piece of news,
 * so that placement and look-up never add anything up.
 */
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "fiber/clock.h"

struct member *member_of(const struct engine *e)
{
	return engine_owner(e);
}

struct member *member_of_node(const struct sched_node *n)
{
	return container_of(n, struct member, sched);
}

struct event_node event_node_of(const struct engine *e)
{
	return (struct event_node){
		.name = engine_name(e),
		.id = engine_id(e),
		.addr = engine_addr(e),
		.ip = engine_ip(e),
	};
}

/* The lowest that is free: sets of nodes are as long as the highest. */
static void number_draw(struct member *m)
{
	struct cluster *c = m->cluster;
	size_t at = c->first_free;

	while (at < c->numbers.n && c->numbers.v[at])
		at++;
	if (at == c->numbers.n)
		vec_push(&c->numbers, m);
	c->numbers.v[at] = m;
	c->first_free = at + 1;
	m->sched.number = (uint32_t)at;
}

static void number_give_back(const struct member *m)
{
	struct cluster *c = m->cluster;

	c->numbers.v[m->sched.number] = NULL;
	c->first_free = MIN(c->first_free, m->sched.number);
}

struct member *member_new(struct cluster *c, const struct addr *a)
{
	struct engine_config config = {
		.refresh_min = c->config.refresh_min,
		.refresh_max = c->config.refresh_max,
		.failure_retry = c->config.failure_retry,
		.kept = c->config.engine_kept,
		.news = c->config.engine_news,
		.tls = c->config.engine_tls,
		.fence = c->config.fence,
		.observer = &cluster_observer,
		.observer_arg = c,
	};
	struct member *m = mem_new(struct member);

	m->cluster = c;
	list_init(&m->flights);
	list_init(&m->turns);
	number_draw(m);
	c->unsettled++;
	m->engine = engine_new(a, &config);
	engine_set_owner(m->engine, m);
	m->sched.addr = engine_addr(m->engine);
	m->sched.lookups = &cluster_lookups;
	return m;
}

static void step_node_labels(struct member *m, tally_step_fn *step)
{
	struct tally *t = &m->cluster->node_labels;

	if (!m->info)
		return;
	step(t, STR("node"), m->sched.name, m->sched.number);
	step(t, STR("node"), m->sched.id, m->sched.number);
	for (size_t i = 0; i < m->sched.n_labels; i++)
		step(t, m->labels[i].key, m->labels[i].value, m->sched.number);
}

static void settle(struct member *m)
{
	if (!m->settled)
		m->cluster->unsettled--;
	m->settled = true;
	waitq_wake_all(&m->cluster->settled);
}

/* It is validated: its ID is taken, until it is dismissed. */
static void admit(struct member *m, const struct engine_info *info)
{
	m->admitted = engine_info_ref((struct engine_info *)info);
	slot_map_add(&m->cluster->by_id, info->id, m->engine, m);
}

static void dismiss(struct member *m)
{
	if (!m->admitted)
		return;
	slot_map_remove(&m->cluster->by_id, m->admitted->id, m->engine, m);
	engine_info_unref(m->admitted);
	m->admitted = NULL;
}

void member_free(struct member *m)
{
	if (!m)
		return;

	flights_strand(m);
	step_node_labels(m, tally_remove);
	number_give_back(m);
	dismiss(m);
	settle(m);
	engine_set_owner(m->engine, NULL);
	engine_unref(m->engine);
	engine_info_unref(m->info);
	port_table_fini(&m->ports);
	free(m->labels);
	free(m->reserved_devices);
	free(m);
}

/* Of both placement and look-ups would say the same. */
static bool same_labels(const struct engine_info *a, const struct engine_info *b)
{
	if (!str_eq(a->name, b->name) || !str_eq(a->id, b->id) || a->n_labels != b->n_labels)
		return false;
	for (size_t i = 0; i < a->n_labels; i++)
		if (!str_eq(a->labels[i].key, b->labels[i].key) ||
		    !str_eq(a->labels[i].value, b->labels[i].value))
			return false;
	return true;
}

/*
 * What the engine said of itself, as placement reads it. It says it again each minute, mostly the
 * same: then the tallies of all nodes are left alone.
 */
static void member_take_info(struct member *m, const struct engine_info *info)
{
	const bool same = m->info && same_labels(m->info, info);

	if (!same)
		step_node_labels(m, tally_remove);
	engine_info_unref(m->info);
	m->info = engine_info_ref((struct engine_info *)info);

	free(m->labels);
	m->labels = mem_realloc_array(NULL, info->n_labels + 1, sizeof(*m->labels));
	for (size_t i = 0; i < info->n_labels; i++)
		m->labels[i] = (struct sched_label){ info->labels[i].key, info->labels[i].value };

	m->sched.id = info->id;
	m->sched.name = info->name;
	sched_node_set_labels(&m->sched, m->labels, info->n_labels);
	m->sched.nano_cpus = info->cpus * 1000000000;
	m->sched.memory = info->memory;
	m->sched.platform = platform_of_engine(info->os_type, info->architecture);
	devices_take_info(m, info);
	if (!same)
		step_node_labels(m, tally_add);
}

static void member_set_placeable(struct member *m)
{
	m->place = m->cluster->nodes.n;
	vec_push(&m->cluster->nodes, &m->sched);
	m->placeable = true;
}

/* The last takes its place. */
static void member_unset_placeable(struct member *m)
{
	struct vec *nodes = &m->cluster->nodes;

	member_of_node(nodes->v[nodes->n - 1])->place = m->place;
	vec_remove_swap(nodes, m->place);
	m->placeable = false;
}

/* Where several machines share a host name, the first of them answers to it. */
static void name_add(struct member *m)
{
	slot_map_add(&m->cluster->by_name, m->sched.name, m->engine, m);
}

static void name_remove(struct member *m)
{
	slot_map_remove(&m->cluster->by_name, m->sched.name, m->engine, m);
}

/* Two addresses with one ID: one engine listed twice, or a machine that was cloned (section 3). */
static struct error *observe_validate(void *arg, struct engine *e, const struct engine_info *info)
{
	struct cluster *c = arg;
	const struct slot *same = map_get(&c->by_id, info->id);

	for (size_t i = 0; same && i < same->n; i++) {
		const struct engine *other = same->copies[i].engine;

		if (other == e)
			continue;
		if (str_eq(engine_name(other), info->name))
			return error_new(ERR_CONFLICT,
					 "ID duplicated. %.*s shared by this node %.*s and another "
					 "node %.*s",
					 STR_ARG(info->id), STR_ARG(engine_addr(e)),
					 STR_ARG(engine_addr(other)));
		log_warn("two machines have one engine ID: one is a clone of the other",
			 LOG_STR("id", info->id), LOG_STR("node", info->name),
			 LOG_STR("addr", engine_addr(e)), LOG_STR("other", engine_name(other)));
	}
	dismiss(member_of(e));
	admit(member_of(e), info);
	return NULL;
}

/* A healthy node's versions: 1 enters them, -1 takes them out. */
static void count_versions(struct member *m, int step)
{
	struct cluster *c = m->cluster;
	int minor = m->info ? m->info->api_newest.minor : -1;

	if (!m->info)
		return;
	if (minor >= 0 && minor < (int)ARRAY_LEN(c->api_versions))
		c->api_versions[minor] += (uint32_t)step;
	if (step > 0)
		slot_map_add(&c->versions, m->info->server_version, m->engine, m);
	else
		slot_map_remove(&c->versions, m->info->server_version, m->engine, m);
}

static void member_enter(struct member *m)
{
	member_take_info(m, engine_info(m->engine));
	member_set_placeable(m);
	name_add(m);
}

static void member_leave(struct member *m)
{
	if (!m->placeable)
		return;
	member_unset_placeable(m);
	name_remove(m);
}

static void observe_state(void *arg, struct engine *e, enum engine_state before)
{
	struct cluster *c = arg;
	struct member *m = member_of(e);
	enum engine_state now = engine_state(e);
	bool was_healthy = m->sched.healthy;

	if (now == ENGINE_HEALTHY && !m->placeable)
		member_enter(m);
	m->sched.healthy = now == ENGINE_HEALTHY;
	m->sched.health = (uint8_t)engine_health(e);
	if (m->sched.healthy != was_healthy)
		count_versions(m, m->sched.healthy ? 1 : -1);

	if (now == ENGINE_HEALTHY && before == ENGINE_PENDING)
		events_pool(c, e, "engine_connect");
	else if (now == ENGINE_HEALTHY && before == ENGINE_UNHEALTHY)
		events_pool(c, e, "engine_reconnect");
	else if (now != ENGINE_HEALTHY && before == ENGINE_HEALTHY)
		events_pool(c, e, "engine_disconnect");

	if (now == ENGINE_PENDING || now == ENGINE_GONE) {
		dismiss(m);
		member_leave(m);
	}
	settle(m);
	guards_engine(c, e);
}

static void count_state(struct member *m, const struct container *ct, int step)
{
	switch (ct->state.status) {
	case CONTAINER_RUNNING:
	case CONTAINER_RESTARTING:
		m->running += (uint32_t)step;
		break;
	case CONTAINER_PAUSED:
		m->paused += (uint32_t)step;
		break;
	default:
		m->stopped += (uint32_t)step;
	}
}

static void container_enter(struct member *m, struct container *ct)
{
	m->sched.containers++;
	m->sched.reserved_nano_cpus += ct->nano_cpus;
	m->sched.reserved_memory += ct->memory;
	devices_step_container(m, ct, 1);
	count_state(m, ct, 1);
	for (size_t i = 0; i < ct->n_ports; i++)
		port_table_add(&m->ports, &ct->ports[i], ct, ct->name);
	index_add(&m->cluster->containers, ct);
}

static void container_leave(struct member *m, struct container *ct)
{
	index_remove(&m->cluster->containers, ct);
	for (size_t i = 0; i < ct->n_ports; i++)
		port_table_remove(&m->ports, &ct->ports[i], ct);
	count_state(m, ct, -1);
	m->sched.reserved_nano_cpus -= ct->nano_cpus;
	m->sched.reserved_memory -= ct->memory;
	devices_step_container(m, ct, -1);
	m->sched.containers--;
}

static void observe_container(void *arg _unused_, struct engine *e, struct container *before,
			      struct container *after)
{
	struct member *m = member_of(e);

	if (before)
		container_leave(m, before);
	labels_of_container(m, before, after);
	if (after)
		container_enter(m, after);
	if (after && !before)
		flight_land(m->cluster, after);
	guards_container(m->cluster, e, before, after);
}

static void observe_image(void *arg, struct engine *e, struct image *before, struct image *after)
{
	struct cluster *c = arg;

	if (before)
		image_index_remove(&c->images, e, before);
	if (after)
		image_index_add(&c->images, e, after);
}

static bool is_projects(const struct object *o)
{
	return !o->global && !str_empty(o->project);
}

static void observe_object(void *arg, struct engine *e, struct object *before, struct object *after)
{
	struct cluster *c = arg;

	if (before) {
		object_index_remove(&c->objects[before->kind], e, before);
		if (is_projects(before))
			slot_map_remove(&c->projects, before->project, e, before);
	}
	if (after) {
		object_index_add(&c->objects[after->kind], e, after);
		if (is_projects(after))
			slot_map_add(&c->projects, after->project, e, after);
	}
}

static void observe_event(void *arg, struct engine *e, const struct docker_event *ev)
{
	events_engine(arg, e, ev);
}

static void observe_events_lost(void *arg, struct engine *e, int64_t from, int64_t to)
{
	_cleanup_(strbuf_fini) struct strbuf since = STRBUF_INIT, until = STRBUF_INIT;

	time_format_rfc3339_nano(from, &since);
	time_format_rfc3339_nano(to, &until);
	log_warn("events of a node may have been lost", LOG_STR("node", engine_name(e)),
		 LOG_STR("from", strbuf_str(&since)), LOG_STR("to", strbuf_str(&until)));
	events_lost(arg, e, from, to);
}

static bool same_version(const struct engine_info *a, const struct engine_info *b)
{
	return a->api_newest.minor == b->api_newest.minor &&
	       str_eq(a->server_version, b->server_version);
}

/* Told each time that it is read: what is the same is not entered again. */
static void observe_info(void *arg _unused_, struct engine *e,
			 const struct engine_info *before _unused_)
{
	struct member *m = member_of(e);
	const struct engine_info *info = engine_info(e);
	bool recount, rename;

	if (!m->placeable)
		return;
	recount = m->sched.healthy && !same_version(m->info, info);
	rename = !str_eq(m->sched.name, info->name);
	if (recount)
		count_versions(m, -1);
	if (rename)
		name_remove(m);
	member_take_info(m, info);
	if (rename)
		name_add(m);
	if (recount)
		count_versions(m, 1);
}

const struct engine_observer cluster_observer = {
	.validate = observe_validate,
	.state = observe_state,
	.container = observe_container,
	.image = observe_image,
	.object = observe_object,
	.event = observe_event,
	.events_lost = observe_events_lost,
	.info = observe_info,
};
