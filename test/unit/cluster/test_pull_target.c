/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/pull_target.c: what is remembered of clients' images, and how much. */
#include "unit/testing.h"

#include <stdio.h>

#include "base/duration.h"
#include "base/limits.h"
#include "cluster/internal.h"

static const struct engine_observer nobody;

struct fixture {
	struct cluster *c;
	struct engine *e;
};

static void begin(struct fixture *f)
{
	const struct engine_config config = { .refresh_min = MINUTE,
					      .refresh_max = MINUTE,
					      .failure_retry = 3,
					      .observer = &nobody };
	struct cluster_config defaults;
	struct addr a;

	cluster_config_default(&defaults);
	f->c = cluster_new(&defaults);
	assert_ok(addr_parse_host_port(STR("a:2375"), &a));
	f->e = engine_new(&a, &config);
}

static void end(struct fixture *f)
{
	pull_targets_clear(&f->c->pull_targets);
	assert_int_equal(f->c->pull_targets.by_key.n, 0);
	engine_unref(f->e);
	cluster_free(f->c);
}

static void remember(struct fixture *f, size_t i)
{
	char name[32];

	snprintf(name, sizeof(name), "image-%zu", i);
	pull_target_remember(f->c, STR("client"), str_from(name), f->e);
}

static void test_an_image_has_one_name(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	pull_target_remember(f.c, STR("a"), STR("busybox"), f.e);
	pull_target_built(f.c, STR("a"), STR("docker.io/library/busybox:latest"), f.e);
	assert_int_equal(f.c->pull_targets.by_key.n, 1);
	pull_target_remember(f.c, STR("b"), STR("busybox"), f.e);
	assert_int_equal(f.c->pull_targets.by_key.n, 2);
	pull_target_forget(f.c, STR("c"), STR("busybox"));
	pull_target_forget(f.c, STR("b"), STR("busybox:1"));
	assert_int_equal(f.c->pull_targets.by_key.n, 2);
	pull_target_forget(f.c, STR("b"), STR("busybox:latest"));
	assert_int_equal(f.c->pull_targets.by_key.n, 1);
	end(&f);
}

/* A client may ask for any number of images that nobody has. */
static void test_the_oldest_is_forgotten(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < LIMIT_PULL_TARGETS + 2; i++)
		remember(&f, i);
	assert_int_equal(f.c->pull_targets.by_key.n, LIMIT_PULL_TARGETS);
	pull_target_forget(f.c, STR("client"), STR("image-1"));
	assert_int_equal(f.c->pull_targets.by_key.n, LIMIT_PULL_TARGETS);
	pull_target_forget(f.c, STR("client"), STR("image-2"));
	assert_int_equal(f.c->pull_targets.by_key.n, LIMIT_PULL_TARGETS - 1);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_image_has_one_name),
		cmocka_unit_test(test_the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
