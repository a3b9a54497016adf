/* SPDX-License-Identifier: Apache-2.0 */
/* engine/image.c: one shape, whether it comes out of a list or of an inspect. */
#include "unit/testing.h"

#include "engine/image.h"

static struct json parse(struct arena *arena, const char *text)
{
	struct json v;

	assert_ok(json_parse(str_from(text), arena, &v));
	return v;
}

static void test_from_list(void **state)
{
	static const char entry[] =
		"{\"Id\":\"sha256:1\",\"Created\":1795327200,\"RepoTags\":[\"a:1\",\"b:2\"],"
		"\"RepoDigests\":[\"a@sha256:f\"],\"Size\":7,\"Unheard\":1.50}";
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(image_unrefp) struct image *i = NULL;

	(void)state;
	assert_ok(image_new_from_list(parse(&arena, entry), &i));
	assert_str(i->id, "sha256:1");
	assert_str(i->entry, entry);
	assert_int_equal(i->created, 1795327200);
	assert_int_equal(i->n_tags, 2);
	assert_str(i->tags[0], "a:1");
	assert_str(i->tags[1], "b:2");
	assert_int_equal(i->n_digests, 1);
	assert_str(i->digests[0], "a@sha256:f");
}

static void test_none_is_no_reference(void **state)
{
	static const char *const entries[] = {
		("{\"Id\":\"sha256:1\",\"RepoTags\":[\"<none>:<none>\"],"
		 "\"RepoDigests\":[\"<none>@<none>\"]}"),
		"{\"Id\":\"sha256:1\",\"RepoTags\":[\"a:<none>\"],\"RepoDigests\":[\"\"]}",
		"{\"Id\":\"sha256:1\",\"RepoTags\":null}",
		"{\"Id\":\"sha256:1\",\"RepoTags\":{\"a\":\"b\"},\"RepoDigests\":[7]}",
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(entries); k++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(image_unrefp) struct image *i = NULL;

		assert_ok(image_new_from_list(parse(&arena, entries[k]), &i));
		assert_int_equal(i->n_tags, 0);
		assert_int_equal(i->n_digests, 0);
	}
}

static void test_not_an_image(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct image *i;

	(void)state;
	assert_err(image_new_from_list(parse(&arena, "{}"), &i), ERR_PROTOCOL, "without an Id");
	assert_err(image_new_from_inspect(parse(&arena, "[]"), &i), ERR_PROTOCOL, "without an Id");
}

static void test_from_inspect(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(image_unrefp) struct image *i = NULL;

	(void)state;
	assert_ok(image_new_from_inspect(
		parse(&arena,
		      "{\"Id\":\"sha256:1\",\"RepoTags\":[\"a:1\"],\"RepoDigests\":[],"
		      "\"Parent\":\"sha256:0\",\"Created\":\"2026-11-22T06:00:00.5Z\","
		      "\"Config\":{\"Labels\":{\"k\":\"v\"}},\"Size\":7,\"VirtualSize\":8}"),
		&i));
	assert_str(i->entry,
		   "{\"Containers\":-1,\"Created\":1795327200,\"Id\":\"sha256:1\","
		   "\"Labels\":{\"k\":\"v\"},\"ParentId\":\"sha256:0\",\"RepoDigests\":[],"
		   "\"RepoTags\":[\"a:1\"],\"SharedSize\":-1,\"Size\":7,"
		   "\"VirtualSize\":8}");
	assert_int_equal(i->n_tags, 1);
}

/* An engine of 1.48 or later whose images lie in containerd's store. */
static void test_from_an_inspect_with_manifests(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(image_unrefp) struct image *i = NULL;

	(void)state;
	assert_ok(image_new_from_inspect(
		parse(&arena, "{\"Id\":\"sha256:1\",\"RepoTags\":[\"a:1\"],\"Size\":7,"
			      "\"Descriptor\":{\"size\":4},\"Manifests\":["
			      "{\"Size\":{\"Content\":7,\"Total\":20}},{\"Size\":{\"Total\":3}},{},"
			      "{\"Size\":{\"Total\":9223372036854775806}}]}"),
		&i));
	assert_str(i->entry,
		   "{\"Containers\":-1,\"Created\":0,\"Id\":\"sha256:1\",\"Labels\":null,"
		   "\"ParentId\":\"\",\"Descriptor\":{\"size\":4},\"RepoDigests\":[],"
		   "\"RepoTags\":[\"a:1\"],\"SharedSize\":-1,\"Size\":9223372036854775807}");
}

static void test_from_a_scant_inspect(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(image_unrefp) struct image *i = NULL;

	(void)state;
	assert_ok(image_new_from_inspect(parse(&arena, "{\"Id\":\"sha256:1\",\"RepoTags\":null}"),
					 &i));
	assert_str(i->entry, "{\"Containers\":-1,\"Created\":0,\"Id\":\"sha256:1\",\"Labels\":null,"
			     "\"ParentId\":\"\",\"RepoDigests\":[],\"RepoTags\":[],"
			     "\"SharedSize\":-1,\"Size\":0}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_list),
		cmocka_unit_test(test_none_is_no_reference),
		cmocka_unit_test(test_not_an_image),
		cmocka_unit_test(test_from_inspect),
		cmocka_unit_test(test_from_an_inspect_with_manifests),
		cmocka_unit_test(test_from_a_scant_inspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
