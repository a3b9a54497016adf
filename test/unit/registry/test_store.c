/* SPDX-License-Identifier: Apache-2.0 */
/* registry/store.c */
#include "folder.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "registry/store.h"

#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

static may_suspend void assert_rows(struct store *s, const char *expected)
{
	_cleanup_(store_rows_fini) struct store_rows rows = { NULL, 0, 0 };
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	assert_ok(store_load(s, &rows));
	strbuf_add(&text, STR(""));
	for (size_t i = 0; i < rows.n; i++) {
		const struct store_row *row = &rows.v[i];

		strbuf_addf(&text, "%.4s%s", row->id, row->own ? "*" : "");
		if (row->node)
			strbuf_addf(&text, " %s %lld", row->node, (long long)(row->ttl / SECOND));
		strbuf_addc(&text, '\n');
	}
	assert_buf(text, expected);
}

static const char *database(void)
{
	static char path[96];

	(void)snprintf(path, sizeof(path), "%s/registry.db", folder);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

STORY(keeps_what_it_was_told)
{
	struct store *s;
	struct stat st;

	assert_ok(store_open(folder, &s));
	assert_rows(s, "");
	assert_ok(store_put_cluster(s, STR(A), false));
	assert_ok(store_put_cluster(s, STR(B), true));
	assert_ok(store_put_node(s, STR(A), STR("a:1"), 180 * SECOND));
	assert_ok(store_put_node(s, STR(A), STR("b:1"), 180 * SECOND));
	assert_ok(store_put_node(s, STR(A), STR("b:1"), 60 * SECOND));
	assert_ok(store_put_node(s, STR(B), STR("a:1"), 60 * SECOND));
	assert_ok(store_remove_node(s, STR(A), STR("a:1")));
	assert_ok(store_remove_node(s, STR(A), STR("never:1")));
	store_close(s);

	assert_int_equal(stat(database(), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_ok(store_open(folder, &s));
	assert_rows(s, "0123\nfedc*\n0123 b:1 60\nfedc a:1 60\n");
	assert_ok(store_put_cluster(s, STR(A), true));
	assert_ok(store_remove_cluster(s, STR(B)));
	assert_rows(s, "0123*\n0123 b:1 60\n");
	store_close(s);
}

STORY(is_one_process_at_a_time)
{
	struct store *s, *second = NULL;

	assert_ok(store_open(folder, &s));
	assert_err(store_open(folder, &second), ERR_UNAVAILABLE,
		   "registry.db: another process uses it");
	assert_null(second);
	store_close(s);
	assert_ok(store_open(folder, &s));
	store_close(s);
}

STORY(says_what_is_wrong_with_the_file)
{
	struct store *s = NULL;
	sqlite3 *db;

	assert_err(store_open("/nowhere/at/all", &s), ERR_INTERNAL,
		   "cannot open /nowhere/at/all/registry.db: No such file");
	write_file(database(), "This is a text, and it is long enough to be read as a header of a "
			       "database, which it is not.");
	assert_err(store_open(folder, &s), ERR_UNAVAILABLE, "registry.db: file is not a database");
	assert_int_equal(unlink(database()), 0);

	assert_int_equal(sqlite3_open(database(), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 9", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_err(store_open(folder, &s), ERR_UNAVAILABLE, "it was written by a later version");
	assert_null(s);
}

STORY(says_when_the_disk_is_full)
{
	struct store *s;

	assert_ok(store_open(folder, &s));
	assert_ok(store_put_cluster(s, STR(A), false));
	disk_is_full(true);
	assert_err(store_put_cluster(s, STR(B), false), ERR_UNAVAILABLE, "cannot write /tmp/");
	assert_err(store_remove_cluster(s, STR(A)), ERR_UNAVAILABLE, "cannot write /tmp/");
	disk_is_full(false);
	assert_rows(s, "0123\n");
	assert_ok(store_put_cluster(s, STR(B), false));
	assert_rows(s, "0123\nfedc\n");
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOLD(keeps_what_it_was_told),
		TOLD(is_one_process_at_a_time),
		TOLD(says_what_is_wrong_with_the_file),
		TOLD(says_when_the_disk_is_full),
	};

	return run_stories(tests);
}
