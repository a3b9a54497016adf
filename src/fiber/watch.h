/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of a file, by name: its directory is watched, so that a file that is replaced by a
 * rename (as editors do) is seen too. Real loops only.
 */
#ifndef FIBER_WATCH_H
#define FIBER_WATCH_H

#include "base/attr.h"
#include "base/error.h"

struct file_watch;

must_check struct error *file_watch_new(const char *path, struct file_watch **ret);
void file_watch_free(struct file_watch *w);

/* Parks until the file may have changed since the last call (or since _new). */
may_suspend must_check struct error *file_watch_wait(struct file_watch *w);

DEFINE_CLEANUP(struct file_watch *, file_watch_free)

#endif
