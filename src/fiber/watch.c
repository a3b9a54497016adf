/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File watches. Only names are compared: whether the content has changed is for the reader to see.
 */
#include "fiber/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fiber/core.h"
#include "fiber/fiber.h"

struct file_watch {
	uv_fs_event_t events;
	char *name; /* within its directory */
	bool changed;
	struct waitq waiters;
};

/*
 * Kubernetes shows a mounted configuration as a symbolic link by way of `..data`, and replaces
 * that one.
 */
static bool concerns(const struct file_watch *w, const char *name)
{
	return !name || strcmp(name, w->name) == 0 || strcmp(name, "..data") == 0;
}

static void on_event(uv_fs_event_t *h, const char *name, _unused_ int events, int status)
{
	struct file_watch *w = container_of(h, struct file_watch, events);

	if (status == 0 && !concerns(w, name))
		return;
	w->changed = true;
	waitq_wake_all(&w->waiters);
}

static void on_closed(uv_handle_t *h)
{
	struct file_watch *w = container_of((uv_fs_event_t *)h, struct file_watch, events);

	free(w->name);
	free(w);
}

struct error *file_watch_new(const char *path, struct file_watch **ret)
{
	_cleanup_(file_watch_freep) struct file_watch *w = mem_new(struct file_watch);
	_cleanup_(mem_freep) char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');

	uv_fs_event_init(&loop_real("file_watch_new")->uv, &w->events);
	w->name = mem_strdup(slash ? slash + 1 : path);
	if (slash)
		slash[slash == dir] = '\0';

	int err = uv_fs_event_start(&w->events, on_event, slash ? dir : ".", 0);

	if (err != 0)
		return error_errno(-err, "cannot watch %s", path);
	*ret = take(w);
	return NULL;
}

void file_watch_free(struct file_watch *w)
{
	if (!w)
		return;
	waitq_fini(&w->waiters);
	uv_close((uv_handle_t *)&w->events, on_closed);
}

may_suspend struct error *file_watch_wait(struct file_watch *w)
{
	while (!w->changed)
		TRY(waitq_wait(&w->waiters, "a change of a file"));
	w->changed = false;
	return NULL;
}
