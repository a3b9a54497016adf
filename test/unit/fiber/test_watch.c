/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watching a file for changes: written, replaced, removed, made.
 */
#include "trace.h"
#include "aborts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/duration.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/watch.h"

static char dir[32], file[48], other[48];

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Takes in all that one change brought, since a write is several events. */
static void settle(struct file_watch *w)
{
	struct error *err = NULL;

	while (!err) {
		_cleanup_(deadline_end) struct deadline d = deadline_begin(20 * MILLISECOND);

		err = file_watch_wait(w);
	}
	assert_true(error_is(err, ERR_TIMEOUT));
	error_free(err);
}

static void changes_main(_unused_ void *arg)
{
	_cleanup_(file_watch_freep) struct file_watch *w = NULL;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(20 * SECOND);

	assert_ok(file_watch_new(file, &w));

	put(file, "made");
	assert_ok(file_watch_wait(w));
	settle(w);

	put(file, "written");
	assert_ok(file_watch_wait(w));
	settle(w);

	put(other, "new");
	settle(w);
	assert_int_equal(rename(other, file), 0);
	assert_ok(file_watch_wait(w));
	settle(w);

	unlink(file);
	assert_ok(file_watch_wait(w));
}

static void test_each_kind_of_change_is_seen(_unused_ void **state)
{
	strcpy(dir, "/tmp/test_watch.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/nodes", dir);
	snprintf(other, sizeof(other), "%s/nodes.new", dir);
	loop_run(LOOP_REAL, changes_main, NULL);
	assert_int_equal(rmdir(dir), 0);
}

static void others_main(_unused_ void *arg)
{
	_cleanup_(file_watch_freep) struct file_watch *w = NULL;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(30 * MILLISECOND);

	assert_ok(file_watch_new(file, &w));
	put(other, "of no concern");
	assert_fails(file_watch_wait(w), ERR_TIMEOUT);
	unlink(other);
}

static void test_other_files_are_not(_unused_ void **state)
{
	strcpy(dir, "/tmp/test_watch.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/nodes", dir);
	snprintf(other, sizeof(other), "%s/elsewhere", dir);
	loop_run(LOOP_REAL, others_main, NULL);
	assert_int_equal(rmdir(dir), 0);
}

static void missing_main(_unused_ void *arg)
{
	struct file_watch *w;
	struct error *err = file_watch_new("/nonexistent/dir/nodes", &w);

	assert_string_equal(error_message(err),
			    "cannot watch /nonexistent/dir/nodes: No such file or directory");
	error_free(err);
}

static void test_a_missing_directory_is_an_error(_unused_ void **state)
{
	loop_run(LOOP_REAL, missing_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_of_change_is_seen),
		cmocka_unit_test(test_other_files_are_not),
		cmocka_unit_test(test_a_missing_directory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
