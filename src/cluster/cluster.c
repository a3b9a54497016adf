/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool as a whole: which members it has, and the questions about all of them. What a member
 * knows is members.c, where things are index.c, where a new container goes place.c.
 */
#include "cluster/cluster.h"

#include <assert.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cluster/internal.h"

static struct str member_addr(const void *item)
{
	return engine_addr(((const struct member *)item)->engine);
}

void cluster_config_default(struct cluster_config *config)
{
	*config = (struct cluster_config){
		.cpushares = CPUSHARES_AUTO,
		.create_limit = 16,
		.refresh_min = 30 * SECOND,
		.refresh_max = 60 * SECOND,
		.failure_retry = 3,
		.event_backlog = LIMIT_EVENT_BACKLOG,
		.events_held = LIMIT_EVENTS_HELD,
	};
	sched_config_default(&config->scheduler);
}

struct cluster *cluster_new(const struct cluster_config *config)
{
	struct cluster *c = mem_new(struct cluster);

	c->config = *config;
	map_init(&c->by_addr, member_addr);
	map_init(&c->by_name, slot_key);
	map_init(&c->by_id, slot_key);
	map_init(&c->flight_names, flight_name_key);
	map_init(&c->flight_swarm_ids, flight_swarm_id_key);
	build_table_init(&c->builds);
	map_init(&c->projects, slot_key);
	map_init(&c->versions, slot_key);
	map_init(&c->claims, claim_key);
	map_init(&c->network_names, held_network_key);
	index_init(&c->containers);
	c->containers.is_outlived = guards_know_outlived;
	c->containers.arg = c;
	image_index_init(&c->images);
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		object_index_init(&c->objects[kind], (enum object_kind)kind);
	tally_init(&c->labels);
	tally_init(&c->kinds);
	tally_init(&c->node_labels);
	list_init(&c->running_pulls);
	list_init(&c->carryings);
	pull_targets_init(&c->pull_targets);
	list_init(&c->subscriptions);
	guards_init(&c->guards);
	return c;
}

const struct cluster_config *cluster_config(const struct cluster *c)
{
	return &c->config;
}

/* Its address finds it until its fibers are joined; `leaving` says that it is on its way out. */
static may_suspend void remove_member(struct cluster *c, struct member *m)
{
	struct engine *e = m->engine;

	log_info("node left", LOG_STR("addr", engine_addr(e)), LOG_STR("node", engine_name(e)));
	m->leaving = true;
	engine_stop(e);
	map_del(&c->by_addr, engine_addr(e));
	member_free(m);
}

static void add_member(struct cluster *c, const struct addr *a, struct str text)
{
	struct member *m = map_get(&c->by_addr, text);

	if (!m) {
		m = member_new(c, a);
		map_put(&c->by_addr, m);
		log_info("node added", LOG_STR("addr", text));
		engine_start(m->engine);
	}
	m->listed = true;
}

/* Some member that the list no longer has; NULL: none. */
static struct member *unlisted_member(struct cluster *c)
{
	struct member *m;

	for (size_t i = 0; (m = map_next(&c->by_addr, &i));)
		if (!m->listed)
			return m;
	return NULL;
}

may_suspend void cluster_set_nodes(struct cluster *c, const struct addr *addrs, size_t n)
{
	struct member *m;

	guards_begin(c);
	for (size_t i = 0; (m = map_next(&c->by_addr, &i));)
		m->listed = false;
	for (size_t i = 0; i < n && !c->stopping; i++) {
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

		addr_format(&addrs[i], &text);
		add_member(c, &addrs[i], strbuf_str(&text));
	}
	while ((m = unlisted_member(c))) {
		m->listed = true; /* being removed: the next walk passes over it */
		remove_member(c, m);
	}
}

