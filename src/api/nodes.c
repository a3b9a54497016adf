/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of the pool: /nodes in the shape of swarm mode's, so that `docker node ls` shows them,
 * and /placement, which tells where a container would go.
 */
#include "api/handlers.h"
#include "api/reply.h"
#include "base/duration.h"
#include "cluster/place.h"
#include "fiber/fiber.h"
#include "json/build.h"

/* A node that was never validated has no ID yet: its address stands for it. */
static struct str node_id(const struct engine *e)
{
	struct str id = engine_id(e);

	return str_empty(id) ? engine_addr(e) : id;
}

static const char *node_state(const struct engine *e)
{
	switch (engine_state(e)) {
	case ENGINE_HEALTHY:
		return "ready";
	case ENGINE_PENDING:
		return "unknown";
	case ENGINE_UNHEALTHY:
	case ENGINE_GONE:
		return "down";
	}
	return "unknown";
}

static void put_labels(struct json_out *o, const struct engine_info *info)
{
	json_key(o, "Labels");
	json_begin_object(o);
	for (size_t i = 0; info && i < info->n_labels; i++) {
		json_key_str(o, info->labels[i].key);
		json_str_value(o, info->labels[i].value);
	}
	json_end_object(o);
}

static void put_time(struct json_out *o, const char *key, int64_t unix_ns)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	time_format_rfc3339(unix_ns, &text);
	json_put_str(o, key, strbuf_str(&text));
}

static void put_spec(struct json_out *o, const struct engine *e)
{
	json_key(o, "Spec");
	json_begin_object(o);
	json_put_str(o, "Name", engine_name(e));
	json_put_raw(o, "Labels", STR("{}"));
	json_put_str(o, "Role", STR("worker"));
	json_put_str(o, "Availability", STR("active"));
	json_end_object(o);
}

static void put_description(struct json_out *o, const struct engine *e)
{
	const struct engine_info *info = engine_info(e);

	json_key(o, "Description");
	json_begin_object(o);
	json_put_str(o, "Hostname", engine_name(e));
	json_key(o, "Platform");
	json_begin_object(o);
	json_put_str(o, "Architecture", info ? info->architecture : STR(""));
	json_put_str(o, "OS", info ? info->os_type : STR(""));
	json_end_object(o);
	json_key(o, "Resources");
	json_begin_object(o);
	json_put_i64(o, "NanoCPUs", info ? info->cpus * 1000000000 : 0);
	json_put_i64(o, "MemoryBytes", info ? info->memory : 0);
	json_end_object(o);
	json_key(o, "Engine");
	json_begin_object(o);
	json_put_str(o, "EngineVersion", info ? info->server_version : STR(""));
	put_labels(o, info);
	json_end_object(o);
	json_end_object(o);
}

static void put_status(struct json_out *o, const struct engine *e)
{
	json_key(o, "Status");
	json_begin_object(o);
	json_put_str(o, "State", str_from(node_state(e)));
	if (!str_empty(engine_error(e)))
		json_put_str(o, "Message", engine_error(e));
	json_put_str(o, "Addr", engine_ip(e));
	json_end_object(o);
}

static void put_node(struct json_out *o, const struct engine *e)
{
	json_begin_object(o);
	json_put_str(o, "ID", node_id(e));
	json_put_raw(o, "Version", STR("{\"Index\":0}"));
	put_time(o, "CreatedAt", 0);
	put_time(o, "UpdatedAt", engine_updated_at(e));
	put_spec(o, e);
	put_description(o, e);
	put_status(o, e);
	json_end_object(o);
}

static bool get_label(const void *engine, struct str key, struct str *ret_value)
{
	const struct engine_info *info = engine_info(engine);

	*ret_value = info ? engine_info_label(info, key) : STR_NONE;
	return ret_value->p != NULL;
}

static bool no_label(_unused_ const void *engine, _unused_ struct str key,
		     _unused_ struct str *ret_value)
{
	return false;
}

/* Labels of swarm mode (node.label) no node has, and all are workers that were accepted. */
static bool matches(const struct filters *f, const struct engine *e)
{
	return filters_match_prefix(f, "id", node_id(e)) &&
	       filters_match_prefix(f, "name", engine_name(e)) &&
	       filters_match_labels(f, "label", get_label, e) &&
	       filters_match_labels(f, "node.label", no_label, e) &&
	       filters_match_exact(f, "membership", STR("accepted")) &&
	       filters_match_exact(f, "role", STR("worker"));
}

may_suspend struct error *nodes_list(struct request *r)
{
	static const char *const known[] = { "id",   "label",	   "membership", "name",
					     "role", "node.label", NULL };
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_out o = json_out(&out);
	struct filters filters;

	TRY(request_filters(r, &filters));
	TRY(filters_check(&filters, known));
	cluster_engines(r->cluster, &engines);
	json_begin_array(&o);
	for (size_t i = 0; i < engines.n; i++) {
		TRY(fiber_pace());
		if (matches(&filters, engines.v[i]))
			put_node(&o, engines.v[i]);
	}
	json_end_array(&o);
	strbuf_addc(&out, '\n');
	return reply_json(r, 200, strbuf_str(&out));
}

may_suspend struct error *nodes_inspect(struct request *r)
{
	_cleanup_(engine_unrefp) struct engine *e = cluster_engine(r->cluster, r->name);
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_out o = json_out(&out);

	if (!e)
		return error_new(ERR_NOT_FOUND, "node %.*s not found", STR_ARG(r->name));
	put_node(&o, e);
	strbuf_addc(&out, '\n');
	return reply_json(r, 200, strbuf_str(&out));
}

may_suspend struct error *placement_tell(struct request *r)
{
	struct create_request create = {
		.version = r->version,
		.client = request_client(r),
		.name = request_param(r, "name"),
		.query = request_query_without(r, "name"),
		.platform = request_param(r, "platform"),
	};
	struct str answer;

	TRY(request_check_json(r));
	TRY(request_body(r, &create.body));
	TRY(cluster_try_create(r->cluster, &create, r->arena, &answer));
	return reply_json(r, 200, answer);
}
