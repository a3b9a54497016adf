/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of guards, the states that each goes through, and what a container is judged to be that
 * cannot be seen. What guards learn, and from whom, is guard_follow.c's affair.
 */
#include "cluster/guards.h"

#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "fiber/clock.h"

/* After its own start a manager may not have been told of all nodes, or find two that swap. */
#define ABSENCE (60 * SECOND)

static struct str guard_name(const void *item)
{
	return str_from(((const struct guard *)item)->name);
}

void guards_init(struct guards *gs)
{
	map_init(&gs->by_name, guard_name);
	map_init(&gs->removing, removal_key);
	map_init(&gs->graves, guard_name);
	map_init(&gs->left_ids, left_key);
	list_init(&gs->left);
	list_init(&gs->todo);
	list_init(&gs->fading);
	list_init(&gs->dirty);
	list_init(&gs->dirty_first);
	list_init(&gs->removals);
}

struct guard *guard_ref(struct guard *g)
{
	g->refs++;
	return g;
}

void guard_unref(struct guard *g)
{
	if (!g || --g->refs)
		return;
	free(g->name);
	free(g->swarm_id);
	free(g->container);
	free(g->node_id);
	free(g->node_name);
	free(g->node_addr);
	free(g->from);
	for (struct list *link; (link = list_pop(&g->left));)
		left_free(list_item(link, struct left, link));
	strbuf_fini(&g->specification);
	strbuf_fini(&g->trouble);
	free(g);
}

void guard_set_text(char **slot, struct str text)
{
	if (*slot && str_eq(str_from(*slot), text))
		return;
	free(*slot);
	*slot = str_dup(text);
}

static struct map *table_of(struct guards *gs, const struct guard *g)
{
	return g->removed_at ? &gs->graves : &gs->by_name;
}

static size_t *count_of(struct guards *gs, const struct guard *g)
{
	return g->removed_at ? &gs->n_graves : &gs->n;
}

void guards_add(struct cluster *c, struct guard *g)
{
	struct guards *gs = &c->guards;
	struct guard *first = map_get(table_of(gs, g), str_from(g->name));

	list_init(&g->same_name);
	if (first)
		list_append(&first->same_name, &g->same_name);
	else
		map_put(table_of(gs, g), g);
	++*count_of(gs, g);
	if ((g->removed_at || !list_empty(&g->left)) && !list_linked(&g->at_left))
		list_append(&gs->left, &g->at_left);
}

static void table_remove(struct guards *gs, struct guard *g)
{
	struct map *table = table_of(gs, g);
	struct guard *next = NULL;

	if (list_linked(&g->same_name))
		next = list_item(g->same_name.next, struct guard, same_name);
	list_remove(&g->same_name);
	--*count_of(gs, g);
	if (map_get(table, str_from(g->name)) != g)
		return;
	map_del(table, str_from(g->name));
	if (next)
		map_put(table, next);
}

void guard_rename(struct cluster *c, struct guard *g, struct str name)
{
	table_remove(&c->guards, g);
	guard_set_text(&g->name, name);
	guards_add(c, g);
	guard_dirty(c, g);
}

struct guard *guards_find(const struct cluster *c, struct str name, struct str swarm_id)
{
	struct guard *first = map_get(&c->guards.by_name, name);

	if (!first || str_eq(str_from(first->swarm_id), swarm_id))
		return first;
	list_for_each(link, &first->same_name) {
		struct guard *g = list_item(link, struct guard, same_name);

		if (str_eq(str_from(g->swarm_id), swarm_id))
			return g;
	}
	return NULL;
}

struct guard *guards_lost_named(const struct cluster *c, struct str name)
{
	struct guard *first = map_get(&c->guards.by_name, name);

	if (!first || first->state == GUARD_LOST)
		return first;
	list_for_each(link, &first->same_name) {
		struct guard *g = list_item(link, struct guard, same_name);

		if (g->state == GUARD_LOST)
			return g;
	}
	return NULL;
}

static void leave_lists(struct guard *g)
{
	list_remove(&g->at_todo);
	list_remove(&g->at_fading);
	list_remove(&g->at_dirty);
	list_remove(&g->at_left);
}

static void table_fini(struct map *table)
{
	struct guard *g;

	for (size_t i = 0; (g = map_next(table, &i));) {
		list_for_each(link, &g->same_name) {
			struct guard *other = list_item(link, struct guard, same_name);

			list_remove(&other->same_name);
			leave_lists(other);
			guard_unref(other);
		}
		leave_lists(g);
		guard_unref(g);
	}
	map_fini(table);
}

