/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a wire, for tests of what is said on it.
 */
#ifndef TEST_HTTP_WIRE_H
#define TEST_HTTP_WIRE_H

#include "unit/http/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/loop.h"
#include "net/memory.h"
#include "net/stream.h"

/*
 * FIBER_TEST(name) { ... } is a cmocka test on a fiber of a virtual loop, FIBER_TEST_REAL of a real
 * one. An assertion that fails there must abort (see run_fiber_tests): it cannot leave the fiber's
 * stack for cmocka's.
 */
#define FIBER_TEST_ON(loop, name)                       \
	static may_suspend void name##_main(void *arg); \
	static void name(_unused_ void **state)         \
	{                                               \
		loop_run(loop, name##_main, NULL);      \
	}                                               \
	static may_suspend void name##_main(_unused_ void *arg)

#define FIBER_TEST(name)      FIBER_TEST_ON(LOOP_VIRTUAL, name)
#define FIBER_TEST_REAL(name) FIBER_TEST_ON(LOOP_REAL, name)

#define run_fiber_tests(tests)                             \
	({                                                 \
		setenv("CMOCKA_TEST_ABORT", "1", 1);       \
		cmocka_run_group_tests(tests, NULL, NULL); \
	})

static inline may_suspend void say(struct stream *s, const char *text)
{
	assert_ok(stream_write(s, str_from(text)));
}

/* The next bytes are just these. */
static inline may_suspend void hear(struct stream *s, const char *text)
{
	_cleanup_(mem_freep) char *got = mem_zalloc(strlen(text) + 1);
	size_t have = 0, n = 1;

	while (have < strlen(text) && n > 0) {
		assert_ok(stream_read(s, got + have, strlen(text) - have, &n));
		have += n;
	}
	assert_string_equal(got, text);
}

static inline may_suspend void hear_end(struct stream *s)
{
	char buf[256];
	size_t n;

	assert_ok(stream_read(s, buf, sizeof(buf) - 1, &n));
	buf[n] = '\0';
	assert_string_equal(buf, "");
}

static inline may_suspend void hear_reset(struct stream *s)
{
	char buf[256];
	size_t n;

	assert_error(stream_read(s, buf, sizeof(buf), &n), ERR_CLOSED, NULL);
}

/* Whatever is ready runs, and what that makes ready. */
static inline may_suspend void settle(void)
{
	for (int i = 0; i < 20; i++)
		assert_ok(fiber_yield());
}

#endif
