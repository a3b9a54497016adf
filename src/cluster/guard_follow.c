/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guards learn: from the tables, as containers come, change and go, and out of the records of
 * who led before. Here it is decided which copy a guard follows, and whether that is meant to run.
 */
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cluster/internal.h"
#include "docker/config.h"
#include "fiber/clock.h"

/* A machine that shuts down stops its containers first, and is dead to us within that. */
#define STOPPED_WITH_NODE (30 * SECOND)

/* A node that tells of its containers is about to be well. */
#define NODE_ANSWERS (5 * SECOND)

static struct guard *guard_new(struct cluster *c, const struct container *ct)
{
	struct guard *g = mem_new(struct guard);
	struct strbuf key = STRBUF_INIT;

	g->refs = 1;
	list_init(&g->left);
	g->name = str_dup(ct->name);
	g->swarm_id = str_dup(ct->swarm_id);
	rand_hex(&key, GUARD_KEY_SIZE - 1);
	memcpy(g->key, key.p, GUARD_KEY_SIZE - 1);
	strbuf_fini(&key);
	guards_add(c, g);
	return g;
}

/* What stops by itself may do so because its machine goes down: then it is meant to run. */
static void note_running(struct cluster *c, struct guard *g, const struct container *ct)
{
	if (container_status_is_up(ct->state.status)) {
		guard_set_running(g, true, container_state_since(&ct->state));
	} else if (g->made_again && ct->state.status == CONTAINER_CREATED) {
		return;
	} else if (ct->state.status == CONTAINER_CREATED) {
		guard_set_running(g, false, 0);
	} else if (g->running && !g->stopped_at) {
		g->stopped_at = clock_now();
		list_append(&c->guards.fading, &g->at_fading);
		guards_wake(c);
	}
}

/*
 * "container:<id>" names a copy: with the swarm id in its place the dependency is found wherever it
 * was moved.
 */
static void name_dependencies(const struct cluster *c, struct guard *g)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct config_changes changes = { .cpu_shares = -1 };
	struct container_config config;
	struct config_rename *renames;
	struct error *err = container_config_read(strbuf_str(&g->specification), &arena, &config);

	if (err || !config.dependencies.n) {
		error_free(err);
		return;
	}
	renames = arena_new_array(&arena, struct config_rename, config.dependencies.n);
	for (size_t i = 0; i < config.dependencies.n; i++) {
		struct str written = config.dependencies.v[i];
		const struct container *ct = index_by_id(&c->containers, written);

		if (ct && !str_empty(ct->swarm_id))
			renames[changes.n_containers++] =
				(struct config_rename){ written, ct->swarm_id };
	}
	if (!changes.n_containers)
		return;
	changes.containers = renames;
	container_config_write(&config, &changes, &arena, &text);
	strbuf_reset(&g->specification);
	strbuf_add(&g->specification, strbuf_str(&text));
}

/* What the copy is now is what it is to be. */
static void take_specification(struct cluster *c, struct guard *g, const struct container *ct)
{
	strbuf_reset(&g->specification);
	strbuf_add(&g->specification, ct->specification);
	name_dependencies(c, g);
}

/* Its state is that of its node. */
static void settle(struct cluster *c, struct guard *g, const struct engine *e)
{
	if (engine_state(e) != ENGINE_HEALTHY)
		guard_set_state(c, g, GUARD_LOST);
	else if (!g->made_again)
		guard_set_state(c, g, GUARD_KEPT);
	else if (g->state != GUARD_UNFINISHED) {
		guard_set_state(c, g, GUARD_LOST);
		guard_set_state(c, g, GUARD_UNFINISHED);
	}
}

static void follow(struct cluster *c, struct guard *g, const struct container *ct)
{
	const struct engine *e = ct->engine;

	if (g->container && !str_eq(str_from(g->container), ct->id) && ct->generation) {
		g->made_again = true;
		g->as_of = 0;
		guard_set_running(g, g->running, 0); /* whenever that one ended */
		guard_set_text(&g->from, str_from(g->node_name));
		guard_leave_copy(c, g, g);
	}
	guard_set_text(&g->container, ct->id);
	guard_set_text(&g->node_id, engine_id(e));
	guard_set_text(&g->node_name, engine_name(e));
	guard_set_text(&g->node_addr, engine_addr(e));
	guard_settle_in(c, g);
	g->copy = ct->generation;
	g->seen = true;
	g->spent = true;
	g->generation = MAX(g->generation, ct->generation);
	if (!g->made_again)
		take_specification(c, g, ct);
	note_running(c, g, ct);
	settle(c, g, e);
	if (g->state == GUARD_LOST)
		g->retry_at = clock_now() + NODE_ANSWERS;
	guard_dirty(c, g);
}

