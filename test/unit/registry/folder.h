/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of this layer share: a state directory for each, and tests that run on a fiber.
 */
#ifndef UNIT_REGISTRY_FOLDER_H
#define UNIT_REGISTRY_FOLDER_H

#include "unit/testing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/duration.h"
#include "fiber/loop.h"

static char folder[64];

static inline int folder_setup(_unused_ void **state)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/swarm-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_teardown(_unused_ void **state)
{
	static const char *const names[] = { "", "-wal", "-journal", "-shm" };
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/registry.db%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

/* As on a full disk: no file of this process may grow. */
static inline void disk_is_full(bool full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 1 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/*
 * STORY(name) { ... } is a test on a fiber of a virtual loop. An assertion that fails there must
 * abort (run_stories sees to it): it cannot leave the fiber's stack for cmocka's.
 */
#define STORY(name)                                        \
	static may_suspend void name##_main(void *arg);    \
	static void name(_unused_ void **state)            \
	{                                                  \
		loop_run(LOOP_VIRTUAL, name##_main, NULL); \
	}                                                  \
	static may_suspend void name##_main(_unused_ void *arg)

#define TOLD(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

#define run_stories(tests)                                 \
	({                                                 \
		setenv("CMOCKA_TEST_ABORT", "1", 1);       \
		cmocka_run_group_tests(tests, NULL, NULL); \
	})

#endif
