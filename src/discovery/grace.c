/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two lists: what the discovery names, and what it does no longer name and is kept.
 */
#include "discovery/grace.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

void grace_fini(struct grace *g)
{
	discovery_entries_fini(&g->listed);
	discovery_entries_fini(&g->kept);
}

void grace_note_outage(struct grace *g)
{
	g->outage = true;
}

static struct str key_of(const void *item)
{
	return *(const struct str *)item;
}

static struct str text_of(const struct addr *addr, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	addr_format(addr, &text);
	return arena_dup(arena, strbuf_str(&text));
}

static void enter_all(const struct discovery_entries *e, struct arena *arena, struct map *m)
{
	for (size_t i = 0; i < e->n; i++) {
		struct str *key = arena_new(arena, struct str);

		*key = text_of(&e->v[i], arena);
		map_put(m, key);
	}
}

/* Of `known` what the map does not have, behind what ret has. */
static void add_missing(const struct discovery_entries *known, const struct map *there,
			struct arena *arena, struct discovery_entries *ret)
{
	for (size_t i = 0; i < known->n; i++) {
		if (!map_get(there, text_of(&known->v[i], arena)))
			ret->v[ret->n++] = known->v[i];
	}
}

/* What is known and not among `listed`. */
static struct discovery_entries missing(const struct grace *g,
					const struct discovery_entries *listed)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(map_fini) struct map there = MAP_INIT(key_of);
	size_t known = g->listed.n + g->kept.n;
	struct discovery_entries ret = { NULL, 0 };

	enter_all(listed, &arena, &there);
	ret.v = mem_realloc_array(NULL, MAX(known, 1), sizeof(*ret.v));
	add_missing(&g->listed, &there, &arena, &ret);
	add_missing(&g->kept, &there, &arena, &ret);
	return ret;
}

void grace_take(struct grace *g, struct discovery_entries *listed, int64_t now)
{
	struct discovery_entries kept = { NULL, 0 };

	if (g->outage)
		g->until = now + GRACE_TIME;
	if (now < g->until)
		kept = missing(g, listed);
	if (g->outage && kept.n > 0)
		log_warn("nodes are missing after an outage of the discovery; those whose engine "
			 "answers stay for a while",
			 LOG_NUM("nodes", (int64_t)kept.n),
			 LOG_NUM("seconds", GRACE_TIME / SECOND));
	g->outage = false;
	grace_fini(g);
	g->listed = *listed;
	g->kept = kept;
	*listed = (struct discovery_entries){ NULL, 0 };
}

bool grace_judge(struct grace *g, int64_t now, grace_answers_fn *answers, void *arg)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	size_t n = 0;
	bool changed;

	for (size_t i = 0; i < g->kept.n; i++) {
		struct str text = text_of(&g->kept.v[i], &arena);

		if (now < g->until && answers(text, arg))
			g->kept.v[n++] = g->kept.v[i];
		else
			log_info("a node leaves: it is missing in the discovery after an outage",
				 LOG_STR("addr", text),
				 LOG_CSTR("why", now < g->until ? "its engine does not answer"
								: "nobody registered it again"));
	}
	changed = n < g->kept.n;
	g->kept.n = n;
	return changed;
}

void grace_nodes(const struct grace *g, struct discovery_entries *ret)
{
	size_t n = g->listed.n + g->kept.n;

	*ret = (struct discovery_entries){
		.v = mem_realloc_array(NULL, MAX(n, 1), sizeof(*ret->v)),
		.n = n,
	};
	if (g->listed.n > 0)
		memcpy(ret->v, g->listed.v, g->listed.n * sizeof(*ret->v));
	if (g->kept.n > 0)
		memcpy(ret->v + g->listed.n, g->kept.v, g->kept.n * sizeof(*ret->v));
}
