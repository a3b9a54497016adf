/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/object_index.c: which volume or network a text means, over several nodes. */
#include "unit/testing.h"

#include "base/strbuf.h"
#include "cluster/object_index.h"
#include "base/vec.h"
#include "engine/engine.h"

/* An engine is only a name here. */
struct engine {
	struct str name;
	int refs;
};

static struct engine nodes[] = { { .name = STR_INIT("n1") },
				 { .name = STR_INIT("n2") },
				 { .name = STR_INIT("n3") } };

struct str engine_name(const struct engine *e)
{
	return e->name;
}

struct engine *engine_ref(struct engine *e)
{
	e->refs++;
	return e;
}

void engine_unref(struct engine *e)
{
	e->refs--;
}

struct fixture {
	struct object_index x;
	struct vec objects;
};

static void begin(struct fixture *f, enum object_kind kind)
{
	*f = (struct fixture){ 0 };
	object_index_init(&f->x, kind);
}

static struct object *add(struct fixture *f, int at, const char *entry)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct object *o;
	struct json v;

	assert_ok(json_parse(str_from(entry), &arena, &v));
	assert_ok(object_new(f->x.kind, v, &o));
	object_index_add(&f->x, &nodes[at - 1], o);
	vec_push(&f->objects, o);
	return o;
}

static void end(struct fixture *f)
{
	object_index_fini(&f->x);
	for (size_t i = 0; i < f->objects.n; i++)
		object_unref(f->objects.v[i]);
	vec_fini(&f->objects);
	for (int i = 0; i < 3; i++)
		assert_int_equal(nodes[i].refs, 0);
}

/* "n1 data;n2 data", or the error's text. */
static void check(struct fixture *f, const char *ref, const char *expected)
{
	_cleanup_(found_fini) struct found found = { NULL, 0 };
	_cleanup_(error_freep) struct error *err = object_index_find(&f->x, str_from(ref), &found);
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, str_from(err ? error_message(err) : ""));
	for (size_t i = 0; i < found.n; i++)
		strbuf_addf(&text, "%s%.*s %.*s", i ? ";" : "",
			    STR_ARG(engine_name(found.v[i].engine)),
			    STR_ARG(found.v[i].object->key));
	assert_buf(text, expected);
}

static size_t count_all(struct fixture *f, const char *ref)
{
	_cleanup_(found_fini) struct found found = { NULL, 0 };

	object_index_find_all(&f->x, str_from(ref), &found);
	return found.n;
}

static void test_volumes(void **state)
{
	struct fixture f;
	struct object *gone;

	(void)state;
	begin(&f, OBJECT_VOLUME);
	add(&f, 1, "{\"Name\":\"data\",\"Driver\":\"local\",\"Scope\":\"local\"}");
	add(&f, 1, "{\"Name\":\"both\",\"Driver\":\"local\",\"Scope\":\"local\"}");
	gone = add(&f, 2, "{\"Name\":\"both\",\"Driver\":\"local\",\"Scope\":\"local\"}");
	add(&f, 1, "{\"Name\":\"nfs\",\"Driver\":\"nfs\",\"Scope\":\"global\"}");
	add(&f, 3, "{\"Name\":\"nfs\",\"Driver\":\"nfs\",\"Scope\":\"global\"}");

	check(&f, "data", "n1 data");
	check(&f, "n1/data", "n1 data");
	check(&f, "n2/data", "get n2/data: no such volume");
	check(&f, "dat", "get dat: no such volume");
	check(&f, "", "get : no such volume");
	check(&f, "both", "volume both is ambiguous, it may be any of: n1/both, n2/both");
	check(&f, "n2/both", "n2 both");
	check(&f, "nfs", "n1 nfs;n3 nfs");
	assert_true(object_index_is_unique(&f.x, f.objects.v[0]));
	assert_false(object_index_is_unique(&f.x, gone));
	assert_true(object_index_is_unique(&f.x, f.objects.v[3]));

	object_index_remove(&f.x, &nodes[1], gone);
	check(&f, "both", "n1 both");
	assert_true(object_index_is_unique(&f.x, f.objects.v[1]));
	end(&f);
}

static void test_networks(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, OBJECT_NETWORK);
	add(&f, 1, "{\"Name\":\"bridge\",\"Id\":\"aa11\",\"Scope\":\"local\"}");
	add(&f, 2, "{\"Name\":\"bridge\",\"Id\":\"aa22\",\"Scope\":\"local\"}");
	add(&f, 1, "{\"Name\":\"front\",\"Id\":\"bb11\",\"Scope\":\"local\"}");
	add(&f, 1, "{\"Name\":\"over\",\"Id\":\"cc11\",\"Scope\":\"swarm\"}");
	add(&f, 2, "{\"Name\":\"over\",\"Id\":\"cc11\",\"Scope\":\"swarm\"}");
	/* Named as the beginning of another's id. */
	add(&f, 3, "{\"Name\":\"bb\",\"Id\":\"dd11\",\"Scope\":\"local\"}");

	check(&f, "aa22", "n2 aa22");
	check(&f, "bridge",
	      "network bridge is ambiguous, it may be any of: n1/bridge (aa11), n2/bridge (aa22)");
	check(&f, "n2/bridge", "n2 aa22");
	check(&f, "front", "n1 bb11");
	check(&f, "bb1", "n1 bb11");
	check(&f, "bb", "n3 dd11");
	check(&f, "aa",
	      "network aa is ambiguous, it may be any of: n1/bridge (aa11), n2/bridge (aa22)");
	assert_int_equal(count_all(&f, "aa"), 0);
	assert_int_equal(count_all(&f, "aa2"), 1);
	assert_int_equal(count_all(&f, "bridge"), 2);
	check(&f, "over", "n1 cc11;n2 cc11");
	check(&f, "cc", "n1 cc11;n2 cc11");
	check(&f, "nowhere", "network nowhere not found");
	assert_true(object_index_is_unique(&f.x, f.objects.v[4]));
	assert_false(object_index_is_unique(&f.x, f.objects.v[0]));

	/* Another of the same name: two things. */
	add(&f, 3, "{\"Name\":\"over\",\"Id\":\"ee11\",\"Scope\":\"local\"}");
	assert_false(object_index_is_unique(&f.x, f.objects.v[4]));
	check(&f, "over",
	      "network over is ambiguous, it may be any of: n1/over (cc11), n2/over (cc11), "
	      "n3/over (ee11)");
	check(&f, "cc11", "n1 cc11;n2 cc11");
	end(&f);
}

/* An error shows the first few. */
static void test_many(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, OBJECT_NETWORK);
	for (int i = 0; i < 12; i++) {
		_cleanup_(strbuf_fini) struct strbuf entry = STRBUF_INIT;

		strbuf_addf(&entry, "{\"Name\":\"n\",\"Id\":\"f%x\",\"Scope\":\"local\"}", i);
		add(&f, 1, entry.p);
	}
	check(&f, "f",
	      "network f is ambiguous, it may be any of: n1/n (f0), n1/n (f1), n1/n (f2), "
	      "n1/n (f3), n1/n (f4), n1/n (f5), n1/n (f6), n1/n (f7) and others");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
