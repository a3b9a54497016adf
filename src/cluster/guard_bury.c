/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes that failed may still have of containers that were made again elsewhere, and the
 * graves of those that were removed meanwhile: whatever a grave tells of is not one more container
 * when its node is back, but goes (copies.c). It goes by its id and name, not by the labels that it
 * has: a client may give these to a new container.
 *
 * A grave is over when each of its nodes has been seen without the copy. A node that is gone for
 * good never will be: one that the discovery does not list is waited for GRAVE_TIME long.
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "cluster/slot.h"
#include "fiber/clock.h"

#define GRAVE_TIME (30 * 24 * HOUR)

struct str left_key(const void *item)
{
	return str_from(((const struct left *)item)->container);
}

void left_free(struct left *l)
{
	free(l->container);
	free(l->name);
	free(l->node_id);
	free(l->node_name);
	free(l->node_addr);
	free(l);
}

/* Out of its guard's list, and out of the table. */
static void left_drop(struct cluster *c, struct left *l)
{
	if (l->of && map_get(&c->guards.left_ids, left_key(l)) == l)
		map_del(&c->guards.left_ids, left_key(l));
	list_remove(&l->link);
	left_free(l);
}

/* Who has it, and where; borrowed. */
struct whereabouts {
	struct str container, name, node_id, node_name, node_addr;
};

static void add_left(struct cluster *c, struct guard *g, const struct whereabouts *copy)
{
	struct left *l;

	list_for_each(link, &g->left)
		if (str_eq(left_key(list_item(link, struct left, link)), copy->container))
			return;
	l = mem_new(struct left);
	l->container = str_dup(copy->container);
	l->name = str_dup(copy->name);
	l->node_id = str_dup(copy->node_id);
	l->node_name = str_dup(copy->node_name);
	l->node_addr = str_dup(copy->node_addr);
	list_append(&g->left, &l->link);
	if (!list_linked(&g->at_left))
		list_append(&c->guards.left, &g->at_left);
}

void guard_leave_copy(struct cluster *c, struct guard *g, const struct guard *of)
{
	const struct whereabouts copy = { str_from(of->container), str_from(of->name),
					  str_from(of->node_id), str_from(of->node_name),
					  str_from(of->node_addr) };

	add_left(c, g, &copy);
}

void guard_leave_container(struct cluster *c, struct guard *g, const struct container *ct)
{
	const struct engine *e = ct->engine;
	const struct whereabouts copy = { ct->id, ct->name, engine_id(e), engine_name(e),
					  engine_addr(e) };

	add_left(c, g, &copy);
}

void guard_inherit(struct cluster *c, struct guard *g, const struct guard *other)
{
	list_for_each(link, &other->left) {
		const struct left *l = list_item(link, struct left, link);
		const struct whereabouts copy = { str_from(l->container), str_from(l->name),
						  str_from(l->node_id), str_from(l->node_name),
						  str_from(l->node_addr) };

		add_left(c, g, &copy);
	}
	g->astray |= other->astray;
}

/* A node has one container of a name. */
void guard_settle_in(struct cluster *c, struct guard *g)
{
	list_for_each(link, &g->left) {
		struct left *l = list_item(link, struct left, link);
		bool same_node = strcmp(l->node_id, g->node_id) == 0 &&
				 strcmp(l->node_name, g->node_name) == 0;

		if (strcmp(l->container, g->container) == 0 ||
		    (same_node && strcmp(l->name, g->name) == 0))
			left_drop(c, l);
	}
}

static struct engine *node_of(const struct cluster *c, const struct left *l)
{
	const struct slot *slot = map_get(&c->by_id, str_from(l->node_id));

	for (size_t i = 0; slot && i < slot->n; i++)
		if (str_eq(engine_name(slot->copies[i].engine), str_from(l->node_name)))
			return slot->copies[i].engine;
	return NULL;
}

/* Its node is well, and has no such container; or what it has is one of its own, as is known now. */
static bool is_gone(const struct cluster *c, const struct left *l)
{
	const struct engine *e = node_of(c, l);
	const struct container *ct = index_by_id(&c->containers, str_from(l->container));

	if (!e || engine_state(e) != ENGINE_HEALTHY || engine_is_leaving(e))
		return false;
	return !ct || ct->engine != e || !str_eq(ct->name, str_from(l->name)) || !ct->stale;
}

static void settle_left(struct cluster *c, struct guard *g)
{
	list_for_each(link, &g->left) {
		struct left *l = list_item(link, struct left, link);

		if (!is_gone(c, l))
			continue;
		left_drop(c, l);
		guard_dirty(c, g);
	}
	if (!g->removed_at && list_empty(&g->left))
		list_remove(&g->at_left);
}

