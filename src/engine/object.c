/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a volume or a network out of what the engine lists.
 */
#include "engine/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "docker/config.h"
#include "json/edit.h"

static const struct {
	const char *name, *key;
} kinds[OBJECT_KINDS] = {
	[OBJECT_VOLUME] = { "volume", "Name" },
	[OBJECT_NETWORK] = { "network", "Id" },
};

const char *object_kind_name(enum object_kind kind)
{
	return kinds[kind].name;
}

static struct str put_text(char **at, struct str s)
{
	struct str copy = str_of(*at, s.n);

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

/* The list does not show Status: without it, what inspect says is what the list says. */
static struct str list_entry(struct json entry, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_edit *edit;

	if (!json_exists(json_get(entry, "Status")))
		return json_raw(entry);
	edit = json_edit_new(entry, arena);
	json_edit_delete(edit, entry, "Status");
	json_edit_apply(edit, &out);
	return arena_dup(arena, strbuf_str(&out));
}

/* One allocation: the struct, then all texts. */
struct error *object_new(enum object_kind kind, struct json entry, struct object **ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str key = json_get_str(entry, kinds[kind].key);
	struct str name = json_get_str(entry, "Name"), driver = json_get_str(entry, "Driver");
	struct str scope = json_get_str(entry, "Scope"), raw;
	struct str project = json_get_str(json_get(entry, "Labels"), LABEL_PROJECT);
	struct object *o;
	char *text;

	if (str_empty(key) || str_empty(name))
		return error_new(ERR_PROTOCOL, "the engine lists a %s without a %s",
				 kinds[kind].name, str_empty(name) ? "Name" : kinds[kind].key);

	raw = kind == OBJECT_VOLUME ? list_entry(entry, &arena) : json_raw(entry);
	o = mem_alloc(sizeof(*o) + key.n + name.n + driver.n + scope.n + project.n + raw.n);
	text = (char *)(o + 1);
	*o = (struct object){ .refs = 1, .kind = kind };
	o->key = put_text(&text, key);
	o->name = put_text(&text, name);
	o->driver = put_text(&text, driver);
	o->scope = put_text(&text, scope);
	o->project = put_text(&text, project);
	o->entry = put_text(&text, raw);
	o->global = str_eq(scope, STR("global")) || str_eq(scope, STR("swarm"));
	*ret = o;
	return NULL;
}

struct object *object_ref(struct object *o)
{
	o->refs++;
	return o;
}

void object_unref(struct object *o)
{
	if (o && --o->refs == 0)
		free(o);
}
