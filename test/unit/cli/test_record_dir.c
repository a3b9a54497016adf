/* SPDX-License-Identifier: Apache-2.0 */
/* cli/record_dir.c: records as files, what is there after each step, and what is left out. */
#include "unit/testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "cli/record_dir.h"
#include "fiber/loop.h"

#define KEY_1 "00112233445566778899aabbccddeeff"
#define KEY_2 "ffeeddccbbaa99887766554433221100"

static char dir[64];
static char said[1024];

static void listen_to_log(_unused_ enum log_level level, struct str line, _unused_ void *arg)
{
	(void)snprintf(said, sizeof(said), "%.*s", STR_ARG(line));
}

static const char *in_dir(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/state/reschedule/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static may_suspend void expect(const struct record_store *store, const char *key_1,
			       const char *key_2)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct records all = { NULL, 0 };
	size_t expected = (key_1 != NULL) + (key_2 != NULL);

	assert_ok(store->list(store->arg, &arena, &all));
	assert_int_equal(all.n, expected);
	for (size_t i = 0; i < all.n; i++) {
		bool first = str_eq(all.v[i].key, STR(KEY_1));

		assert_str(all.v[i].text, first ? key_1 : key_2);
	}
}

static struct record_dir *open_dir(const char *discovery)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/state", dir);
	return record_dir_new(path, str_from(discovery));
}

static may_suspend void keeps_records_main(_unused_ void *arg)
{
	struct record_dir *d = open_dir("nodes://a:1");
	const struct record_store *store = record_dir_store(d);
	struct stat st;

	assert_true(store->shared);
	expect(store, NULL, NULL);
	assert_int_equal(access(in_dir("nodes"), F_OK), -1);
	assert_ok(store->remove(store->arg, STR(KEY_1)));
	assert_ok(store->put(store->arg, STR(KEY_1), STR("one")));
	assert_ok(store->put(store->arg, STR(KEY_2), STR("two")));
	expect(store, "one", "two");
	assert_ok(store->put(store->arg, STR(KEY_1), STR("another")));
	assert_int_equal(stat(in_dir("nodes/" KEY_1 ".json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	record_dir_free(d);

	/* Read by the next manager; a static list may be another then. */
	d = open_dir("a:1,b:2");
	store = record_dir_store(d);
	expect(store, "another", "two");
	assert_ok(store->remove(store->arg, STR(KEY_2)));
	expect(store, "another", NULL);
	record_dir_free(d);

	/* Another pool has others. */
	d = open_dir("token://abc");
	store = record_dir_store(d);
	assert_false(store->shared);
	expect(store, NULL, NULL);
	assert_ok(store->put(store->arg, STR(KEY_2), STR("theirs")));
	expect(store, NULL, "theirs");
	record_dir_free(d);
}

static may_suspend void leaves_out_main(_unused_ void *arg)
{
	struct record_dir *d = open_dir("nodes://a:1");
	const struct record_store *store = record_dir_store(d);
	_cleanup_(strbuf_fini) struct strbuf large = STRBUF_INIT;

	assert_ok(store->put(store->arg, STR(KEY_1), STR("one")));
	write_file("nodes/" KEY_2 ".new", "half");
	write_file("nodes/readme.json", "not ours");
	expect(store, "one", NULL);
	for (int i = 0; i < 1024; i++)
		strbuf_addf(&large, "%01100d", i);
	write_file("nodes/" KEY_2 ".json", large.p);
	expect(store, "one", NULL);
	assert_non_null(strstr(said, KEY_2));
	record_dir_free(d);
}

static may_suspend void fails_main(_unused_ void *arg)
{
	struct record_dir *d = open_dir("");
	const struct record_store *store = record_dir_store(d);
	struct error *err;
	char path[96];

	/* A file in the place of the directory. */
	(void)snprintf(path, sizeof(path), "%s/state", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/state/reschedule", dir);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	err = store->put(store->arg, STR(KEY_1), STR("one"));
	assert_true(error_is(err, ERR_INTERNAL));
	assert_non_null(strstr(error_message(err), "--state-dir: cannot write to"));
	error_free(err);
	record_dir_free(d);
}

static void run(fiber_fn *fn)
{
	char command[128];

	(void)snprintf(dir, sizeof(dir), "/tmp/test_record_dir.XXXXXX");
	assert_non_null(mkdtemp(dir));
	said[0] = '\0';
	log_set_sink(listen_to_log, NULL);
	loop_run(LOOP_REAL, fn, NULL);
	log_set_sink(NULL, NULL);
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void keeps_records(_unused_ void **state)
{
	run(keeps_records_main);
}

static void leaves_out_what_is_no_record(_unused_ void **state)
{
	run(leaves_out_main);
}

static void says_what_cannot_be_written(_unused_ void **state)
{
	run(fails_main);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_records),
		cmocka_unit_test(leaves_out_what_is_no_record),
		cmocka_unit_test(says_what_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
