/* SPDX-License-Identifier: Apache-2.0 */
#include "api/inspect.h"

#include "engine/engine.h"
#include "json/build.h"
#include "json/edit.h"
#include "json/json.h"

static void write_node(const struct engine_info *info, struct str ip, struct str addr,
		       struct strbuf *out)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_put_str(&o, "ID", info->id);
	json_put_str(&o, "IP", ip);
	json_put_str(&o, "Addr", addr);
	json_put_str(&o, "Name", info->name);
	json_put_i64(&o, "Cpus", info->cpus);
	json_put_i64(&o, "Memory", info->memory);
	json_key(&o, "Labels");
	json_begin_object(&o);
	for (size_t i = 0; i < info->n_labels; i++) {
		json_key_str(&o, info->labels[i].key);
		json_str_value(&o, info->labels[i].value);
	}
	json_end_object(&o);
	json_end_object(&o);
}

/* The bindings of one port: an array of {HostIp, HostPort}, or null. */
static void name_addresses(struct json bindings, struct json_edit *edit, struct str ip_text)
{
	struct json_iter it = json_iter(bindings);
	struct json binding;

	while (json_next(&it, NULL, &binding)) {
		struct json host_ip = json_get(binding, "HostIp");

		if (json_str_eq(host_ip, STR("0.0.0.0")))
			json_edit_replace(edit, host_ip, ip_text);
	}
}

struct error *inspect_rewrite(struct str inspect, const struct engine_info *info, struct str ip,
			      struct str addr, struct arena *arena, struct str *ret)
{
	_cleanup_(strbuf_fini) struct strbuf node = STRBUF_INIT, ip_text = STRBUF_INIT,
					     out = STRBUF_INIT;
	struct json root, bindings;
	struct json_edit *edit;
	struct json_iter it;
	struct error *err;

	err = json_parse(inspect, arena, &root);
	if (!err && json_type(root) != JSON_OBJECT)
		err = error_new(ERR_PROTOCOL, "it is no object");
	if (err)
		return error_as(ERR_PROTOCOL,
				error_wrap(err, "%.*s: inspect of a container", STR_ARG(addr)));

	edit = json_edit_new(root, arena);
	write_node(info, ip, addr, &node);
	json_edit_set(edit, root, "Node", strbuf_str(&node));

	json_quote(&ip_text, ip);
	it = json_iter(json_path(root, "NetworkSettings.Ports"));
	while (json_next(&it, NULL, &bindings))
		name_addresses(bindings, edit, strbuf_str(&ip_text));

	json_edit_apply(edit, &out);
	*ret = arena_dup(arena, strbuf_str(&out));
	return NULL;
}

struct error *inspect_add_node(struct str inspect, const struct engine *e, struct arena *arena,
			       struct str *ret)
{
	return inspect_rewrite(inspect, engine_info(e), engine_ip(e), engine_addr(e), arena, ret);
}
