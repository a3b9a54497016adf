/* SPDX-License-Identifier: Apache-2.0 */
/* discovery/file.c, on real files. */
#include "heard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/vec.h"
#include "discovery/backend.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"

static void parses_lines(_unused_ void **state)
{
	static const struct {
		const char *text, *entries;
	} cases[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "a:1", "a:1" },
		{ "a:1\nb:2\n", "a:1|b:2" },
		{ "a:1\r\nb:2\r\n", "a:1|b:2" },
		{ "  a:1\t\n\t b:2  ", "a:1|b:2" },
		{ "# all\na:1 # one\n#b:2\nc:3# three\n # four", "a:1|c:3" },
		{ "\xef\xbb\xbf"
		  "a:1\n",
		  "a:1" },
		{ "10.0.0.[1:9]:1\nnot an address\n", "10.0.0.[1:9]:1|not an address" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(vec_fini) struct vec entries = VEC_INIT;
		_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;

		discovery_parse_lines(str_from(cases[i].text), &arena, &entries);
		strbuf_add(&all, STR(""));
		for (size_t k = 0; k < entries.n; k++) {
			strbuf_add(&all, k > 0 ? STR("|") : STR(""));
			strbuf_add(&all, *(struct str *)entries.v[k]);
		}
		assert_buf(all, cases[i].entries);
	}
}

static char folder[64], path[96], other[96], uri[128];

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int folder_setup(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/swarm-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/nodes", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	snprintf(uri, sizeof(uri), "file://%s", path);
	return ear_setup(state);
}

static int folder_teardown(void **state)
{
	unlink(path);
	unlink(other);
	return ear_teardown(state) || rmdir(folder);
}

static struct discovery *open_file(int64_t heartbeat)
{
	const struct discovery_options options = { .heartbeat = heartbeat };
	struct discovery *d = NULL;

	assert_ok(discovery_open(str_from(uri), &options, &d));
	assert_string_equal(discovery_scheme(d), "file");
	return d;
}

/* Far more than any change needs to be seen. */
static may_suspend struct error *await(struct discovery *d)
{
	_cleanup_(deadline_end) struct deadline patience = deadline_begin(10 * SECOND);

	return discovery_wait(d);
}

static may_suspend void follows_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = open_file(HOUR);
	struct discovery_entries none;

	/* Not there yet, then made. */
	assert_err(discovery_fetch(d, &none), ERR_INTERNAL, "No such file");
	write_file(path, "a:1\n");
	assert_ok(await(d));
	assert_fetch(d, "a:1");

	/* Written in place. */
	write_file(path, "a:1\nb:[1:2] # two\n");
	assert_ok(await(d));
	assert_fetch(d, "a:1 b:1 b:2");

	/* Replaced by a rename, as editors do. */
	write_file(other, "c:1\r\n");
	assert_int_equal(rename(other, path), 0);
	assert_ok(await(d));
	assert_fetch(d, "c:1");

	/* Removed, and back. */
	assert_int_equal(unlink(path), 0);
	assert_ok(await(d));
	assert_err(discovery_fetch(d, &none), ERR_INTERNAL, "No such file");
	write_file(path, "c:1\nd:1");
	assert_ok(await(d));
	assert_fetch(d, "c:1 d:1");
	assert_silent();
}

static void follows_changes(_unused_ void **state)
{
	loop_run(LOOP_REAL, follows_main, NULL);
}

static may_suspend void change_between_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = open_file(HOUR);

	write_file(path, "a:1\n");
	assert_fetch(d, "a:1");
	write_file(path, "b:1\n"); /* before anybody waits */
	assert_ok(await(d));
	assert_fetch(d, "b:1");
}

static void sees_a_change_before_the_wait(_unused_ void **state)
{
	loop_run(LOOP_REAL, change_between_main, NULL);
}

static may_suspend void same_content_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = open_file(100 * MILLISECOND);
	_cleanup_(deadline_end) struct deadline patience = { 0 };

	write_file(path, "a:1\n");
	assert_fetch(d, "a:1");
	write_file(path, "a:1\n");
	patience = deadline_begin(600 * MILLISECOND);
	assert_err(discovery_wait(d), ERR_TIMEOUT, "");
	assert_true(deadline_passed(&patience));
}

static void is_not_woken_by_the_same_content(_unused_ void **state)
{
	loop_run(LOOP_REAL, same_content_main, NULL);
}

static void writer(_unused_ void *arg)
{
	assert_ok(fiber_sleep(200 * MILLISECOND));
	write_file(path, "a:1\n");
}

static may_suspend void empty_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = open_file(HOUR);
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	int64_t start;

	/* Read in the middle of being written: it is not empty for long. */
	write_file(path, "");
	group_go(&g, "writer", writer, NULL);
	assert_fetch(d, "a:1");
	assert_ok(group_wait(&g));

	/* Empty on purpose: after a second it counts. */
	write_file(path, "# none\n");
	start = clock_exact();
	assert_fetch(d, "");
	assert_true(clock_exact() - start >= SECOND);
}

static void reads_an_empty_file_twice(_unused_ void **state)
{
	loop_run(LOOP_REAL, empty_main, NULL);
}

/* A link's target in a folder that nobody watches: seen at the heartbeat. */
static may_suspend void link_main(_unused_ void *arg)
{
	char elsewhere[] = "/tmp/swarm-test-XXXXXX";
	int descriptor = mkstemp(elsewhere);
	_cleanup_(discovery_closep) struct discovery *d = open_file(100 * MILLISECOND);

	assert_true(descriptor >= 0);
	close(descriptor);
	write_file(elsewhere, "a:1\n");
	assert_int_equal(symlink(elsewhere, path), 0);
	assert_fetch(d, "a:1");
	write_file(elsewhere, "b:1\n");
	assert_ok(await(d));
	assert_fetch(d, "b:1");
	unlink(elsewhere);
}

static void looks_again_at_the_heartbeat(_unused_ void **state)
{
	loop_run(LOOP_REAL, link_main, NULL);
}

static may_suspend void bad_entries_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = open_file(HOUR);

	write_file(path, "a:1\nb:[2-3]\nc\nd:1\n");
	assert_fetch(d, "a:1 d:1");
	assert_heard("entry=\"b:[2-3]\"");
	assert_heard("entry=c ");
}

static void leaves_out_bad_lines(_unused_ void **state)
{
	loop_run(LOOP_REAL, bad_entries_main, NULL);
}

static may_suspend void long_line_main(_unused_ void *arg)
{
	static char line[100000];
	_cleanup_(discovery_closep) struct discovery *d = NULL;

	memset(line, 'x', sizeof(line) - 1);
	write_file(path, line);
	assert_ok(discovery_open(str_from(uri), &no_options, &d));
	assert_fetch(d, "");
	assert_heard("a node is left out");
	assert_true(heard.n < 1000);
}

static void logs_the_beginning_of_a_long_line(_unused_ void **state)
{
	loop_run(LOOP_REAL, long_line_main, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lines),	     TEST(follows_changes),
		TEST(sees_a_change_before_the_wait), TEST(is_not_woken_by_the_same_content),
		TEST(reads_an_empty_file_twice),     TEST(looks_again_at_the_heartbeat),
		TEST(leaves_out_bad_lines),	     TEST(logs_the_beginning_of_a_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
