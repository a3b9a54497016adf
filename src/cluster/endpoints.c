/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/endpoints.h"

#include "cluster/fan.h"
#include "json/build.h"
#include "json/edit.h"

/* The last version whose lists of networks tell them. */
#define TOLD_UNTIL API_VERSION(1, 27)

static struct str network_key(const void *item)
{
	return ((const struct network_endpoints *)item)->network;
}

static struct str endpoint_key(const void *item)
{
	return ((const struct endpoint *)item)->key;
}

static void add(struct endpoints *e, struct network_endpoints *n, struct str container,
		struct json entry)
{
	struct str key =
		arena_printf(&e->arena, "%.*s %.*s", STR_ARG(n->network), STR_ARG(container));
	struct endpoint *one;

	if (map_get(&e->seen, key))
		return;
	one = arena_new(&e->arena, struct endpoint);
	one->next = n->first;
	one->key = key;
	one->container = str_skip(key, key.n - container.n);
	one->entry = arena_dup(&e->arena, json_raw(entry));
	n->first = one;
	map_put(&e->seen, one);
}

static void take_entry(void *endpoints, struct json entry)
{
	struct endpoints *e = endpoints;
	struct str id = json_get_str(entry, "Id"), container;
	struct json members = json_get(entry, "Containers"), member;
	struct network_endpoints *n = map_get(&e->networks, id);
	struct json_iter it = json_iter(members);

	if (json_type(members) != JSON_OBJECT)
		return;
	if (!n) {
		n = arena_new(&e->arena, struct network_endpoints);
		*n = (struct network_endpoints){ .network = arena_dup(&e->arena, id) };
		map_put(&e->networks, n);
	}
	while (json_next(&it, &container, &member))
		add(e, n, container, member);
}

may_suspend struct error *endpoints_fetch(struct endpoints *e, const struct cluster *c)
{
	map_init(&e->networks, network_key);
	map_init(&e->seen, endpoint_key);
	return fan_lists(c, TOLD_UNTIL, STR("/networks"),
			 "a node does not tell the containers of its networks", take_entry, e);
}

void endpoints_fini(struct endpoints *e)
{
	if (e->networks.key) {
		map_fini(&e->networks);
		map_fini(&e->seen);
	}
	arena_fini(&e->arena);
}

struct error *endpoints_write(const struct endpoints *e, struct str network, struct str entry,
			      struct strbuf *out)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf members = STRBUF_INIT;
	const struct network_endpoints *n = map_get(&e->networks, network);
	struct json_out o = json_out(&members);
	struct json_edit *edit;
	struct json root;

	TRY(json_parse(entry, &arena, &root));
	json_begin_object(&o);
	for (const struct endpoint *one = n ? n->first : NULL; one; one = one->next) {
		json_key_str(&o, one->container);
		json_raw_value(&o, one->entry);
	}
	json_end_object(&o);
	edit = json_edit_new(root, &arena);
	json_edit_set(edit, root, "Containers", strbuf_str(&members));
	json_edit_apply(edit, out);
	return NULL;
}
