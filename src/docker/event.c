/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of engines go on to clients as the engines wrote them, with the node added. What a filter
 * means is daemon/events/filter.go of Docker Engine: looser than its names suggest, and kept.
 */
#include "docker/event.h"

#include "base/duration.h"
#include "base/limits.h"
#include "docker/ref.h"
#include "json/build.h"
#include "json/edit.h"

struct error *docker_event_read(struct str line, struct arena *arena, struct docker_event *ret)
{
	struct docker_event ev = { 0 };
	struct json actor;
	int64_t seconds;

	TRY(json_parse(line, arena, &ev.root));
	if (json_type(ev.root) != JSON_OBJECT)
		return error_new(ERR_INVALID, "the event is no JSON object");

	actor = json_get(ev.root, "Actor");
	ev.type = json_get_str(ev.root, "Type");
	ev.action = json_get_str(ev.root, "Action");
	if (str_empty(ev.action))
		ev.action = json_get_str(ev.root, "status");
	ev.actor_id = json_get_str(actor, "ID");
	ev.attributes = json_get(actor, "Attributes");
	ev.scope = json_get_str(ev.root, "scope");
	ev.time_nano = json_get_i64(ev.root, "timeNano", 0);
	seconds = json_get_i64(ev.root, "time", 0);
	if (!ev.time_nano && seconds > 0 && seconds < INT64_MAX / SECOND)
		ev.time_nano = seconds * SECOND;
	ev.time_nano = MAX(0, MIN(ev.time_nano, LIMIT_ENGINE_TIME));
	*ret = ev;
	return NULL;
}

static const struct {
	const char *attribute, *member;
	size_t offset;
} node_fields[] = {
	{ "node.name", "Name", offsetof(struct event_node, name) },
	{ "node.id", "Id", offsetof(struct event_node, id) },
	{ "node.addr", "Addr", offsetof(struct event_node, addr) },
	{ "node.ip", "Ip", offsetof(struct event_node, ip) },
};

static struct str node_field(const struct event_node *node, size_t i)
{
	return *(const struct str *)(const void *)((const char *)node + node_fields[i].offset);
}

static void put_node_attributes(struct json_out *o, const struct event_node *node)
{
	for (size_t i = 0; i < ARRAY_LEN(node_fields); i++)
		json_put_str(o, node_fields[i].attribute, node_field(node, i));
}

static void put_node_object(struct json_out *o, const struct event_node *node)
{
	json_begin_object(o);
	for (size_t i = 0; i < ARRAY_LEN(node_fields); i++)
		json_put_str(o, node_fields[i].member, node_field(node, i));
	json_end_object(o);
}

/* Texts that must live until the edits are applied. */
struct event_edit {
	struct json_edit *edit;
	struct arena arena;
	const struct event_node *node;
};

static void event_edit_fini(struct event_edit *e)
{
	arena_fini(&e->arena);
}

static struct str quoted(struct event_edit *e, struct str text)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;

	json_quote(&b, text);
	return arena_dup(&e->arena, strbuf_str(&b));
}

/* Sets the node's attributes, and makes what they stand in where the engine left it out. */
static void edit_attributes(struct event_edit *e, const struct docker_event *ev)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json actor = json_get(ev->root, "Actor");
	struct json_out o = json_out(&b);

	if (json_type(ev->attributes) == JSON_OBJECT) {
		for (size_t i = 0; i < ARRAY_LEN(node_fields); i++)
			json_edit_set(e->edit, ev->attributes, node_fields[i].attribute,
				      quoted(e, node_field(e->node, i)));
		return;
	}

	json_begin_object(&o);
	if (json_type(actor) != JSON_OBJECT) {
		json_put_str(&o, "ID", ev->actor_id);
		json_key(&o, "Attributes");
		json_begin_object(&o);
	}
	put_node_attributes(&o, e->node);
	json_end_object(&o);
	if (json_type(actor) != JSON_OBJECT)
		json_end_object(&o);

	if (json_type(actor) == JSON_OBJECT)
		json_edit_set(e->edit, actor, "Attributes", arena_dup(&e->arena, strbuf_str(&b)));
	else
		json_edit_set(e->edit, ev->root, "Actor", arena_dup(&e->arena, strbuf_str(&b)));
}

static void edit_from(struct event_edit *e, const struct docker_event *ev)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json from = json_get(ev->root, "from");

	if (json_type(from) != JSON_STRING || str_empty(json_str(from)))
		return;
	strbuf_add(&b, json_str(from));
	strbuf_add(&b, STR(" node:"));
	strbuf_add(&b, e->node->name);
	json_edit_replace(e->edit, from, quoted(e, strbuf_str(&b)));
}

void docker_event_write(const struct docker_event *ev, const struct event_node *node,
			struct strbuf *out)
{
	_cleanup_(event_edit_fini) struct event_edit e = { .arena = ARENA_INIT, .node = node };
	_cleanup_(strbuf_fini) struct strbuf object = STRBUF_INIT;
	struct json_out o = json_out(&object);

	e.edit = json_edit_new(ev->root, &e.arena);
	put_node_object(&o, node);
	edit_attributes(&e, ev);
	edit_from(&e, ev);
	json_edit_set(e.edit, ev->root, "node", strbuf_str(&object));
	json_edit_apply(e.edit, out);
}