/* Of two that nobody can tell apart nothing is removed. */
static void warn_of_twin(const struct cluster *c, const struct container *ct)
{
	const struct container *other = index_copy(&c->containers, ct->swarm_id, ct->name, ct);

	if (ct->stale || !other)
		return;
	log_warn("two containers have one swarm id and one name, and neither is known to be the "
		 "later one: both stay",
		 LOG_STR("name", ct->name), LOG_STR("node", engine_name(ct->engine)),
		 LOG_STR("container", str_first(ct->id, 12)),
		 LOG_STR("other_node", engine_name(other->engine)),
		 LOG_STR("other_container", str_first(other->id, 12)));
}

/* Of the copies that are there it follows the latest, and of two of one generation the first. */
static bool is_followed(const struct cluster *c, const struct guard *g, const struct container *ct)
{
	const struct container *before = guard_container(c, g);

	return g->state == GUARD_LOST || before == ct || !before || before->stale ||
	       str_eq(before->id, ct->id);
}

static void guards_appeared(struct cluster *c, const struct container *ct, bool is_new)
{
	struct guard *g;

	if (is_new && !str_empty(ct->swarm_id))
		warn_of_twin(c, ct);
	if (ct->stale)
		guards_wake(c);
	if (str_empty(ct->specification) || (ct->stale && guards_is_remnant(c, ct)))
		return;
	g = guards_find(c, ct->name, ct->swarm_id);
	if (g && ct->stale) {
		guard_leave_container(c, g, ct);
		guard_dirty(c, g);
		return;
	}
	if (!g) {
		guards_end_astray(c, ct->name, ct->swarm_id);
		g = guard_new(c, ct);
	} else if (!is_followed(c, g, ct))
		return;
	follow(c, g, ct);
}

static void guards_vanished(struct cluster *c, const struct engine *e, const struct container *ct)
{
	struct guard *g = guards_find(c, ct->name, ct->swarm_id);
	bool followed = g && str_eq(str_from(g->container), ct->id);

	if (!list_empty(&c->guards.left))
		guards_wake(c);
	if (!g)
		return;
	if (engine_is_leaving(e)) {
		if (followed)
			guard_set_state(c, g, GUARD_LOST);
		return;
	}
	if (followed || (ct->generation && ct->generation >= g->generation))
		guard_bury(c, g, true);
}

static void guards_renamed(struct cluster *c, const struct container *before, struct str name)
{
	struct guard *g = guards_find(c, before->name, before->swarm_id);

	if (g && str_eq(str_from(g->container), before->id))
		guard_rename(c, g, name);
}

void guards_container(struct cluster *c, struct engine *e, const struct container *before,
		      const struct container *after)
{
	if (c->stopping)
		return;
	if (before && after && !str_eq(before->name, after->name))
		guards_renamed(c, before, after->name);
	if (after)
		guards_appeared(c, after, !before);
	else
		guards_vanished(c, e, before);
}

void guards_engine(struct cluster *c, struct engine *e)
{
	struct container *ct;

	for (size_t i = 0; !c->stopping && (ct = map_next(engine_containers(e), &i));) {
		struct guard *g = NULL;

		if (!str_empty(ct->specification))
			g = guards_find(c, ct->name, ct->swarm_id);
		if (!g || !str_eq(str_from(g->container), ct->id))
			continue;
		settle(c, g, e);
		name_dependencies(c, g);
		guard_dirty(c, g);
	}
	guards_wake(c);
}

void guard_finished(struct cluster *c, struct guard *g, const struct container *read)
{
	g->made_again = false;
	if (read)
		take_specification(c, g, read);
	guard_set_state(c, g, GUARD_KEPT);
	guard_dirty(c, g);
}

