/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls about volumes and networks.
 */
#include "base/limits.h"
#include "engine/client.h"
#include "engine/internal.h"
#include "http/url.h"

#define LIST_TIME (60 * SECOND)

static may_suspend struct error *fetch(struct engine *e, struct str path, int64_t time,
				       struct arena *arena, struct json *ret)
{
	return client_fetch_json(
		e,
		&(struct engine_call){
			.method = "GET", .path = path, .time = time, .max = LIMIT_ENGINE_REPLY },
		arena, ret);
}

may_suspend struct error *engine_call_list_volumes(struct engine *e, struct arena *arena,
						   struct json *ret)
{
	struct json answer;

	TRY(fetch(e, STR("/volumes"), LIST_TIME, arena, &answer));
	*ret = json_get(answer, "Volumes");
	return NULL;
}

may_suspend struct error *engine_call_inspect_volume(struct engine *e, struct str name,
						     struct arena *arena, struct json *ret)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_add(&path, STR("/volumes/"));
	http_encode_path(&path, name);
	return fetch(e, strbuf_str(&path), ENGINE_CALL_TIME, arena, ret);
}

may_suspend struct error *engine_call_list_networks(struct engine *e, struct str id,
						    struct arena *arena, struct json *ret)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;

	strbuf_add(&path, STR("/networks"));
	if (!str_empty(id)) {
		struct str filters = arena_printf(arena, "{\"id\":[\"%.*s\"]}", STR_ARG(id));

		strbuf_add(&path, STR("?filters="));
		http_encode_query(&path, filters);
	}
	return fetch(e, strbuf_str(&path), str_empty(id) ? LIST_TIME : ENGINE_CALL_TIME, arena,
		     ret);
}