static void put_scope_and_time(struct json_out *o, int64_t time_nano)
{
	json_put_str(o, "scope", STR("swarm"));
	json_put_i64(o, "time", time_nano / SECOND);
	json_put_i64(o, "timeNano", time_nano);
}

void docker_event_manager(const char *action, struct str manager, int64_t time_nano,
			  struct strbuf *out)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_put_str(&o, "status", str_from(action));
	json_put_str(&o, "id", manager);
	json_put_str(&o, "from", STR("swarm"));
	json_put_str(&o, "Type", STR("manager"));
	json_put_str(&o, "Action", str_from(action));
	json_key(&o, "Actor");
	json_begin_object(&o);
	json_put_str(&o, "ID", manager);
	json_key(&o, "Attributes");
	json_begin_object(&o);
	json_put_str(&o, "name", manager);
	json_end_object(&o);
	json_end_object(&o);
	put_scope_and_time(&o, time_nano);
	json_end_object(&o);
}

void docker_event_pool(const char *action, const struct event_node *node, int64_t time_nano,
		       struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf from = STRBUF_INIT;
	struct json_out o = json_out(out);

	strbuf_add(&from, STR("swarm node:"));
	strbuf_add(&from, node->name);

	json_begin_object(&o);
	json_put_str(&o, "status", str_from(action));
	json_put_str(&o, "id", node->id);
	json_put_str(&o, "from", strbuf_str(&from));
	json_put_str(&o, "Type", STR("node"));
	json_put_str(&o, "Action", str_from(action));
	json_key(&o, "Actor");
	json_begin_object(&o);
	json_put_str(&o, "ID", node->id);
	json_key(&o, "Attributes");
	json_begin_object(&o);
	json_put_str(&o, "name", node->name);
	put_node_attributes(&o, node);
	json_end_object(&o);
	json_end_object(&o);
	put_scope_and_time(&o, time_nano);
	json_key(&o, "node");
	put_node_object(&o, node);
	json_end_object(&o);
}

static const char *const known_filters[] = {
	"config", "container", "daemon", "event",   "image", "label",  "network", "node",
	"plugin", "scope",     "secret", "service", "type",  "volume", NULL,
};

struct error *docker_event_filters_check(const struct filters *f)
{
	return filters_check(f, known_filters);
}

/* "exec_create: sh" and "health_status: healthy" are asked for by what is before the colon. */
static bool match_action(const struct docker_event *ev, const struct filters *f)
{
	if (filters_have(f, "event", STR("health_status")) ||
	    filters_have(f, "event", STR("exec_create")) ||
	    filters_have(f, "event", STR("exec_start")))
		return filters_match_prefix(f, "event", ev->action);
	return filters_match_exact(f, "event", ev->action);
}

/* The name without its tag, as an engine strips it. */
static struct str image_name(struct str image, struct arena *arena)
{
	struct image_ref ref;
	_cleanup_(error_freep) struct error *err = image_ref_parse(image, arena, &ref);

	return err ? image : image_ref_familiar_name(&ref, arena);
}

/* An image's own events, and those of containers that were made from it. */
static bool match_image(const struct docker_event *ev, const struct filters *f)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str name =
		json_get_str(ev->attributes, str_eq(ev->type, STR("image")) ? "name" : "image");

	if (!filters_get(f, "image"))
		return true;
	return filters_match_exact(f, "image", ev->actor_id) ||
	       filters_match_exact(f, "image", name) ||
	       filters_match_exact(f, "image", image_name(ev->actor_id, &arena)) ||
	       filters_match_exact(f, "image", image_name(name, &arena));
}

/* By id or by name, the beginning of it is enough; whatever the event's own type is. */
static bool match_actor(const struct docker_event *ev, const struct event_node *node,
			const struct filters *f)
{
	static const char *const kinds[] = { "container", "daemon", "plugin",  "volume",
					     "network",	  "secret", "service", "config" };
	struct str name = json_get_str(ev->attributes, "name");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!filters_match_prefix(f, kinds[i], ev->actor_id) &&
		    !filters_match_prefix(f, kinds[i], name) &&
		    !filters_have_qualified(f, kinds[i], node->name, name))
			return false;
	return true;
}

static bool get_attribute(const void *labels, struct str key, struct str *ret_value)
{
	struct json_iter it = json_iter(*(const struct json *)labels);
	struct str name;
	struct json value;

	while (json_next(&it, &name, &value)) {
		if (str_eq(name, key)) {
			*ret_value = json_str(value);
			return true;
		}
	}
	return false;
}

bool docker_event_match(const struct docker_event *ev, const struct event_node *node,
			const struct filters *f)
{
	if (f->n == 0)
		return true;
	return match_action(ev, f) && filters_match_exact(f, "type", ev->type) &&
	       filters_match_exact(f, "scope", ev->scope) &&
	       (filters_match_exact(f, "node", node->name) ||
		filters_match_exact(f, "node", node->id)) &&
	       match_actor(ev, node, f) && match_image(ev, f) &&
	       filters_match_labels(f, "label", get_attribute, &ev->attributes);
}