bool guards_fade(struct cluster *c)
{
	list_for_each(link, &c->guards.fading) {
		struct guard *g = list_item(link, struct guard, at_fading);
		const struct container *ct = guard_container(c, g);

		if (ct && engine_heard_at(ct->engine) <= g->stopped_at + STOPPED_WITH_NODE)
			continue;
		list_remove(&g->at_fading);
		if (!ct)
			continue;
		guard_set_running(g, false, container_state_since(&ct->state));
		guard_dirty(c, g);
	}
	return !list_empty(&c->guards.fading);
}

/* Who led before was told of it what this manager may not have seen: it has not looked since. */
static bool is_news(const struct cluster *c, const struct guard *record, const struct container *ct)
{
	return str_eq(str_from(record->container), ct->id) &&
	       record->as_of > container_state_since(&ct->state) &&
	       engine_looked_at(ct->engine) < c->guards.elected_at;
}

/*
 * The end that is seen is the one that the record tells of, if not of a later one: whoever wrote it
 * knew whether the copy was stopped, or ended with its machine. An event is told some time after it.
 */
static bool is_told_end(const struct guard *record, const struct container *ct)
{
	return str_eq(str_from(record->container), ct->id) && record->as_of &&
	       record->as_of + SECOND >= container_state_since(&ct->state);
}

/* The copy may have been made to be started, or be seen behind an earlier one that runs. */
static void merge_running(const struct cluster *c, struct guard *g, const struct guard *record,
			  const struct container *ct, bool moved)
{
	bool is_behind = moved || g->made_again || is_told_end(record, ct);

	if (is_news(c, record, ct)) {
		guard_set_running(g, record->running, record->as_of);
		return;
	}
	if (record->running && (record->made_again || moved))
		g->running |= ct->state.status == CONTAINER_CREATED;
	if (!record->running && is_behind && !container_status_is_up(ct->state.status))
		guard_set_running(g, false, container_state_since(&ct->state));
}

/*
 * What a record knows that the tables cannot: how it was meant to be, what was being done about it.
 * Where it tells of an earlier copy than the one that is there, that one is what it was to become.
 */
static void merge_record(struct cluster *c, struct guard *g, struct guard *record)
{
	const struct container *ct = guard_container(c, g);
	bool same = str_eq(str_from(g->container), str_from(record->container));
	bool later = ct && (ct->generation > record->copy || ct->generation >= record->generation);
	bool moved = !same && later && ct->generation;

	guard_inherit(c, g, record);
	if (moved)
		guard_leave_copy(c, g, record);
	guard_settle_in(c, g);
	g->generation = MAX(g->generation, record->generation);
	if (ct && g->told_in != guards_term(c))
		merge_running(c, g, record, ct, moved);
	if ((same && record->made_again) || moved) {
		g->made_again = true;
		guard_set_text(&g->from, str_from(moved ? record->node_name : record->from));
		strbuf_reset(&g->specification);
		strbuf_add(&g->specification, strbuf_str(&record->specification));
	} else if (same) {
		/* What is left of an earlier copy may have been seen first. */
		g->made_again = false;
		if (ct)
			take_specification(c, g, ct);
	}
	if (ct)
		settle(c, g, ct->engine);
}

void guards_take_record(struct cluster *c, struct guard *record, struct str key, struct str text)
{
	struct guard *g = guards_find(c, str_from(record->name), str_from(record->swarm_id));

	memcpy(record->key, key.p, MIN(key.n, sizeof(record->key) - 1));
	record->saved = str_hash(text);
	if (guards_have_buried(c, record)) {
		guard_unref(record);
		return;
	}
	/* All that was seen of it is what is left of an earlier copy. */
	if (g && !g->saved && record->copy > g->copy) {
		guard_leave_copy(c, record, g);
		guard_drop(c, g);
		g = NULL;
	}
	if (!g) {
		guards_add(c, record);
		guard_set_state(c, record, GUARD_LOST);
		index_reconsider_copies(&c->containers, str_from(record->swarm_id),
					str_from(record->name));
		if (guards_know_removed(c, record))
			guard_bury(c, record, true);
		return;
	}
	/* One of two records for one container goes: the other is written anew. */
	if (g->saved && strcmp(g->key, record->key) != 0) {
		guard_forget_record(c, record);
	} else {
		memcpy(g->key, record->key, sizeof(g->key));
		g->saved = record->saved;
	}
	merge_record(c, g, record);
	guard_dirty(c, g);
	guard_unref(record);
}
