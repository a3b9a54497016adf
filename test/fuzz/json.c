/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever bytes come: the reader takes or refuses them without harm, and what it takes can be
 * walked, cut out of a stream, edited, and written and read again.
 */
#include <assert.h>

#include "json/build.h"
#include "json/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct json parse_good(struct str text, struct arena *arena)
{
	struct json v;
	struct error *err = json_parse(text, arena, &v);

	assert(!err);
	return v;
}

/* A string written by us reads the same. */
static void quote_again(struct json v, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf quoted = STRBUF_INIT;

	json_quote(&quoted, json_str(v));
	assert(json_equal(v, parse_good(strbuf_str(&quoted), arena)));
	assert(json_str_eq(v, json_str(v)));
}

static void ask(struct json v, struct arena *arena)
{
	uint64_t u;
	int64_t i;
	double d;

	if (json_type(v) == JSON_STRING)
		quote_again(v, arena);
	if (json_to_i64(v, &i) && i >= 0)
		assert(json_to_u64(v, &u) && u == (uint64_t)i);
	if (json_to_double(v, &d))
		assert(json_type(v) == JSON_NUMBER);
	assert(json_equal(v, v));
}

static void walk(struct json v, struct arena *arena)
{
	struct json_iter it = json_iter(v);
	struct json item;
	struct str key;

	ask(v, arena);
	while (json_next(&it, &key, &item)) {
		/* Getters take C strings: a key with a NUL byte cannot be asked for. */
		if (it.object && !str_has_char(key, '\0')) {
			char *name = arena_cstr(arena, key);

			assert(json_get(v, name).at >= item.at);
		}
		walk(item, arena);
	}
}

/* A stream that begins with this text gives it as its first value. */
static void scan(struct str text, struct arena *arena)
{
	struct json_scan state = { 0 };
	_cleanup_(strbuf_fini) struct strbuf stream = STRBUF_INIT;
	size_t n = 0;

	strbuf_add(&stream, text);
	strbuf_add(&stream, STR("\n{"));
	assert(!json_scan_value(strbuf_str(&stream), &state, &n));
	assert(n > 0 && n <= text.n);
	assert(str_empty(str_trim(str_skip(text, n))));
	parse_good(str_first(text, n), arena);
}

static void edit(struct json v, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_edit *e = json_edit_new(v, arena);
	struct json_iter it = json_iter(v);
	struct json item, edited;
	size_t i = 0, replaced = 0;
	struct str key;

	if (json_type(v) == JSON_OBJECT) {
		json_edit_delete_field(e, v, "a");
		json_edit_set(e, v, "b", STR("1"));
		json_edit_add(e, v, STR("a"), STR("[]"));
	} else if (json_type(v) == JSON_ARRAY) {
		json_edit_prepend(e, v, STR("0"));
		json_edit_append(e, v, STR("{}"));
		for (; json_next(&it, &key, &item); i++) {
			if (i % 2)
				continue;
			json_edit_replace(e, item, STR("\"new\""));
			replaced++;
		}
	}
	json_edit_apply(e, &out);
	edited = parse_good(strbuf_str(&out), arena);
	if (json_type(v) == JSON_OBJECT) {
		assert(json_get_i64(edited, "b", 0) == 1);
		assert(json_type(json_get(edited, "a")) == JSON_ARRAY);
	} else if (json_type(v) == JSON_ARRAY) {
		assert(json_count(edited) == i + 2);
		assert(!replaced || json_str_eq(json_item(edited, 1), STR("new")));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = str_of((const char *)data, n);
	struct json_scan state = { 0 };
	struct error *err;
	struct json v;

	error_free(json_scan_value(text, &state, &n));
	err = json_parse(text, &arena, &v);
	if (err) {
		assert(error_is(err, ERR_INVALID));
		error_free(err);
		return 0;
	}
	walk(v, &arena);
	scan(text, &arena);
	edit(v, &arena);
	return 0;
}
