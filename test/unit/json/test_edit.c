/* SPDX-License-Identifier: Apache-2.0 */
/* json/edit.c: by hand where the white space is odd, and at random against a plain model. */
#include "unit/testing.h"

#include "base/attr.h"
#include "json/build.h"
#include "json/edit.h"
#include "sample.h"

static struct arena arena;

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static struct json parse(struct str text)
{
	struct json v = { NULL, 0 };

	assert_ok(json_parse(text, &arena, &v));
	return v;
}

static void becomes(struct json_edit *e, const char *expected)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	json_edit_apply(e, &out);
	assert_buf(out, expected);
	parse(strbuf_str(&out));
}

/* Each letter of `keys` is deleted, each of `adds` is added with the value 0. */
static void change(const char *text, const char *keys, const char *adds, const char *expected)
{
	struct json v = parse(str_from(text));
	struct json_edit *e = json_edit_new(v, &arena);

	for (; *adds; adds++)
		json_edit_add(e, v, str_of(adds, 1), STR("0"));
	for (; *keys; keys++)
		json_edit_delete(e, v, (char[]){ *keys, '\0' });
	becomes(e, expected);
}

static void deletes_and_adds_members(void **state)
{
	static const struct {
		const char *text, *keys, *adds, *expected;
	} cases[] = {
		{ " { \"a\" : 1 } ", "", "", " { \"a\" : 1 } " },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "a", "", "{\"b\":2,\"c\":3}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "b", "", "{\"a\":1,\"c\":3}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "c", "", "{\"a\":1,\"b\":2}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "bc", "", "{\"a\":1}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "ab", "", "{\"c\":3}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "ac", "", "{\"b\":2}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "cab", "", "{}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "xabc", "y", "{\"y\":0}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "c", "cd", "{\"a\":1,\"b\":2,\"c\":0,\"d\":0}" },
		{ "{\"a\":1,\"b\":2,\"c\":3}", "a", "d", "{\"b\":2,\"c\":3,\"d\":0}" },
		{ "{}", "a", "", "{}" },
		{ "{}", "", "ab", "{\"a\":0,\"b\":0}" },
		{ " {\t} ", "", "a", " {\"a\":0\t} " },
		{ "{ \"a\" : 1 , \"b\" : 2 }", "a", "", "{ \"b\" : 2 }" },
		{ "{ \"a\" : 1 , \"b\" : 2 }", "b", "", "{ \"a\" : 1 }" },
		{ "{ \"a\" : 1 , \"b\" : 2 }", "b", "c", "{ \"a\" : 1,\"c\":0 }" },
		{ "{ \"a\" : 1 , \"b\" : 2 }", "ab", "", "{  }" },
		{ "{ \"a\" : 1 , \"b\" : 2 }", "ab", "c", "{ \"c\":0 }" },
		{ "{\n  \"a\": {\"x\":[1]},\n  \"b\": 2\n}\n", "a", "", "{\n  \"b\": 2\n}\n" },
		{ "{\n  \"a\": 1,\n  \"b\": [\"}\"]\n}\n", "b", "", "{\n  \"a\": 1\n}\n" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "a", "", "{\"b\":2}" },
		{ "{\"a\":1,\"a\":3}", "aa", "", "{}" },
		{ "{\"\\u0061\":1,\"b\":2}", "a", "a", "{\"b\":2,\"a\":0}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		change(cases[i].text, cases[i].keys, cases[i].adds, cases[i].expected);
}

static void leaves_every_other_byte(void **state)
{
	struct json v =
		parse(STR(" {\"n\" : 1.0e+10, \"u\":\"\\u00e9\\/\" ,\"v\":18446744073709551616,"
			  "\"Env\":[\"a\"] , \"x\":\"\xff\"}\n"));
	struct json_edit *e = json_edit_new(v, &arena);

	(void)state;
	json_edit_replace(e, json_get(v, "Env"), STR("null"));
	becomes(e, " {\"n\" : 1.0e+10, \"u\":\"\\u00e9\\/\" ,\"v\":18446744073709551616,"
		   "\"Env\":null , \"x\":\"\xff\"}\n");
}

static void deletes_fields_as_go_finds_them(void **state)
{
	struct json v = parse(STR("{\"env\":1,\"ENV\":2,\"Envy\":3,\"\\u0045nv\":4}"));
	struct json_edit *e = json_edit_new(v, &arena);

	(void)state;
	json_edit_delete_field(e, v, "Env");
	json_edit_set(e, v, "Env", STR("[]"));
	becomes(e, "{\"Envy\":3,\"Env\":[]}");
}

static void sets_members(void **state)
{
	struct json v = parse(STR("{\"a\":1,\"a\":2,\"o\":{\"x\":1}}"));
	struct json_edit *e = json_edit_new(v, &arena);

	(void)state;
	json_edit_set(e, v, "a", STR("7"));
	json_edit_set(e, v, "new", STR("8"));
	json_edit_set(e, json_get(v, "o"), "x", STR("9"));
	json_edit_set(e, json_get(v, "o"), "q\"\n", STR("{}"));
	becomes(e, "{\"a\":1,\"a\":7,\"o\":{\"x\":9,\"q\\\"\\n\":{}},\"new\":8}");
}

static void changes_arrays(void **state)
{
	static const struct {
		struct str text;
		const char *expected;
	} cases[] = {
		{ STR_INIT("[]"), "[\"q\",\"p\",\"x\",\"y\"]" },
		{ STR_INIT("[ ]"), "[\"q\",\"p\",\"x\",\"y\" ]" },
		{ STR_INIT("[ 1 , [2] ]"), "[ \"q\",\"p\",1 , [2],\"x\",\"y\" ]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json v = parse(cases[i].text);
		struct json_edit *e = json_edit_new(v, &arena);

		json_edit_append(e, v, STR("\"x\""));
		json_edit_prepend(e, v, STR("\"p\""));
		json_edit_append(e, v, STR("\"y\""));
		json_edit_prepend(e, v, STR("\"q\""));
		becomes(e, cases[i].expected);
	}
}

static void changes_at_several_depths_at_once(void **state)
{
	struct json v = parse(STR("{\"a\":[{\"b\":1,\"c\":[]}],\"d\":{\"e\":{}}}"));
	struct json first = json_item(json_get(v, "a"), 0);
	struct json_edit *e = json_edit_new(v, &arena);

	(void)state;
	json_edit_add(e, v, STR("z"), STR("1"));
	json_edit_add(e, json_path(v, "d.e"), STR("f"), STR("2"));
	json_edit_add(e, json_get(v, "d"), STR("g"), STR("3"));
	json_edit_append(e, json_get(first, "c"), STR("4"));
	json_edit_delete(e, first, "b");
	json_edit_prepend(e, json_get(v, "a"), STR("5"));
	becomes(e, "{\"a\":[5,{\"c\":[4]}],\"d\":{\"e\":{\"f\":2},\"g\":3},\"z\":1}");
}

static void edits_inside_go_with_the_whole(void **state)
{
	struct json v = parse(STR("{\"a\":{\"x\":1},\"b\":{\"x\":1},\"c\":{\"x\":1}}"));
	struct json_edit *e = json_edit_new(v, &arena);

	(void)state;
	json_edit_add(e, json_get(v, "a"), STR("y"), STR("2"));
	json_edit_delete(e, json_get(v, "a"), "x");
	json_edit_replace(e, json_get(v, "a"), STR("[]"));
	json_edit_replace(e, json_path(v, "b.x"), STR("2"));
	json_edit_delete(e, v, "b");
	json_edit_add(e, json_get(v, "c"), STR("y"), STR("2"));
	json_edit_delete(e, v, "c");
	becomes(e, "{\"a\":[]}");
}

static void replaces_the_root(void **state)
{
	struct json v = parse(STR(" 5 "));
	struct json_edit *e = json_edit_new(v, &arena);

	(void)state;
	json_edit_replace(e, v, STR("[6]"));
	becomes(e, " [6] ");
}

/*
 * Members are deleted, replaced, kept, and added at random; the model writes what must stay member
 * by member, and both must read the same.
 */
static void edit_at_random(struct json_edit *e, struct json v, struct json_out *o, int depth)
{
	struct json_iter it = json_iter(v);
	struct json value;
	struct str key;
	bool object = json_type(v) == JSON_OBJECT;
	uint64_t adds = rand_below(3);

	if (object)
		json_begin_object(o);
	else
		json_begin_array(o);
	while (json_next(&it, &key, &value)) {
		uint64_t choice = rand_below(4);

		if (object && choice == 0) {
			json_edit_delete(e, v, arena_cstr(&arena, key));
			continue;
		}
		if (object)
			json_key_str(o, key);
		if (choice == 1) {
			json_edit_replace(e, value, STR("\"new\""));
			json_str_value(o, STR("new"));
		} else if (choice == 2 && depth && json_iter(value).index) {
			edit_at_random(e, value, o, depth - 1);
		} else {
			json_raw_value(o, json_raw(value));
		}
	}
	for (uint64_t i = 0; i < adds; i++) {
		struct str name = arena_printf(&arena, "added %d", (int)i);

		if (object)
			json_edit_add(e, v, name, STR("[1, 2]"));
		else
			json_edit_append(e, v, STR("[1, 2]"));
		if (object)
			json_key_str(o, name);
		json_raw_value(o, STR("[1,2]"));
	}
	if (object)
		json_end_object(o);
	else
		json_end_array(o);
}

/* Or one with a NUL byte: what the model and getters by C strings cannot tell apart. */
static bool has_key_twice(struct json v)
{
	struct json_iter it = json_iter(v);
	struct json value;
	struct str key;

	while (json_next(&it, &key, &value)) {
		if (has_key_twice(value))
			return true;
		if (!it.object)
			continue;
		if (str_has_char(key, '\0') || json_get(v, arena_cstr(&arena, key)).at != value.at)
			return true;
	}
	return false;
}

static void agrees_with_a_plain_model(void **state)
{
	int edited = 0;

	(void)state;
	rand_seed(20261122);
	for (int i = 0; i < 3000; i++) {
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
		_cleanup_(strbuf_fini) struct strbuf model = STRBUF_INIT;
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		_cleanup_(strbuf_fini) struct strbuf dump_out = STRBUF_INIT;
		_cleanup_(strbuf_fini) struct strbuf dump_model = STRBUF_INIT;
		struct json_out o = json_out(&model);
		struct json_edit *e;
		struct json v;

		sample_value(&text, 4);
		v = parse(strbuf_str(&text));
		if (!json_count(v) || has_key_twice(v))
			continue;
		edited++;
		e = json_edit_new(v, &arena);
		edit_at_random(e, v, &o, 4);
		json_edit_apply(e, &out);
		dump_value(&dump_out, parse(strbuf_str(&out)));
		dump_value(&dump_model, parse(strbuf_str(&model)));
		if (!str_eq(strbuf_str(&dump_out), strbuf_str(&dump_model)))
			fail_msg("%s\nbecame %s\nand not %s", text.p, out.p, model.p);
		arena_fini(&arena);
	}
	assert_true(edited > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deletes_and_adds_members),
		cmocka_unit_test(leaves_every_other_byte),
		cmocka_unit_test(deletes_fields_as_go_finds_them),
		cmocka_unit_test(sets_members),
		cmocka_unit_test(changes_arrays),
		cmocka_unit_test(changes_at_several_depths_at_once),
		cmocka_unit_test(edits_inside_go_with_the_whole),
		cmocka_unit_test(replaces_the_root),
		cmocka_unit_test(agrees_with_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
