/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on helper threads, reading files, looking names up.
 */
#include "trace.h"
#include "aborts.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/duration.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/offload.h"

struct work {
	pthread_t thread;
	int gate[2]; /* the work lasts until a byte comes */
	char got;
};

static void work_fn(void *arg)
{
	struct work *w = arg;

	w->thread = pthread_self();
	assert_int_equal(read(w->gate[0], &w->got, 1), 1);
}

static void worker(void *arg)
{
	offload(work_fn, arg);
	trace_end("worker", fiber_check());
}

static void elsewhere_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct work w = { 0 };

	assert_int_equal(pipe(w.gate), 0);
	group_go(&g, "worker", worker, &w);
	assert_ok(fiber_sleep(2 * MILLISECOND));

	/* Cancelled, it is still waited for: `w` stays in use until the work is done. */
	group_cancel(&g);
	assert_ok(fiber_sleep(5 * MILLISECOND));
	assert_trace("");
	assert_int_equal(write(w.gate[1], "x", 1), 1);
	assert_ok(group_wait(&g));
	assert_trace("worker:cancelled");
	assert_int_equal(w.got, 'x');
	assert_false(pthread_equal(w.thread, pthread_self()));
	close(w.gate[0]);
	close(w.gate[1]);
}

static void test_work_runs_elsewhere_and_is_waited_for(_unused_ void **state)
{
	loop_run(LOOP_REAL, elsewhere_main, NULL);
}

static void in_place_main(_unused_ void *arg)
{
	struct work w = { 0 };

	assert_int_equal(pipe(w.gate), 0);
	assert_int_equal(write(w.gate[1], "x", 1), 1);
	offload(work_fn, &w);
	assert_true(pthread_equal(w.thread, pthread_self()));
	close(w.gate[0]);
	close(w.gate[1]);
}

static void test_a_virtual_loop_works_in_place(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, in_place_main, NULL);
}

static void file_main(void *path)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, STR("before "));
	assert_ok(offload_read_file(path, 40000, &text));
	assert_int_equal(text.n, 40007);
	assert_memory_equal(text.p, "before yyy", 10);

	struct error *err = offload_read_file(path, 39999, &text);

	assert_true(error_is(err, ERR_TOO_LARGE));
	error_free(err);
	assert_int_equal(text.n, 40007);

	err = offload_read_file("/nonexistent/file", 10, &text);
	assert_string_equal(error_message(err),
			    "cannot read /nonexistent/file: No such file or directory");
	error_free(err);
	assert_fails(offload_read_file("/tmp", 10, &text), ERR_INTERNAL);
}

static void pipe_main(void *path)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	_cleanup_(error_freep) struct error *err = offload_read_file(path, 10, &text);

	assert_true(error_is(err, ERR_INVALID));
	assert_non_null(strstr(error_message(err), "it is a pipe and no file"));
}

/* Nobody writes to it: who opened it as a file would wait for ever. */
static void test_read_pipe(_unused_ void **state)
{
	char dir[] = "/tmp/test_offload.XXXXXX", path[64];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/pipe", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	loop_run(LOOP_REAL, pipe_main, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_read_file(_unused_ void **state)
{
	char path[] = "/tmp/test_offload.XXXXXX", line[40000];
	int fd = mkstemp(path);

	memset(line, 'y', sizeof(line));
	assert_int_equal(write(fd, line, sizeof(line)), sizeof(line));
	close(fd);
	loop_run(LOOP_REAL, file_main, path);
	loop_run(LOOP_VIRTUAL, file_main, path);
	unlink(path);
}

static void resolve_main(_unused_ void *arg)
{
	struct offload_addresses found;

	assert_ok(offload_resolve("127.0.0.9", &found));
	assert_int_equal(found.n, 1);
	assert_string_equal(found.text[0], "127.0.0.9");
	assert_ok(offload_resolve("localhost", &found));
	assert_true(found.n >= 1);

	/* Not a name at all, so that no server is asked. */
	struct error *err = offload_resolve("bad host", &found);

	assert_true(error_is(err, ERR_NOT_FOUND));
	assert_non_null(strstr(error_message(err), "cannot look up bad host: "));
	error_free(err);
}

static void test_resolve(_unused_ void **state)
{
	loop_run(LOOP_REAL, resolve_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_runs_elsewhere_and_is_waited_for),
		cmocka_unit_test(test_a_virtual_loop_works_in_place),
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_pipe),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
