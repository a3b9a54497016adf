/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a guard: a JSON object with all that it takes to make its container again after a
 * restart of the manager, while the container's node is down. Holds the container's environment,
 * so stores keep it from others' eyes. That of a grave holds what tells the copies that are to go.
 */
#include "base/mem.h"
#include "cluster/guards.h"
#include "json/build.h"
#include "json/json.h"

#define RECORD_VERSION 1
/* Of graves: who knows the first version alone would make such a container again. */
#define GRAVE_VERSION 2

static void put_node(struct json_out *o, const char *id, const char *name, const char *addr)
{
	json_key(o, "node");
	json_begin_object(o);
	json_put_str(o, "id", str_from(id));
	json_put_str(o, "name", str_from(name));
	json_put_str(o, "addr", str_from(addr));
	json_end_object(o);
}

static void put_left(struct json_out *o, const struct guard *g)
{
	json_key(o, "left");
	json_begin_array(o);
	list_for_each(link, &g->left) {
		const struct left *l = list_item(link, struct left, link);

		json_begin_object(o);
		json_put_str(o, "container", str_from(l->container));
		json_put_str(o, "name", str_from(l->name));
		put_node(o, l->node_id, l->node_name, l->node_addr);
		json_end_object(o);
	}
	json_end_array(o);
	json_put_bool(o, "astray", g->astray);
}

void guard_write(const struct guard *g, struct strbuf *out)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_put_i64(&o, "version", g->removed_at ? GRAVE_VERSION : RECORD_VERSION);
	json_put_str(&o, "name", str_from(g->name));
	json_put_str(&o, "swarm_id", str_from(g->swarm_id));
	json_put_str(&o, "container", str_from(g->container));
	json_put_i64(&o, "copy", g->copy);
	json_put_i64(&o, "generation", g->generation);
	json_put_bool(&o, "running", g->running);
	json_put_i64(&o, "as_of", g->as_of);
	json_put_bool(&o, "unfinished", g->made_again);
	json_put_str(&o, "from", str_from(g->from));
	put_node(&o, g->node_id, g->node_name, g->node_addr);
	put_left(&o, g);
	if (g->removed_at) {
		json_put_i64(&o, "removed", g->removed_at);
		json_put_bool(&o, "gone", g->gone);
	} else {
		json_put_raw(&o, "specification", strbuf_str(&g->specification));
	}
	json_end_object(&o);
}

static struct error *check(struct json root)
{
	static const char *const needed[] = { "name", "swarm_id", "container", "node.id",
					      "node.addr" };
	int64_t version = json_get_i64(root, "version", 0);

	if (json_type(root) != JSON_OBJECT)
		return error_new(ERR_INVALID, "it is no JSON object");
	if (version != RECORD_VERSION && version != GRAVE_VERSION)
		return error_new(ERR_INVALID, "it is not of version %d or %d", RECORD_VERSION,
				 GRAVE_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (str_empty(json_str(json_path(root, needed[i]))))
			return error_new(ERR_INVALID, "%s is missing", needed[i]);
	if (version == GRAVE_VERSION && json_get_i64(root, "removed", 0) <= 0)
		return error_new(ERR_INVALID, "removed is missing");
	if (version == RECORD_VERSION && json_type(json_get(root, "specification")) != JSON_OBJECT)
		return error_new(ERR_INVALID, "specification is missing");
	return NULL;
}

static void read_left(struct json left, struct guard *g)
{
	struct json_iter it = json_iter(left);
	struct json item;

	while (json_type(left) == JSON_ARRAY && json_next(&it, NULL, &item)) {
		struct json node = json_get(item, "node");
		struct left *l = mem_new(struct left);

		guard_set_text(&l->container, json_get_str(item, "container"));
		guard_set_text(&l->name, json_get_str(item, "name"));
		guard_set_text(&l->node_id, json_get_str(node, "id"));
		guard_set_text(&l->node_name, json_get_str(node, "name"));
		guard_set_text(&l->node_addr, json_get_str(node, "addr"));
		list_append(&g->left, &l->link);
	}
}

struct error *guard_read(struct str text, struct guard **ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	int64_t generation, copy;
	struct json root, node;
	struct guard *g;

	TRY(json_parse(text, &arena, &root));
	TRY(check(root));
	generation = json_get_i64(root, "generation", -1);
	copy = json_get_i64(root, "copy", 0);
	if (copy < 0 || generation < copy || generation >= INT32_MAX)
		return error_new(ERR_INVALID, "generation is no number that can be");
	node = json_get(root, "node");

	g = mem_new(struct guard);
	g->refs = 1;
	list_init(&g->left);
	read_left(json_get(root, "left"), g);
	g->astray = json_get_bool(root, "astray");
	g->gone = json_get_bool(root, "gone");
	if (json_get_i64(root, "version", 0) == GRAVE_VERSION)
		g->removed_at = json_get_i64(root, "removed", 0);
	guard_set_text(&g->name, json_get_str(root, "name"));
	guard_set_text(&g->swarm_id, json_get_str(root, "swarm_id"));
	guard_set_text(&g->container, json_get_str(root, "container"));
	guard_set_text(&g->node_id, json_get_str(node, "id"));
	guard_set_text(&g->node_name, json_get_str(node, "name"));
	guard_set_text(&g->node_addr, json_get_str(node, "addr"));
	guard_set_text(&g->from, json_get_str(root, "from"));
	g->copy = (uint32_t)copy;
	g->generation = (uint32_t)generation;
	g->spent = true;
	g->running = json_get_bool(root, "running");
	g->as_of = json_get_i64(root, "as_of", 0);
	g->made_again = json_get_bool(root, "unfinished");
	if (!g->removed_at)
		strbuf_add(&g->specification, json_raw(json_get(root, "specification")));
	*ret = g;
	return NULL;
}
