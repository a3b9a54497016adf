/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container is called in lists (section 4): its own name first where it is alone in having
 * it, since tools take the first name without an inner slash; node/name always.
 */
#include "cluster/internal.h"
#include "json/build.h"

/* All that its engine calls it; missing where that is one name. */
static struct json names_read(const struct container *ct, struct arena *arena)
{
	struct str raw = str_of(ct->entry.p + ct->names.at, ct->names.n);
	struct json names = { 0 };

	if (str_has_char(raw, ','))
		error_free(json_parse(raw, arena, &names));
	return names;
}

static bool is_alias(struct str name)
{
	return str_has_char(str_skip(name, 1), '/');
}

/* "/other/alias": the names that legacy links give, kept as the engine has them. */
static void write_aliases(const struct container *ct, struct json_out *o)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json_iter it = json_iter(names_read(ct, &arena));
	struct json name;

	while (json_next(&it, NULL, &name))
		if (is_alias(json_str(name)))
			json_str_value(o, json_str(name));
}

static bool has_alias(const struct container *ct, struct str alias)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json_iter it = json_iter(names_read(ct, &arena));
	struct json name;

	while (json_next(&it, NULL, &name))
		if (is_alias(json_str(name)) && str_eq(json_str(name), alias))
			return true;
	return false;
}

struct container *cluster_container_called(const struct engine *e, struct str alias)
{
	struct container *ct;

	for (size_t at = 0; (ct = map_next(engine_containers(e), &at));)
		if (has_alias(ct, alias))
			return container_ref(ct);
	return NULL;
}

void cluster_container_names(const struct cluster *c, const struct container *ct,
			     struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	struct json_out o = json_out(out);

	json_begin_array(&o);
	if (!c->config.compat && cluster_name_is_unique(c, ct)) {
		strbuf_addf(&name, "/%.*s", STR_ARG(ct->name));
		json_str_value(&o, strbuf_str(&name));
		strbuf_reset(&name);
	}
	strbuf_addf(&name, "/%.*s/%.*s", STR_ARG(engine_name(ct->engine)), STR_ARG(ct->name));
	json_str_value(&o, strbuf_str(&name));
	write_aliases(ct, &o);
	json_end_array(&o);
}
