/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/image_index.c: what each way of writing an image finds. */
#include "unit/testing.h"

#include "cluster/image_index.h"

#define HEX_A "cafe0000000000000000000000000000000000000000000000000000000000aa"
#define HEX_B "cafe0000000000000000000000000000000000000000000000000000000000bb"
#define HEX_C "dada0000000000000000000000000000000000000000000000000000000000cc"

static const struct str busybox_tags[] = { STR_INIT("busybox:latest"), STR_INIT("reg:5000/b:1") };
static const struct str busybox_digests[] = { STR_INIT("busybox@sha256:" HEX_C) };
static const struct str word_tags[] = { STR_INIT("dada:latest") };

static const struct image busybox = { .id = STR_INIT("sha256:" HEX_A),
				      .tags = busybox_tags,
				      .digests = busybox_digests,
				      .n_tags = 2,
				      .n_digests = 1 };
static const struct image word = { .id = STR_INIT("sha256:" HEX_B),
				   .tags = word_tags,
				   .n_tags = 1 };
static const struct image untagged = { .id = STR_INIT("sha256:" HEX_C) };

/* Engines are only told apart here. */
static char engines[3];
#define ENGINE(i) ((struct engine *)(void *)&engines[i])

static void fill(struct image_index *x)
{
	image_index_init(x);
	image_index_add(x, ENGINE(0), &busybox);
	image_index_add(x, ENGINE(1), &busybox);
	image_index_add(x, ENGINE(1), &word);
	image_index_add(x, ENGINE(2), &untagged);
}

static void finds_by_every_form(void **state)
{
	static const struct {
		const char *name;
		const struct image *expected; /* on engine `on`; NULL: nothing is found */
		int on;
	} cases[] = {
		{ "busybox", &busybox, 0 },
		{ "busybox:latest", &busybox, 1 },
		{ "docker.io/library/busybox", &busybox, 1 },
		{ "busybox:1.36", NULL, 0 },
		{ "reg:5000/b:1", &busybox, 0 },
		{ "reg:5000/b", NULL, 0 },
		{ "busybox@sha256:" HEX_C, &busybox, 0 },
		{ "sha256:" HEX_A, &busybox, 0 },
		{ HEX_A, &busybox, 0 },
		{ "cafe", NULL, 0 }, /* begins two */
		{ "sha256:dada", &untagged, 2 },
		{ "dada0000", &untagged, 2 },
		{ "dada", &word, 1 }, /* a name first */
		{ "not a name", NULL, 0 },
		{ "", NULL, 0 },
	};
	struct image_index x;

	(void)state;
	fill(&x);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct slot *slot = image_index_find(&x, str_from(cases[i].name));

		if (!cases[i].expected != !slot)
			print_message("%s\n", cases[i].name);
		if (cases[i].expected)
			assert_ptr_equal(image_slot_on(slot, ENGINE(cases[i].on)),
					 cases[i].expected);
		else
			assert_null(slot);
	}
	image_index_fini(&x);
}

static void forgets_with_the_last_copy(void **state)
{
	struct image_index x;

	(void)state;
	fill(&x);
	image_index_remove(&x, ENGINE(0), &busybox);
	assert_null(image_slot_on(image_index_find(&x, STR("busybox")), ENGINE(0)));
	assert_ptr_equal(image_slot_on(image_index_find(&x, STR("busybox")), ENGINE(1)), &busybox);
	image_index_remove(&x, ENGINE(1), &busybox);
	assert_null(image_index_find(&x, STR("busybox")));
	assert_ptr_equal(image_index_find(&x, STR("cafe"))->copies[0].image, &word);
	image_index_fini(&x);
}

/* Two tags of one repository are two copies there, and go one by one. */
static void finds_repositories(void **state)
{
	static const struct str tags[] = { STR_INIT("busybox:1"), STR_INIT("busybox:2") };
	static const struct image two = { .id = STR_INIT("sha256:" HEX_C),
					  .tags = tags,
					  .n_tags = 2 };
	struct image_index x;

	(void)state;
	fill(&x);
	image_index_add(&x, ENGINE(2), &two);
	assert_int_equal(image_index_repo(&x, STR("busybox"))->n, 4);
	assert_int_equal(image_index_repo(&x, STR("reg:5000/b"))->n, 2);
	assert_null(image_index_repo(&x, STR("busy")));
	assert_null(image_index_repo(&x, STR("busybox:latest")));
	image_index_remove(&x, ENGINE(0), &busybox);
	image_index_remove(&x, ENGINE(1), &busybox);
	assert_null(image_index_repo(&x, STR("reg:5000/b")));
	assert_ptr_equal(image_slot_on(image_index_repo(&x, STR("busybox")), ENGINE(2)), &two);
	image_index_remove(&x, ENGINE(2), &two);
	assert_null(image_index_repo(&x, STR("busybox")));
	image_index_fini(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_every_form),
		cmocka_unit_test(forgets_with_the_last_copy),
		cmocka_unit_test(finds_repositories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