may_suspend void cluster_stop(struct cluster *c)
{
	guards_stop(c);
	c->stopping = true;
	group_finish(&c->leftovers);
	cluster_set_nodes(c, NULL, 0);
	pull_targets_clear(&c->pull_targets);
	build_table_clear(&c->builds);
	events_close_all(c);
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	events_forget_past(c);
	guards_fini(c);
	map_fini(&c->by_addr);
	slot_map_fini(&c->by_name);
	slot_map_fini(&c->by_id);
	map_fini(&c->flight_names);
	map_fini(&c->flight_swarm_ids);
	build_table_fini(&c->builds);
	pull_targets_fini(&c->pull_targets);
	slot_map_fini(&c->projects);
	slot_map_fini(&c->versions);
	map_fini(&c->claims);
	map_fini(&c->network_names);
	vec_fini(&c->nodes);
	index_fini(&c->containers);
	image_index_fini(&c->images);
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		object_index_fini(&c->objects[kind]);
	/* What was entered of each container and creation has been taken out again. */
	assert(c->labels.keys.n == 0 && c->kinds.keys.n == 0);
	tally_fini(&c->labels);
	tally_fini(&c->kinds);
	tally_fini(&c->node_labels);
	vec_fini(&c->numbers);
	waitq_fini(&c->settled);
	free(c);
}

bool cluster_is_settled(const struct cluster *c)
{
	return c->unsettled == 0;
}

may_suspend struct error *cluster_wait_settled(struct cluster *c)
{
	while (!cluster_is_settled(c))
		TRY(waitq_wait(&c->settled, "nodes to be validated"));
	return NULL;
}

void engines_fini(struct engines *e)
{
	for (size_t i = 0; i < e->n; i++)
		engine_unref(e->v[i]);
	free(e->v);
	*e = (struct engines){ NULL, 0 };
}

/* By name; those without one behind, by address. */
static int compare_engines(const void *a, const void *b)
{
	const struct engine *x = *(struct engine *const *)a, *y = *(struct engine *const *)b;
	struct str x_name = engine_name(x), y_name = engine_name(y);
	int order;

	if (str_empty(x_name) != str_empty(y_name))
		return str_empty(x_name) ? 1 : -1;
	order = str_cmp(x_name, y_name);
	return order ? order : str_cmp(engine_addr(x), engine_addr(y));
}

static void collect(const struct cluster *c, bool healthy_only, struct engines *ret)
{
	struct member *m;

	*ret = (struct engines){ mem_realloc_array(NULL, c->by_addr.n + 1, sizeof(*ret->v)), 0 };
	for (size_t i = 0; (m = map_next(&c->by_addr, &i));)
		if (!healthy_only || m->sched.healthy)
			ret->v[ret->n++] = engine_ref(m->engine);
	qsort(ret->v, ret->n, sizeof(*ret->v), compare_engines);
}

void cluster_engines(const struct cluster *c, struct engines *ret)
{
	collect(c, false, ret);
}

void cluster_healthy_engines(const struct cluster *c, struct engines *ret)
{
	collect(c, true, ret);
}

/* The first that came of those in the pool; NULL: none. */
static struct member *member_in_slot(const struct slot *slot)
{
	for (size_t i = 0; slot && i < slot->n; i++) {
		struct member *m = member_of(slot->copies[i].engine);

		if (m->placeable)
			return m;
	}
	return NULL;
}

struct engine *cluster_engine(const struct cluster *c, struct str name)
{
	struct member *m = member_in_slot(map_get(&c->by_name, name));

	if (!m)
		m = map_get(&c->by_addr, name);
	if (!m)
		m = member_in_slot(map_get(&c->by_id, name));
	return m ? engine_ref(m->engine) : NULL;
}

struct error *cluster_any_engine(const struct cluster *c, struct engine **ret)
{
	size_t start = c->nodes.n ? (size_t)rand_below(c->nodes.n) : 0;

	for (size_t i = 0; i < c->nodes.n; i++) {
		const struct sched_node *node = c->nodes.v[(start + i) % c->nodes.n];

		if (!node->healthy)
			continue;
		*ret = engine_ref(member_of_node(node)->engine);
		return NULL;
	}
	return error_new(ERR_NO_NODE, "No healthy node available in the cluster");
}

