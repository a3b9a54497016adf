/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/objects.h"

#include "base/log.h"
#include "cluster/internal.h"
#include "json/build.h"
#include "json/edit.h"

bool network_is_built_in(struct str name)
{
	return str_eq(name, STR("bridge")) || str_eq(name, STR("host")) ||
	       str_eq(name, STR("none"));
}

struct str object_pool_name(const struct cluster *c, const struct engine *e, const struct object *o,
			    struct arena *arena)
{
	bool plain = object_index_is_unique(&c->objects[o->kind], o);

	if (plain && (o->global || !c->config.compat))
		return arena_dup(arena, o->name);
	return arena_printf(arena, "%.*s/%.*s", STR_ARG(engine_name(e)), STR_ARG(o->name));
}

struct error *object_rename_text(struct str text, struct str name, struct arena *arena,
				 struct str *ret)
{
	_cleanup_(strbuf_fini) struct strbuf quoted = STRBUF_INIT, out = STRBUF_INIT;
	struct json_edit *edit;
	struct json root;

	TRY(error_as(ERR_PROTOCOL, json_parse(text, arena, &root)));
	if (json_type(root) != JSON_OBJECT)
		return error_new(ERR_PROTOCOL, "the engine's answer is no JSON object");
	if (json_str_eq(json_get(root, "Name"), name)) {
		*ret = text;
		return NULL;
	}
	edit = json_edit_new(root, arena);
	json_quote(&quoted, name);
	json_edit_set(edit, root, "Name", strbuf_str(&quoted));
	json_edit_apply(edit, &out);
	*ret = arena_dup(arena, strbuf_str(&out));
	return NULL;
}

struct error *object_live_copy(const struct found *f, const struct found_copy **ret)
{
	const struct found_copy *first = &f->v[0];

	for (size_t i = 0; i < f->n; i++) {
		if (engine_state(f->v[i].engine) != ENGINE_HEALTHY)
			continue;
		*ret = &f->v[i];
		return NULL;
	}
	return error_new(ERR_NODE_DOWN, "%s %.*s is on unhealthy node %.*s",
			 object_kind_name(first->object->kind), STR_ARG(first->object->name),
			 STR_ARG(engine_name(first->engine)));
}

may_suspend void object_read_back(struct engine *e, enum object_kind kind, struct str key)
{
	struct error *err = engine_refresh_object(e, kind, key);

	if (err)
		log_debug("what changed could not be read back", LOG_STR("node", engine_name(e)),
			  LOG_STR(object_kind_name(kind), key), LOG_ERR(err));
	error_free(err);
}
