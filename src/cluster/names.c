/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container is called in lists (section 4): its own name first where it is alone in having
 * it, since tools take the first name without an inner slash; node/name always.
 */
#include "cluster/internal.h"
#include "json/build.h"

/* "/other/alias": the names that legacy links give, kept as the engine has them. */
static void write_aliases(const struct container *ct, struct json_out *o)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str raw = str_of(ct->entry.p + ct->names.at, ct->names.n);
	struct json names, name;
	struct json_iter it;
	struct error *err;

	if (!str_has_char(raw, ','))
		return;
	err = json_parse(raw, &arena, &names);
	if (err) {
		error_free(err);
		return;
	}
	it = json_iter(names);
	while (json_next(&it, NULL, &name))
		if (str_has_char(str_skip(json_str(name), 1), '/'))
			json_str_value(o, json_str(name));
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