/* Unless another machine has its address. */
static bool is_listed(const struct cluster *c, const struct left *l)
{
	const struct member *m = map_get(&c->by_addr, str_from(l->node_addr));

	if (node_of(c, l))
		return true;
	return m && !m->leaving && engine_state(m->engine) != ENGINE_HEALTHY;
}

static bool grave_is_over(const struct cluster *c, const struct guard *grave)
{
	if (list_empty(&grave->left) && !grave->astray)
		return true;
	if (clock_wall() < grave->removed_at + GRAVE_TIME)
		return false;
	list_for_each(link, &grave->left)
		if (is_listed(c, list_item(link, struct left, link)))
			return false;
	return true;
}

bool grave_is_of_pool(const struct cluster *c, const struct guard *grave)
{
	list_for_each(link, &grave->left) {
		const struct left *l = list_item(link, struct left, link);

		if (map_get(&c->by_addr, str_from(l->node_addr)))
			return true;
	}
	return map_get(&c->by_addr, str_from(grave->node_addr)) != NULL;
}

/* What it told of is a container like any other again. Its record stays, and is another's. */
static void grave_let_go(struct cluster *c, struct guard *grave)
{
	_cleanup_(guard_unrefp) struct guard *ref = guard_ref(grave);

	guards_end_wait(c, &grave->awaited);
	guard_let_go(c, grave);
	list_for_each(link, &grave->left) {
		struct left *l = list_item(link, struct left, link);
		struct container *ct = index_by_id(&c->containers, str_from(l->container));

		left_drop(c, l);
		if (ct)
			index_reconsider(&c->containers, ct);
	}
}

static void grave_drop(struct cluster *c, struct guard *grave)
{
	guard_forget_record(c, grave);
	grave_let_go(c, grave);
}

/* Of two graves of one container what they tell is in one. */
static void grave_replace(struct cluster *c, struct guard *grave, struct guard *same)
{
	guard_inherit(c, grave, same);
	if (strcmp(grave->key, same->key) == 0)
		grave_let_go(c, same);
	else
		grave_drop(c, same);
}

void guards_settle_left(struct cluster *c)
{
	list_for_each(link, &c->guards.left) {
		struct guard *g = list_item(link, struct guard, at_left);

		settle_left(c, g);
		if (g->removed_at && grave_is_over(c, g))
			grave_drop(c, g);
	}
}

static struct guard *oldest_grave(const struct cluster *c)
{
	struct guard *oldest = NULL;

	list_for_each(link, &c->guards.left) {
		struct guard *g = list_item(link, struct guard, at_left);

		if (g->removed_at && (!oldest || g->removed_at < oldest->removed_at))
			oldest = g;
	}
	return oldest;
}

/* A guard may follow what is left, where it is known only now that it is. */
static void drop_follower(struct cluster *c, const struct container *ct)
{
	struct guard *g = guards_find(c, ct->name, ct->swarm_id);

	if (g && ct->stale && str_eq(str_from(g->container), ct->id))
		guard_drop(c, g);
}

static void disown(struct cluster *c, struct container *ct)
{
	index_reconsider(&c->containers, ct);
	drop_follower(c, ct);
}

static void disown_astray(struct cluster *c, const struct guard *grave)
{
	struct str name = str_from(grave->name), swarm_id = str_from(grave->swarm_id);
	const struct container *ct;
	const struct guard *g;

	index_reconsider_copies(&c->containers, swarm_id, name);
	g = guards_find(c, name, swarm_id);
	ct = g ? guard_container(c, g) : NULL;
	if (ct)
		drop_follower(c, ct);
}

/* Takes the reference. */
static void grave_add(struct cluster *c, struct guard *grave)
{
	struct guards *gs = &c->guards;
	struct container *ct;

	guards_add(c, grave);
	list_for_each(link, &grave->left) {
		struct left *l = list_item(link, struct left, link);

		l->of = grave;
		map_put(&gs->left_ids, l);
		ct = index_by_id(&c->containers, str_from(l->container));
		if (ct)
			disown(c, ct);
	}
	if (grave->astray)
		disown_astray(c, grave);
	if (gs->n_graves > LIMIT_GRAVES) {
		grave = oldest_grave(c);
		log_warn("too many containers were removed that nodes may still have: one is "
			 "forgotten, and is there again when its node is back",
			 LOG_CSTR("name", grave->name));
		grave_drop(c, grave);
	}
	guards_wake(c);
}

