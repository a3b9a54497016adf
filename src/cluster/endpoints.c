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

void endpoints_init(struct endpoints *e)
{
	map_init(&e->networks, network_key);
	map_init(&e->seen, endpoint_key);
}

void endpoints_fini(struct endpoints *e)
{
	map_fini(&e->networks);
	map_fini(&e->seen);
	arena_fini(&e->arena);
}

static struct network_endpoints *network_of(struct endpoints *e, struct str network)
{
	struct network_endpoints *n = map_get(&e->networks, network);

	if (n)
		return n;
	n = arena_new(&e->arena, struct network_endpoints);
	n->network = arena_dup(&e->arena, network);
	n->first = NULL;
	n->end = &n->first;
	map_put(&e->networks, n);
	return n;
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
	one->next = NULL;
	one->key = key;
	one->container = str_skip(key, key.n - container.n);
	one->entry = arena_dup(&e->arena, json_raw(entry));
	*n->end = one;
	n->end = &one->next;
	map_put(&e->seen, one);
}

void endpoints_take(struct endpoints *e, struct str network, struct json containers)
{
	struct network_endpoints *n = network_of(e, network);
	struct json_iter it = json_iter(containers);
	struct str container;
	struct json entry;

	while (json_next(&it, &container, &entry))
		add(e, n, container, entry);
}

static void take_entry(void *endpoints, struct json entry)
{
	struct json containers = json_get(entry, "Containers");

	if (json_type(containers) == JSON_OBJECT)
		endpoints_take(endpoints, json_get_str(entry, "Id"), containers);
}

may_suspend struct error *endpoints_fetch(struct endpoints *e, const struct cluster *c)
{
	endpoints_init(e);
	return fan_lists(c, TOLD_UNTIL, STR("/networks"), 0,
			 "a node does not tell the containers of its networks", take_entry, e);
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
