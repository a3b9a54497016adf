/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sizes.h"

#include <assert.h>

#include "cluster/fan.h"

static struct str size_key(const void *item)
{
	return ((const struct container_size *)item)->id;
}

static void take_entry(void *sizes, struct json entry)
{
	struct sizes *s = sizes;
	struct json written = json_get(entry, "SizeRw"), whole = json_get(entry, "SizeRootFs");
	struct container_size *size;

	if (!json_exists(whole))
		return;
	size = arena_new(&s->arena, struct container_size);
	size->id = arena_dup(&s->arena, json_get_str(entry, "Id"));
	/* An engine leaves SizeRw out where it is 0, and so do we. */
	size->members = arena_printf(&s->arena, "%s%.*s,\"SizeRootFs\":%.*s",
				     json_exists(written) ? ",\"SizeRw\":" : "",
				     STR_ARG(json_exists(written) ? json_raw(written) : STR_NONE),
				     STR_ARG(json_raw(whole)));
	map_put(&s->by_id, size);
}

may_suspend struct error *sizes_fetch(struct sizes *s, const struct cluster *c, bool all)
{
	map_init(&s->by_id, size_key);
	return fan_lists(c, API_VERSION_NEWEST,
			 all ? STR("/containers/json?size=1&all=1")
			     : STR("/containers/json?size=1"),
			 FAN_LONG, "a node does not tell its containers' sizes", take_entry, s);
}

void sizes_fini(struct sizes *s)
{
	map_fini(&s->by_id);
	arena_fini(&s->arena);
}

void sizes_add(const struct sizes *s, struct str id, struct strbuf *out)
{
	const struct container_size *size = map_get(&s->by_id, id);

	if (!size)
		return;
	assert(out->n > 0 && out->p[out->n - 1] == '}');
	strbuf_truncate(out, out->n - 1);
	strbuf_add(out, size->members);
	strbuf_addc(out, '}');
}
