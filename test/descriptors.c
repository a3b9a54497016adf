/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No case of a test leaves a descriptor open, nor closes one that it did not open. Linked to every
 * cmocka program in place of cmocka's own entry (test/meson.build), so that no test can forget it.
 */
#include "descriptors.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "fiber/loop.h"
#include "unit/testing.h"

/* As cmocka's macros call it, and what the linker makes of the two ends of such a call. */
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
				   CMFixtureFunction setup, CMFixtureFunction teardown);

/* Tests of the layers below fiber/ have no loops. */
#pragma weak loop_run

/* Of the group that runs: its own fixtures, and the state that its setup left for all cases. */
static CMFixtureFunction group_setup;
static CMFixtureFunction group_teardown;
static void *group_state;

static const struct CMUnitTest *running;

static struct strbuf noted; /* what was open before */

/*
 * A line for each descriptor, with a line break before the first one too. That a file was removed
 * meanwhile is nothing new of the descriptor.
 */
static void list_descriptors(struct strbuf *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	assert_non_null(dir);
	strbuf_reset(out);
	strbuf_addc(out, '\n');
	while ((entry = readdir(dir))) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target));
		struct str path = str_of(target, n > 0 ? (size_t)n : 0);

		if (str_ends(path, STR(" (deleted)")))
			path = str_first(path, path.n - STR(" (deleted)").n);
		if (n >= 0 && atoi(entry->d_name) != dirfd(dir))
			strbuf_addf(out, "%s -> %.*s\n", entry->d_name, STR_ARG(path));
	}
	closedir(dir);
}

/* Tells of each line of `lines` that `known` has not; answers how many. */
static size_t tell_new(struct str lines, struct str known, const char *what)
{
	size_t told = 0;
	struct str line;

	lines = str_trim(lines);
	while (str_next(&lines, '\n', &line)) {
		_cleanup_(strbuf_fini) struct strbuf whole = STRBUF_INIT;

		strbuf_addf(&whole, "\n%.*s\n", STR_ARG(line));
		if (str_contains(known, strbuf_str(&whole)))
			continue;
		fprintf(stderr, "the case %s %.*s\n", what, STR_ARG(line));
		told++;
	}
	return told;
}

void descriptors_note(void)
{
	list_descriptors(&noted);
}

bool descriptors_as_noted(void)
{
	_cleanup_(strbuf_fini) struct strbuf before = noted, after = STRBUF_INIT;
	size_t wrong;

	noted = (struct strbuf)STRBUF_INIT;
	list_descriptors(&after);
	wrong = tell_new(strbuf_str(&after), strbuf_str(&before), "left open");
	wrong += tell_new(strbuf_str(&before), strbuf_str(&after), "closed one of others,");
	return wrong == 0;
}

static int case_begin(void **state)
{
	running = *state;
	*state = group_state ? group_state : running->initial_state;
	descriptors_note();
	return running->setup_func ? running->setup_func(state) : 0;
}

static int case_end(void **state)
{
	int rc = running->teardown_func ? running->teardown_func(state) : 0;

	return descriptors_as_noted() ? rc : -1;
}

static int group_begin(void **state)
{
	int rc = group_setup ? group_setup(state) : 0;

	group_state = *state;
	*state = NULL;
	return rc;
}

static int group_end(void **state)
{
	*state = group_state;
	return group_teardown ? group_teardown(state) : 0;
}

static may_suspend void do_nothing(_unused_ void *arg)
{
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	struct CMUnitTest *counted = mem_realloc_array(NULL, n, sizeof(*counted));

	/* The first loop of a process opens what libuv keeps for all of them. */
	if (loop_run)
		loop_run(LOOP_REAL, do_nothing, NULL);

	group_setup = setup;
	group_teardown = teardown;
	for (size_t i = 0; i < n; i++)
		counted[i] = (struct CMUnitTest){
			.name = tests[i].name,
			.test_func = tests[i].test_func,
			.setup_func = case_begin,
			.teardown_func = case_end,
			.initial_state = (void *)&tests[i],
		};

	int rc = __real__cmocka_run_group_tests(name, counted, n, group_begin, group_end);

	free(counted);
	return rc;
}
