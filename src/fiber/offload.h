/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that blocks (DNS, files, SQLite) on a helper thread while the fiber parks. In a virtual
 * loop the work runs at once, in place.
 */
#ifndef FIBER_OFFLOAD_H
#define FIBER_OFFLOAD_H

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

/*
 * Starts the helper threads, before the loop runs. Else the first work does, and waits until each of
 * them runs: on a busy machine for long, which is no fault of the fiber that gives it.
 */
void offload_start(void);

/*
 * Runs work(arg) elsewhere. It must touch nothing but arg. Cancellation does not interrupt it: the
 * call is shielded and returns when the work is done, so arg may be on the stack.
 */
may_suspend void offload(void (*work)(void *arg), void *arg);

/* The whole file, at most max bytes (ERR_TOO_LARGE beyond); a pipe is none (ERR_INVALID). */
may_suspend must_check struct error *offload_read_file(const char *path, size_t max,
						       struct strbuf *out);

/* Numeric address texts of a host name, most preferred first, as separate C strings in *out. */
struct offload_addresses {
	char text[16][64];
	size_t n;
};
may_suspend must_check struct error *offload_resolve(const char *host,
						     struct offload_addresses *ret);

#endif
