/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record is written beside its place, made durable, and renamed into it, so that there is the old
 * one or the new one at every moment. Everything here that touches a file runs on a helper thread.
 */
#include "cli/record_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "fiber/offload.h"

#define KEY_DIGITS 32
#define SUFFIX	   ".json"

struct record_dir {
	struct record_store store;
	char *state_dir, *parent, *path; /* each in the one before it */
};

/*
 * A static list is changed by a restart: its pools share a directory, and are told apart by nodes.
 */
static bool is_static_list(struct str discovery)
{
	return str_starts(discovery, STR("nodes://")) || !str_contains(discovery, STR("://"));
}

static char *path_of(const char *dir, const char *name)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", dir, name);
	return strbuf_take(&path);
}

static char *scope_of(struct str discovery)
{
	static const uint64_t key[2] = { 0x7377, 0x61726d };
	struct strbuf name = STRBUF_INIT;

	if (str_empty(discovery))
		strbuf_add(&name, STR("own"));
	else if (is_static_list(discovery))
		strbuf_add(&name, STR("nodes"));
	else
		strbuf_addf(&name, "%016llx", (unsigned long long)str_hash_keyed(discovery, key));
	return strbuf_take(&name);
}

struct write_job {
	const struct record_dir *dir;
	struct str key, text;
	const char *what; /* that failed */
	int code;
};

static bool fails(struct write_job *job, const char *what, int result)
{
	if (result >= 0)
		return false;
	job->what = what;
	job->code = errno;
	return true;
}

static bool make_directory(struct write_job *job, const char *path)
{
	return mkdir(path, 0700) != 0 && errno != EEXIST && fails(job, path, -1);
}

static bool sync_directory(struct write_job *job, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool failed = fails(job, path, fd) || fails(job, path, fsync(fd));

	if (fd >= 0)
		close(fd);
	return failed;
}

static bool make_directories(struct write_job *job)
{
	const struct record_dir *d = job->dir;

	if (access(d->path, W_OK) == 0)
		return true;
	return !make_directory(job, d->state_dir) && !make_directory(job, d->parent) &&
	       !make_directory(job, d->path) && !sync_directory(job, d->state_dir) &&
	       !sync_directory(job, d->parent);
}

static bool write_all(struct write_job *job, int fd, const char *path)
{
	struct str rest = job->text;

	while (!str_empty(rest)) {
		ssize_t n = write(fd, rest.p, rest.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (fails(job, path, (int)MIN(n, 1)))
			return false;
		rest = str_skip(rest, (size_t)n);
	}
	return !fails(job, path, fsync(fd));
}

static void put_file(struct write_job *job, const char *new_path, const char *path)
{
	int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool written;

	if (fails(job, new_path, fd))
		return;
	written = write_all(job, fd, new_path);
	close(fd);
	if (!written || fails(job, path, rename(new_path, path)))
		(void)unlink(new_path);
	else
		(void)sync_directory(job, job->dir->path);
}

static char *file_of(const struct record_dir *d, struct str key, const char *suffix)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/%.*s%s", d->path, STR_ARG(key), suffix);
	return strbuf_take(&path);
}

static void put_work(void *arg)
{
	struct write_job *job = arg;
	_cleanup_(mem_freep) char *path = file_of(job->dir, job->key, SUFFIX);
	_cleanup_(mem_freep) char *new_path = file_of(job->dir, job->key, ".new");

	if (make_directories(job))
		put_file(job, new_path, path);
}

static void remove_work(void *arg)
{
	struct write_job *job = arg;
	_cleanup_(mem_freep) char *path = file_of(job->dir, job->key, SUFFIX);

	if (unlink(path) == 0)
		(void)sync_directory(job, job->dir->path);
	else if (errno != ENOENT && errno != ENOTDIR)
		(void)fails(job, path, -1);
}

static struct error *job_error(const struct write_job *job)
{
	if (!job->code)
		return NULL;
	return error_errno(job->code, "--state-dir: cannot write to %s", job->dir->path);
}

static may_suspend struct error *put(void *arg, struct str key, struct str text)
{
	struct write_job job = { .dir = arg, .key = key, .text = text };

	offload(put_work, &job);
	return job_error(&job);
}

static may_suspend struct error *drop(void *arg, struct str key)
{
	struct write_job job = { .dir = arg, .key = key };

	offload(remove_work, &job);
	return job_error(&job);
}

struct list_job {
	const struct record_dir *dir;
	struct vec names; /* of char *: keys */
	int code;
};

static bool is_record(struct str name)
{
	struct str key = str_first(name, KEY_DIGITS);

	for (size_t i = 0; i < key.n; i++)
		if (!strchr("0123456789abcdef", key.p[i]))
			return false;
	return str_eq(str_skip(name, key.n), STR(SUFFIX));
}

static void list_work(void *arg)
{
	struct list_job *job = arg;
	DIR *dir = opendir(job->dir->path);
	const struct dirent *entry;

	if (!dir) {
		job->code = errno == ENOENT ? 0 : errno;
		return;
	}
	while (job->names.n < LIMIT_RECORDS && (entry = readdir(dir)))
		if (is_record(str_from(entry->d_name)))
			vec_push(&job->names,
				 str_dup(str_first(str_from(entry->d_name), KEY_DIGITS)));
	closedir(dir);
}

static may_suspend void read_record(const struct record_dir *d, const char *key,
				    struct arena *arena, struct records *ret)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	_cleanup_(mem_freep) char *path = file_of(d, str_from(key), SUFFIX);
	_cleanup_(error_freep) struct error *err = offload_read_file(path, LIMIT_RECORD, &text);

	if (err)
		log_error("a record of rescheduling cannot be read and is left out",
			  LOG_CSTR("file", path), LOG_ERR(err));
	else
		ret->v[ret->n++] = (struct record){ arena_dup(arena, str_from(key)),
						    arena_dup(arena, strbuf_str(&text)) };
}

static may_suspend struct error *list(void *arg, struct arena *arena, struct records *ret)
{
	struct record_dir *d = arg;
	struct list_job job = { .dir = d };

	offload(list_work, &job);
	if (job.code)
		return error_errno(job.code, "--state-dir: cannot read %s", d->path);
	if (job.names.n == LIMIT_RECORDS)
		log_error("there are too many records of rescheduling, and not all are read",
			  LOG_CSTR("directory", d->path));
	*ret = (struct records){ arena_new_array(arena, struct record, job.names.n), 0 };
	for (size_t i = 0; i < job.names.n; i++) {
		read_record(d, job.names.v[i], arena, ret);
		free(job.names.v[i]);
	}
	vec_fini(&job.names);
	return NULL;
}

struct record_dir *record_dir_new(const char *state_dir, struct str discovery)
{
	_cleanup_(mem_freep) char *scope = scope_of(discovery);
	struct record_dir *d = mem_new(struct record_dir);

	d->state_dir = mem_strdup(state_dir);
	d->parent = path_of(state_dir, "reschedule");
	d->path = path_of(d->parent, scope);
	d->store =
		(struct record_store){ .put = put,
				       .remove = drop,
				       .list = list,
				       .shared = !str_empty(discovery) && is_static_list(discovery),
				       .arg = d };
	return d;
}

void record_dir_free(struct record_dir *d)
{
	if (!d)
		return;
	free(d->state_dir);
	free(d->parent);
	free(d->path);
	free(d);
}

const struct record_store *record_dir_store(const struct record_dir *d)
{
	return &d->store;
}
