/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a guard: a JSON object with all that it takes to make its container again after a
 * restart of the manager, while the container's node is down. Holds the container's environment,
 * so stores keep it from others' eyes.
 */
#include "base/mem.h"
#include "cluster/guards.h"
#include "json/build.h"
#include "json/json.h"

#define RECORD_VERSION 1

void guard_write(const struct guard *g, struct strbuf *out)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_put_i64(&o, "version", RECORD_VERSION);
	json_put_str(&o, "name", str_from(g->name));
	json_put_str(&o, "swarm_id", str_from(g->swarm_id));
	json_put_str(&o, "container", str_from(g->container));
	json_put_i64(&o, "copy", g->copy);
	json_put_i64(&o, "generation", g->generation);
	json_put_bool(&o, "running", g->running);
	json_put_bool(&o, "unfinished", g->made_again);
	json_put_str(&o, "from", str_from(g->from));
	json_key(&o, "node");
	json_begin_object(&o);
	json_put_str(&o, "id", str_from(g->node_id));
	json_put_str(&o, "name", str_from(g->node_name));
	json_put_str(&o, "addr", str_from(g->node_addr));
	json_end_object(&o);
	json_put_raw(&o, "specification", strbuf_str(&g->specification));
	json_end_object(&o);
}

static struct error *check(struct json root)
{
	static const char *const needed[] = { "name", "swarm_id", "container", "node.id",
					      "node.addr" };

	if (json_type(root) != JSON_OBJECT)
		return error_new(ERR_INVALID, "it is no JSON object");
	if (json_get_i64(root, "version", 0) != RECORD_VERSION)
		return error_new(ERR_INVALID, "it is not of version %d", RECORD_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (str_empty(json_str(json_path(root, needed[i]))))
			return error_new(ERR_INVALID, "%s is missing", needed[i]);
	if (json_type(json_get(root, "specification")) != JSON_OBJECT)
		return error_new(ERR_INVALID, "specification is missing");
	return NULL;
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
	g->made_again = json_get_bool(root, "unfinished");
	strbuf_add(&g->specification, json_raw(json_get(root, "specification")));
	*ret = g;
	return NULL;
}
