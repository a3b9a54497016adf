/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two values are the same. Members are looked up in maps, so that large objects in another
 * order cost no more than their length.
 */
#include "json/json.h"

#include "base/map.h"
#include "base/mem.h"

struct member {
	struct str key;
	struct json value;
};

struct members {
	struct member *v;
	struct map by_key; /* where a key stands twice, the last */
};

static struct str member_key(const void *item)
{
	return ((const struct member *)item)->key;
}

static void members_fini(struct members *m)
{
	map_fini(&m->by_key);
	free(m->v);
}

static void members_init(struct members *m, struct json object)
{
	struct json_iter it = json_iter(object);
	struct member *next;

	next = m->v = mem_realloc_array(NULL, json_count(object), sizeof(*m->v));
	map_init(&m->by_key, member_key);
	for (; json_next(&it, &next->key, &next->value); next++)
		map_put(&m->by_key, next);
}

static bool equal_members(struct json a, struct json b)
{
	_cleanup_(members_fini) struct members in_a = { 0 };
	_cleanup_(members_fini) struct members in_b = { 0 };
	struct member *member, *other;

	members_init(&in_a, a);
	members_init(&in_b, b);
	if (in_a.by_key.n != in_b.by_key.n)
		return false;
	for (size_t i = 0; (member = map_next(&in_a.by_key, &i));) {
		other = map_get(&in_b.by_key, member->key);
		if (!other || !json_equal(member->value, other->value))
			return false;
	}
	return true;
}

static bool equal_items(struct json a, struct json b)
{
	struct json_iter i = json_iter(a), j = json_iter(b);
	struct json item_a, item_b;

	while (json_next(&i, NULL, &item_a)) {
		if (!json_next(&j, NULL, &item_b) || !json_equal(item_a, item_b))
			return false;
	}
	return !json_next(&j, NULL, &item_b);
}

bool json_equal(struct json a, struct json b)
{
	enum json_type type = json_type(a);

	if (type != json_type(b))
		return false;
	switch (type) {
	case JSON_OBJECT:
		return equal_members(a, b);
	case JSON_ARRAY:
		return equal_items(a, b);
	case JSON_STRING:
		return str_eq(json_str(a), json_str(b));
	default:
		return str_eq(json_raw(a), json_raw(b));
	}
}
