/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/plugins.h"

#include "base/vec.h"
#include "cluster/fan.h"
#include "json/build.h"
#include "json/edit.h"

struct plugin {
	const struct engine *engine;
	struct json entry;
	struct str name;
};

static struct error *collect(struct fan_job *job, struct arena *arena, struct vec *plugins)
{
	struct json root, entry;
	struct json_iter it;

	TRY(error_as(ERR_PROTOCOL, json_parse(job->body, arena, &root)));
	it = json_iter(root);
	while (json_next(&it, NULL, &entry)) {
		struct plugin *p = arena_new(arena, struct plugin);

		*p = (struct plugin){ job->engine, entry, json_get_str(entry, "Name") };
		vec_push(plugins, p);
	}
	return NULL;
}

/* A node has a handful. */
static bool is_unique(const struct vec *plugins, const struct plugin *p)
{
	for (size_t i = 0; i < plugins->n; i++) {
		const struct plugin *other = plugins->v[i];

		if (other != p && str_eq(other->name, p->name))
			return false;
	}
	return true;
}

static struct error *put_plugin(const struct vec *plugins, const struct plugin *p,
				struct arena *arena, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, name = STRBUF_INIT;
	struct json_edit *edit;
	struct json entry;

	if (is_unique(plugins, p)) {
		json_raw_value(o, json_raw(p->entry));
		return NULL;
	}
	TRY(json_parse(json_raw(p->entry), arena, &entry));
	edit = json_edit_new(entry, arena);
	json_quote(&name, arena_printf(arena, "%.*s/%.*s", STR_ARG(engine_name(p->engine)),
				       STR_ARG(p->name)));
	json_edit_set(edit, entry, "Name", strbuf_str(&name));
	json_edit_apply(edit, &text);
	json_raw_value(o, strbuf_str(&text));
	return NULL;
}

static struct error *join(struct fan *fan, struct vec *plugins, struct arena *arena,
			  struct str *ret_json)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_out o = json_out(&out);

	for (size_t i = 0; i < fan->n; i++)
		TRY(error_wrap(collect(&fan->jobs[i], arena, plugins), "%.*s",
			       STR_ARG(engine_name(fan->jobs[i].engine))));
	json_begin_array(&o);
	for (size_t i = 0; i < plugins->n; i++)
		TRY(put_plugin(plugins, plugins->v[i], arena, &o));
	json_end_array(&o);
	strbuf_addc(&out, '\n');
	*ret_json = arena_dup(arena, strbuf_str(&out));
	return NULL;
}

may_suspend struct error *cluster_list_plugins(struct cluster *c, struct str query,
					       struct api_version version, struct arena *arena,
					       struct str *ret_json)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(vec_fini) struct vec plugins = VEC_INIT;
	_cleanup_(fan_fini) struct fan fan = {
		.version = version,
		.method = "GET",
		.path = STR("/plugins"),
	};

	cluster_healthy_engines(c, &engines);
	if (!str_empty(query))
		fan.path = arena_printf(arena, "/plugins?%.*s", STR_ARG(query));
	TRY(fan_call(&fan, &engines));
	TRY(fan_error(&fan, ERR_CANCELLED));
	return join(&fan, &plugins, arena, ret_json);
}