void guards_fini(struct cluster *c)
{
	struct guards *gs = &c->guards;

	table_fini(&gs->by_name);
	table_fini(&gs->graves);
	map_fini(&gs->left_ids);
	assert(gs->removing.n == 0);
	map_fini(&gs->removing);
	waitq_fini(&gs->saved);
	waitq_fini(&gs->changed);
	waitq_fini(&gs->loaded);
}

void guard_set_state(struct cluster *c, struct guard *g, enum guard_state next)
{
	static const bool legal[3][3] = {
		[GUARD_KEPT] = { [GUARD_LOST] = true },
		[GUARD_LOST] = { [GUARD_KEPT] = true, [GUARD_UNFINISHED] = true },
		[GUARD_UNFINISHED] = { [GUARD_KEPT] = true, [GUARD_LOST] = true },
	};

	if (g->state == next)
		return;
	assert(legal[g->state][next]);
	g->state = next;
	list_remove(&g->at_todo);
	if (next != GUARD_KEPT)
		list_append(&c->guards.todo, &g->at_todo);
	g->retry_at = 0;
	g->pause = 0;
	strbuf_reset(&g->trouble);
	guards_wake(c);
}

void guard_let_go(struct cluster *c, struct guard *g)
{
	if (g->dropped)
		return;
	g->dropped = true;
	waitq_wake_all(&c->guards.saved);
	leave_lists(g);
	table_remove(&c->guards, g);
	index_reconsider_copies(&c->containers, str_from(g->swarm_id), str_from(g->name));
	guard_unref(g);
}

void guard_drop(struct cluster *c, struct guard *g)
{
	if (g->dropped)
		return;
	guard_forget_record(c, g);
	guard_let_go(c, g);
}

void guard_set_running(struct guard *g, bool running, int64_t as_of)
{
	if (g->running != running || !g->as_of)
		g->as_of = as_of;
	g->running = running;
	g->stopped_at = 0;
	list_remove(&g->at_fading);
}

struct container *guard_container(const struct cluster *c, const struct guard *g)
{
	return g->container ? index_by_id(&c->containers, str_from(g->container)) : NULL;
}

bool guards_know_outlived(const void *cluster, const struct container *ct)
{
	const struct cluster *c = cluster;
	const struct guard *g = guards_find(c, ct->name, ct->swarm_id);

	return (g && ct->generation < g->copy) || guards_is_remnant(c, ct);
}

static bool is_its_node(const struct guard *g, const struct engine *e)
{
	return str_eq(engine_id(e), str_from(g->node_id)) &&
	       str_eq(engine_name(e), str_from(g->node_name));
}

/* The machine may have another address now. */
static struct engine *find_node(const struct cluster *c, const struct guard *g,
				const struct member *at_addr)
{
	if (at_addr && at_addr->placeable && !at_addr->leaving && is_its_node(g, at_addr->engine))
		return at_addr->engine;
	for (size_t i = 0; i < c->nodes.n; i++) {
		struct member *m = member_of_node(c->nodes.v[i]);

		if (!m->leaving && is_its_node(g, m->engine))
			return m->engine;
	}
	return NULL;
}

enum guard_verdict guard_judge(const struct cluster *c, const struct guard *g)
{
	const struct member *at_addr = map_get(&c->by_addr, str_from(g->node_addr));
	const struct engine *e = find_node(c, g, at_addr);
	const struct container *ct = guard_container(c, g);
	bool early = clock_now() < c->guards.began_at + ABSENCE;

	if (e && engine_state(e) == ENGINE_HEALTHY)
		return ct && str_eq(ct->name, str_from(g->name)) ? GUARD_WAIT : GUARD_REMOVED;
	if (e)
		return engine_is_dead(e) ? GUARD_FAILED : GUARD_WAIT;
	if (!at_addr || at_addr->leaving)
		return early && !g->seen ? GUARD_WAIT : GUARD_ABSENT;
	/*
	 * Another machine has its address, and it is at no other. A record that tells of it from
	 * before this manager's time may be that of a pool which is no more.
	 */
	if (engine_state(at_addr->engine) == ENGINE_HEALTHY && !g->seen)
		return cluster_is_settled(c) ? GUARD_REMOVED : GUARD_WAIT;
	if (engine_state(at_addr->engine) == ENGINE_HEALTHY)
		return early ? GUARD_WAIT : GUARD_FAILED;
	return engine_is_dead(at_addr->engine) ? GUARD_FAILED : GUARD_WAIT;
}
