/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which idle connections are kept, and which is given out.
 */
#include "unit/http/wire.h"

#include "base/limits.h"
#include "http/pool.h"

struct far_ends {
	struct stream *v[LIMIT_IDLE_POOLED + 1];
	size_t n;
};

static void far_ends_free(struct far_ends *f)
{
	for (size_t i = 0; i < f->n; i++)
		stream_close(f->v[i]);
	free(f);
}

DEFINE_CLEANUP(struct far_ends *, far_ends_free)

#define FAR_ENDS(name) _cleanup_(far_ends_freep) struct far_ends *name = mem_new(struct far_ends)

/* A connection to put into the pool; its far end is the next of f. */
static struct stream *connection(struct far_ends *f)
{
	struct stream *near;

	memory_pair(10, "near", "far", &near, &f->v[f->n++]);
	return near;
}

static bool is_closed(struct stream *far)
{
	return !stream_quiet(far);
}

FIBER_TEST(test_the_youngest_is_given_out)
{
	FAR_ENDS(far);
	struct pool_host host = { .n = 0 };
	struct stream *first = connection(far), *second = connection(far);

	assert_null(pool_get(&host));
	pool_put(&host, first);
	pool_put(&host, second);
	assert_ptr_equal(pool_get(&host), second);
	pool_put(&host, second);
	pool_close(&host);
	assert_true(is_closed(far->v[0]) && is_closed(far->v[1]));
	assert_null(pool_get(&host));
	assert_int_equal(pool_idle(), 0);
}

FIBER_TEST(test_what_is_not_quiet_is_closed)
{
	FAR_ENDS(far);
	struct pool_host host = { .n = 0 };
	struct stream *good = connection(far);

	pool_put(&host, good);
	pool_put(&host, connection(far));
	pool_put(&host, connection(far));
	say(far->v[1], "x");
	assert_ok(stream_shutdown(far->v[2]));
	assert_ptr_equal(pool_get(&host), good);
	assert_int_equal(pool_idle(), 0);
	stream_close(good);
}

FIBER_TEST(test_the_cap_is_over_all_hosts)
{
	enum { HOSTS = LIMIT_IDLE_POOLED / LIMIT_IDLE_PER_HOST + 1 };
	static struct pool_host hosts[HOSTS];
	FAR_ENDS(far);

	for (size_t i = 0; i <= LIMIT_IDLE_POOLED; i++)
		pool_put(&hosts[i % HOSTS], connection(far));
	assert_int_equal(pool_idle(), LIMIT_IDLE_POOLED);
	assert_true(is_closed(far->v[0]));
	assert_false(is_closed(far->v[1]));
	for (size_t i = 0; i < HOSTS; i++)
		pool_close(&hosts[i]);
	assert_int_equal(pool_idle(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_youngest_is_given_out),
		cmocka_unit_test(test_what_is_not_quiet_is_closed),
		cmocka_unit_test(test_the_cap_is_over_all_hosts),
	};

	return run_fiber_tests(tests);
}
