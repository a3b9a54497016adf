/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking values of an index: types, members, items, walks. What strings and numbers mean is in
 * value.c.
 */
#include "json/json.h"

#include "json/index.h"

enum json_type json_type(struct json v)
{
	if (!v.index)
		return JSON_MISSING;
	switch (v.index->text.p[v.index->v[v.at].offset]) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

struct str json_raw(struct json v)
{
	uint32_t begin;

	if (!v.index)
		return STR_NONE;
	begin = v.index->v[v.at].offset;
	return str_of(v.index->text.p + begin, token_end(v.index, v.at) - begin);
}

typedef bool token_match_fn(const struct json_index *index, uint32_t at, struct str key);

/* The last value whose key matches. */
static struct json find_member(struct json object, struct str key, token_match_fn *match)
{
	const struct json_index *index = object.index;
	struct json found = { NULL, 0 };
	uint32_t end;

	if (json_type(object) != JSON_OBJECT)
		return found;
	end = index->v[object.at].span;
	for (uint32_t at = object.at + 1; at < end; at = token_after(index, at + 1)) {
		if (match(index, at, key))
			found = json_at(index, at + 1);
	}
	return found;
}

static struct json get_str(struct json object, struct str key)
{
	return find_member(object, key, token_is);
}

struct json json_get(struct json object, const char *key)
{
	return get_str(object, str_from(key));
}

struct json json_field(struct json object, const char *key)
{
	return find_member(object, str_from(key), token_is_folded);
}

struct json json_path(struct json v, const char *path)
{
	struct str rest = str_from(path), key;

	while (json_exists(v) && str_next(&rest, '.', &key))
		v = get_str(v, key);
	return v;
}

struct json_iter json_iter(struct json v)
{
	enum json_type type = json_type(v);

	if (type != JSON_OBJECT && type != JSON_ARRAY)
		return (struct json_iter){ NULL, 0, 0, false };
	return (struct json_iter){ v.index, v.at + 1, v.index->v[v.at].span, type == JSON_OBJECT };
}

bool json_next(struct json_iter *it, struct str *ret_key, struct json *ret_value)
{
	if (it->next == it->end)
		return false;
	if (ret_key)
		*ret_key = it->object ? json_str(json_at(it->index, it->next)) : STR_NONE;
	it->next += it->object;
	*ret_value = json_at(it->index, it->next);
	it->next = token_after(it->index, it->next);
	return true;
}

size_t json_count(struct json v)
{
	struct json_iter it = json_iter(v);
	struct json item;
	size_t n = 0;

	while (json_next(&it, NULL, &item))
		n++;
	return n;
}

struct json json_item(struct json array, size_t i)
{
	struct json_iter it = json_iter(array);
	struct json item;

	if (it.object)
		return (struct json){ NULL, 0 };
	while (json_next(&it, NULL, &item)) {
		if (i-- == 0)
			return item;
	}
	return (struct json){ NULL, 0 };
}

struct str json_get_str(struct json object, const char *key)
{
	return json_str(json_get(object, key));
}

int64_t json_get_i64(struct json object, const char *key, int64_t otherwise)
{
	int64_t n;

	return json_to_i64(json_get(object, key), &n) ? n : otherwise;
}

bool json_is_true(struct json v)
{
	return json_type(v) == JSON_TRUE;
}

bool json_get_bool(struct json object, const char *key)
{
	return json_is_true(json_get(object, key));
}
