/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readiness of a non-blocking file descriptor. One fiber may wait to read and another to write.
 */
#ifndef FIBER_FD_H
#define FIBER_FD_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

struct fd;
struct fiber;

/* Takes the descriptor (which must be non-blocking) and closes it in fd_close. Real loops only. */
struct fd *fd_new(int descriptor);
void fd_close(struct fd *f);  /* closed when it returns; NULL is fine; nobody may be waiting */
int fd_release(struct fd *f); /* as fd_close, but leaves the descriptor open and answers it */
int fd_descriptor(const struct fd *f);

may_suspend must_check struct error *fd_wait_readable(struct fd *f);
may_suspend must_check struct error *fd_wait_writable(struct fd *f);

/*
 * While set, a peer that hangs up (end of its stream, reset) cancels `f`'s fiber: how a request
 * whose client has gone away stops. NULL turns it off. Data that came before is not lost.
 */
void fd_cancel_on_hangup(struct fd *f, struct fiber *fiber);

/*
 * Likewise, but only for a peer that has gone altogether, where an end of its stream may be meant
 * as one. A closed TCP connection is told from an ended one when it refuses a keep-alive.
 */
void fd_cancel_when_gone(struct fd *f, struct fiber *fiber);

#endif
