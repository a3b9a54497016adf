/* SPDX-License-Identifier: Apache-2.0 */
/* engine/object.c: what an engine lists of a volume or a network, and what is none. */
#include "unit/testing.h"

#include "engine/object.h"

static struct json parse(struct arena *arena, const char *text)
{
	struct json v;

	assert_ok(json_parse(str_from(text), arena, &v));
	return v;
}

static const struct row {
	const char *text;
	enum object_kind kind;
	const char *key, *name, *driver;
	bool global;
	const char *entry; /* NULL: the text */
} rows[] = {
	{ "{\"CreatedAt\":\"2026\",\"Driver\":\"local\",\"Labels\":null,\"Name\":\"data\","
	  "\"Scope\":"
	  "\"local\"}",
	  OBJECT_VOLUME, "data", "data", "local", false, NULL },
	{ "{\"Driver\":\"nfs\",\"Name\":\"data\",\"Scope\":\"global\"}", OBJECT_VOLUME, "data",
	  "data", "nfs", true, NULL },
	{ "{\"Driver\":\"nfs\",\"Name\":\"data\",\"Status\":{\"a\":1},\"Scope\":\"global\"}",
	  OBJECT_VOLUME, "data", "data", "nfs", true,
	  "{\"Driver\":\"nfs\",\"Name\":\"data\",\"Scope\":\"global\"}" },
	{ "{\"Name\":\"front\",\"Id\":\"ab12\",\"Scope\":\"local\",\"Driver\":\"bridge\"}",
	  OBJECT_NETWORK, "ab12", "front", "bridge", false, NULL },
	{ "{\"Name\":\"front\",\"Id\":\"ab12\",\"Scope\":\"swarm\",\"Driver\":\"overlay\","
	  "\"Status\":7}",
	  OBJECT_NETWORK, "ab12", "front", "overlay", true, NULL },
	{ "{\"Name\":\"a\\u0062\",\"Id\":\"ab12\"}", OBJECT_NETWORK, "ab12", "ab", "", false,
	  NULL },
};

static void test_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(object_unrefp) struct object *o = NULL;
		const struct row *r = &rows[i];

		assert_ok(object_new(r->kind, parse(&arena, r->text), &o));
		assert_str(o->key, r->key);
		assert_str(o->name, r->name);
		assert_str(o->driver, r->driver);
		assert_int_equal(o->global, r->global);
		assert_str(o->entry, r->entry ? r->entry : r->text);
	}
}

static void test_refuses(void **state)
{
	static const struct {
		enum object_kind kind;
		const char *text, *words;
	} bad[] = {
		{ OBJECT_VOLUME, "{\"Driver\":\"local\"}", "a volume without a Name" },
		{ OBJECT_VOLUME, "[]", "a volume without a Name" },
		{ OBJECT_NETWORK, "{\"Name\":\"x\"}", "a network without a Id" },
		{ OBJECT_NETWORK, "{\"Id\":\"x\",\"Name\":7}", "a network without a Name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct object *o;
		_cleanup_(error_freep) struct error *err =
			object_new(bad[i].kind, parse(&arena, bad[i].text), &o);

		assert_true(error_is(err, ERR_PROTOCOL));
		assert_non_null(strstr(error_message(err), bad[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
