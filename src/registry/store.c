/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite, on helper threads. A job touches its own argument and the database; errors are made from
 * what it found, back on the fiber.
 */
#include "registry/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "fiber/offload.h"

/* Of the tables below; a database that says more is a later program's. */
#define FORMAT 1

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS clusters (id TEXT PRIMARY KEY, own INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS nodes (id TEXT NOT NULL, node TEXT NOT NULL,"
	" ttl INTEGER NOT NULL, PRIMARY KEY (id, node)) WITHOUT ROWID;"
	"PRAGMA user_version = 1;";

/* One process at a time: nobody else can change what we have in memory. No shared memory then. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;";

struct store {
	sqlite3 *db;
	char *path;
};

/* What a job found: SQLite's code and words, or an errno. */
struct outcome {
	int code;
	int system_code;
	char words[160];
};

static void note(struct outcome *out, sqlite3 *db, int code)
{
	if (code == SQLITE_OK || code == SQLITE_DONE || out->code != SQLITE_OK)
		return;
	out->code = code;
	(void)snprintf(out->words, sizeof(out->words), "%s",
		       db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static struct error *outcome_error(const struct outcome *out, const char *what, const char *path)
{
	if (out->system_code != 0)
		return error_errno(out->system_code, "cannot %s %s", what, path);
	if (out->code == SQLITE_OK)
		return NULL;
	if ((out->code & 0xff) == SQLITE_BUSY)
		return error_new(ERR_UNAVAILABLE, "cannot %s %s: another process uses it", what,
				 path);
	return error_new(ERR_UNAVAILABLE, "cannot %s %s: %s", what, path, out->words);
}

struct open_job {
	const char *path;
	sqlite3 *db;
	struct outcome out;
	int format;
};

/* The ids in it are all that one needs to enter a node: nobody else may read it. */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int read_format(sqlite3 *db, int *ret)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);

	if (code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		*ret = sqlite3_column_int(stmt, 0);
	if (code == SQLITE_OK)
		code = sqlite3_finalize(stmt);
	return code;
}

static void open_work(void *arg)
{
	struct open_job *job = arg;
	struct outcome *out = &job->out;

	out->system_code = make_file(job->path);
	if (out->system_code != 0)
		return;
	note(out, NULL, sqlite3_open_v2(job->path, &job->db, SQLITE_OPEN_READWRITE, NULL));
	if (out->code == SQLITE_OK)
		note(out, job->db, sqlite3_exec(job->db, settings, NULL, NULL, NULL));
	if (out->code == SQLITE_OK)
		note(out, job->db, read_format(job->db, &job->format));
	if (out->code == SQLITE_OK && job->format < FORMAT)
		note(out, job->db, sqlite3_exec(job->db, schema, NULL, NULL, NULL));
}

static void close_work(void *db)
{
	sqlite3_close(db);
}

may_suspend struct error *store_open(const char *dir, struct store **ret)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct open_job job = { 0 };
	struct error *err;
	struct store *s;

	strbuf_addf(&path, "%s/registry.db", dir);
	job.path = path.p;
	offload(open_work, &job);
	err = outcome_error(&job.out, "open", path.p);
	if (!err && job.format > FORMAT)
		err = error_new(ERR_UNAVAILABLE,
				"cannot open %s: it was written by a later version", path.p);
	if (err) {
		offload(close_work, job.db);
		return err;
	}
	s = mem_new(struct store);
	s->db = job.db;
	s->path = strbuf_take(&path);
	*ret = s;
	return NULL;
}

may_suspend void store_close(struct store *s)
{
	if (!s)
		return;
	offload(close_work, s->db);
	free(s->path);
	free(s);
}

struct load_job {
	sqlite3 *db;
	struct store_rows rows;
	struct outcome out;
};

static struct store_row *add_row(struct store_rows *rows)
{
	if (rows->n == rows->cap) {
		rows->cap = MAX(2 * rows->cap, 64);
		rows->v = mem_realloc_array(rows->v, rows->cap, sizeof(*rows->v));
	}
	return &rows->v[rows->n++];
}

static void load_work(void *arg)
{
	static const char sql[] = "SELECT id, own, NULL, 0 FROM clusters UNION ALL "
				  "SELECT id, 0, node, ttl FROM nodes";
	struct load_job *job = arg;
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(job->db, sql, -1, &stmt, NULL);

	while (code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(stmt, 0);
		const char *node = (const char *)sqlite3_column_text(stmt, 2);
		struct store_row *row = add_row(&job->rows);

		*row = (struct store_row){ .own = sqlite3_column_int(stmt, 1) != 0,
					   .node = node ? mem_strdup(node) : NULL,
					   .ttl = sqlite3_column_int64(stmt, 3) * SECOND };
		(void)snprintf(row->id, sizeof(row->id), "%s", id ? id : "");
	}
	if (code == SQLITE_OK)
		code = sqlite3_finalize(stmt);
	note(&job->out, job->db, code);
}

void store_rows_fini(struct store_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->v[i].node);
	free(rows->v);
	*rows = (struct store_rows){ NULL, 0, 0 };
}

may_suspend struct error *store_load(struct store *s, struct store_rows *ret)
{
	struct load_job job = { .db = s->db };
	struct error *err;

	offload(load_work, &job);
	err = outcome_error(&job.out, "read", s->path);
	if (err)
		store_rows_fini(&job.rows);
	else
		*ret = job.rows;
	return err;
}

/* One statement, or two that are one transaction: ?1 is id, ?2 node, ?3 number. */
struct change_job {
	sqlite3 *db;
	const char *sql[2]; /* the second may be NULL */
	struct str id, node;
	int64_t number;
	struct outcome out;
};

static void bind_text(sqlite3_stmt *stmt, int at, struct str text)
{
	if (sqlite3_bind_parameter_count(stmt) >= at && text.p)
		sqlite3_bind_text(stmt, at, text.p, (int)text.n, SQLITE_STATIC);
}

static int run_one(const struct change_job *job, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(job->db, sql, -1, &stmt, NULL);

	if (code != SQLITE_OK)
		return code;
	bind_text(stmt, 1, job->id);
	bind_text(stmt, 2, job->node);
	if (sqlite3_bind_parameter_count(stmt) >= 3)
		sqlite3_bind_int64(stmt, 3, job->number);
	sqlite3_step(stmt);
	return sqlite3_finalize(stmt);
}

static void change_work(void *arg)
{
	struct change_job *job = arg;

	if (!job->sql[1]) {
		note(&job->out, job->db, run_one(job, job->sql[0]));
		return;
	}
	note(&job->out, job->db, sqlite3_exec(job->db, "BEGIN", NULL, NULL, NULL));
	for (size_t i = 0; i < ARRAY_LEN(job->sql) && job->out.code == SQLITE_OK; i++)
		note(&job->out, job->db, run_one(job, job->sql[i]));
	if (job->out.code == SQLITE_OK)
		note(&job->out, job->db, sqlite3_exec(job->db, "COMMIT", NULL, NULL, NULL));
	if (job->out.code != SQLITE_OK)
		sqlite3_exec(job->db, "ROLLBACK", NULL, NULL, NULL);
}

static may_suspend struct error *change(struct store *s, struct change_job *job)
{
	job->db = s->db;
	offload(change_work, job);
	return outcome_error(&job->out, "write", s->path);
}

may_suspend struct error *store_put_cluster(struct store *s, struct str id, bool own)
{
	struct change_job job = {
		.sql = { "INSERT OR REPLACE INTO clusters (id, own) VALUES (?1, ?3)" },
		.id = id,
		.number = own,
	};

	return change(s, &job);
}

may_suspend struct error *store_remove_cluster(struct store *s, struct str id)
{
	struct change_job job = {
		.sql = { "DELETE FROM nodes WHERE id = ?1", "DELETE FROM clusters WHERE id = ?1" },
		.id = id,
	};

	return change(s, &job);
}

may_suspend struct error *store_put_node(struct store *s, struct str id, struct str node,
					 int64_t ttl)
{
	struct change_job job = {
		.sql = { "INSERT OR REPLACE INTO nodes (id, node, ttl) VALUES (?1, ?2, ?3)" },
		.id = id,
		.node = node,
		.number = ttl / SECOND,
	};

	return change(s, &job);
}

may_suspend struct error *store_remove_node(struct store *s, struct str id, struct str node)
{
	struct change_job job = {
		.sql = { "DELETE FROM nodes WHERE id = ?1 AND node = ?2" },
		.id = id,
		.node = node,
	};

	return change(s, &job);
}