static struct guard *next_grave(const struct cluster *c, struct str name, struct guard *g)
{
	const struct guard *first = map_get(&c->guards.graves, name);
	struct list *next;

	if (!g || !first)
		return map_get(&c->guards.graves, name);
	next = g->same_name.next;
	return next == &first->same_name ? NULL : list_item(next, struct guard, same_name);
}

/* That of the very same copy of the container. */
static struct guard *find_grave(const struct cluster *c, const struct guard *of)
{
	struct guard *g = NULL;

	while ((g = next_grave(c, str_from(of->name), g)))
		if (strcmp(g->swarm_id, of->swarm_id) == 0 &&
		    strcmp(g->container, of->container) == 0)
			return g;
	return NULL;
}

bool guards_have_buried(const struct cluster *c, const struct guard *record)
{
	struct guard *g = NULL;

	while ((g = next_grave(c, str_from(record->name), g)))
		if (strcmp(g->key, record->key) == 0)
			return true;
	return false;
}

bool guards_know_removed(const struct cluster *c, const struct guard *g)
{
	const struct guard *grave = find_grave(c, g);

	return grave && grave->gone;
}

/* An engine was asked for a copy, this one or an earlier one, that nobody has seen. */
static bool may_be_astray(const struct guard *g)
{
	return g->astray || (g->spent && g->generation > g->copy);
}

static struct guard *grave_new(struct cluster *c, const struct guard *g, bool gone)
{
	struct guard *grave = mem_new(struct guard);

	grave->refs = 1;
	list_init(&grave->left);
	grave->name = mem_strdup(g->name);
	grave->swarm_id = mem_strdup(g->swarm_id);
	grave->container = mem_strdup(g->container);
	grave->node_id = mem_strdup(g->node_id);
	grave->node_name = mem_strdup(g->node_name);
	grave->node_addr = mem_strdup(g->node_addr);
	memcpy(grave->key, g->key, sizeof(grave->key));
	grave->saved = g->saved;
	grave->copy = g->copy;
	grave->generation = g->generation;
	grave->gone = gone;
	grave->removed_at = clock_wall();
	guard_inherit(c, grave, g);
	grave->astray = may_be_astray(g);
	return grave;
}

void guard_bury(struct cluster *c, struct guard *g, bool gone)
{
	_cleanup_(guard_unrefp) struct guard *grave = NULL;
	struct guard *same;

	if (g->dropped)
		return;
	settle_left(c, g);
	same = find_grave(c, g);
	if (list_empty(&g->left) && !same && !may_be_astray(g)) {
		guard_drop(c, g);
		return;
	}
	grave = grave_new(c, g, gone);
	if (same)
		grave_replace(c, grave, same);
	log_info("a container was removed that a node may still have another copy of: that goes "
		 "when the node is back",
		 LOG_CSTR("name", g->name), LOG_CSTR("container", g->container));
	guard_let_go(c, g);
	grave_add(c, guard_ref(grave));
	guard_dirty_first(c, grave);
	if (list_linked(&grave->at_dirty)) {
		grave->awaited = true;
		c->guards.n_awaited++;
	}
}

void guards_take_grave(struct cluster *c, struct guard *grave, struct str key, struct str text)
{
	_cleanup_(guard_unrefp) struct guard *ref = guard_ref(grave);
	struct guard *same = find_grave(c, grave);

	memcpy(grave->key, key.p, MIN(key.n, sizeof(grave->key) - 1));
	grave->saved = str_hash(text);
	if (same)
		grave_replace(c, grave, same);
	grave_add(c, grave);
	guard_dirty(c, grave);
}

bool guards_is_remnant(const struct cluster *c, const struct container *ct)
{
	const struct left *l = map_get(&c->guards.left_ids, ct->id);
	struct guard *g = NULL;

	if (l && str_eq(str_from(l->name), ct->name))
		return true;
	/* One that nobody has seen was never started. */
	if (!ct->generation || ct->state.status != CONTAINER_CREATED)
		return false;
	while ((g = next_grave(c, ct->name, g)))
		if (g->astray && str_eq(str_from(g->swarm_id), ct->swarm_id) &&
		    ct->generation <= g->generation && !str_eq(str_from(g->container), ct->id))
			return true;
	return false;
}

void guards_end_astray(struct cluster *c, struct str name, struct str swarm_id)
{
	struct guard *g = NULL;

	while ((g = next_grave(c, name, g))) {
		if (!g->astray || !str_eq(str_from(g->swarm_id), swarm_id))
			continue;
		g->astray = false;
		guard_dirty(c, g);
	}
}