void cluster_versions(const struct cluster *c, struct arena *arena,
		      struct engine_version_count **ret, size_t *ret_n)
{
	struct engine_version_count *counts;
	const struct slot *slot;
	size_t n = 0;

	counts = arena_new_array(arena, struct engine_version_count, c->versions.n);
	for (size_t i = 0; (slot = map_next(&c->versions, &i));)
		counts[n++] = (struct engine_version_count){ member_of(slot->copies->engine)->info,
							     slot->n };
	*ret = counts;
	*ret_n = n;
}

struct api_version cluster_api_version(const struct cluster *c)
{
	for (int minor = 0; minor < (int)ARRAY_LEN(c->api_versions); minor++)
		if (c->api_versions[minor])
			return api_version_clamp(API_VERSION(1, minor), API_VERSION_OLDEST,
						 API_VERSION_NEWEST);
	return API_VERSION_NEWEST;
}

struct error *cluster_find_container(const struct cluster *c, struct str ref,
				     struct container **ret)
{
	struct container *ct;

	TRY(index_find(&c->containers, ref, &ct));
	*ret = container_ref(ct);
	return NULL;
}

static struct error *node_down(struct str ref, struct str node)
{
	return error_new(ERR_NODE_DOWN, "Container %.*s running on unhealthy node %.*s",
			 STR_ARG(ref), STR_ARG(node));
}

/* One that waits to be made again is known by its name, though no table may have it. */
struct error *cluster_live_container(const struct cluster *c, struct str ref,
				     struct container **ret)
{
	const struct guard *lost = NULL;
	struct container *ct;
	struct error *err;

	err = index_find(&c->containers, ref, &ct);
	if (error_is(err, ERR_NOT_FOUND))
		lost = guards_lost_named(c, str_strip_prefix(ref, STR("/")));
	if (lost) {
		error_free(err);
		return node_down(ref, str_from(lost->node_name));
	}
	TRY(err);
	if (engine_state(ct->engine) != ENGINE_HEALTHY)
		return node_down(ref, engine_name(ct->engine));
	*ret = container_ref(ct);
	return NULL;
}

bool cluster_name_is_unique(const struct cluster *c, const struct container *ct)
{
	bool alone = false;

	return !ct->stale && index_by_name(&c->containers, ct->name, &alone) && alone;
}

void cluster_totals(const struct cluster *c, struct cluster_totals *ret)
{
	*ret = (struct cluster_totals){ .nodes = c->by_addr.n };

	for (size_t i = 0; i < c->nodes.n; i++) {
		const struct sched_node *node = c->nodes.v[i];
		const struct member *m = member_of_node(node);

		ret->running += m->running;
		ret->paused += m->paused;
		ret->stopped += m->stopped;
		ret->cpus += node->nano_cpus / 1000000000;
		ret->memory += node->memory;
	}
	ret->containers = ret->running + ret->paused + ret->stopped;
	ret->images = c->images.ids.n;
}

void cluster_node_totals(const struct engine *e, struct cluster_totals *ret)
{
	const struct member *m = member_of(e);

	*ret = (struct cluster_totals){ 0 };
	if (!m)
		return;
	ret->running = m->running;
	ret->paused = m->paused;
	ret->stopped = m->stopped;
	ret->containers = ret->running + ret->paused + ret->stopped;
}

void cluster_reserved(const struct engine *e, int64_t *ret_nano_cpus, int64_t *ret_memory)
{
	const struct member *m = member_of(e);

	*ret_nano_cpus = m ? m->sched.reserved_nano_cpus : 0;
	*ret_memory = m ? m->sched.reserved_memory : 0;
}

const struct devices *cluster_devices(const struct engine *e, const int64_t **ret_reserved)
{
	const struct member *m = member_of(e);

	*ret_reserved = m ? m->sched.reserved_devices : NULL;
	return m ? m->sched.devices : NULL;
}
