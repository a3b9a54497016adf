/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins two streams byte for byte until both directions have ended: an end is passed on as an end
 * of that direction only. Memory is one buffer of 64 KiB for each direction that is moving, none
 * for one that is idle. No idle timeout.
 */
#ifndef HTTP_PIPE_H
#define HTTP_PIPE_H

#include "base/strbuf.h"
#include "net/stream.h"

/*
 * Borrows both streams; `early_*` is what was already read from that side, sent first. Success is
 * when both directions have ended in order: close both. On any error a side is gone, or the caller
 * was cancelled: stream_abort both, so that the one that is left sees its peer go, and does not
 * wait for it (which of them is gone does not matter to that). A side that was reset ends the pipe
 * at once; a side that takes no more has what it sent before carried on to the other, and that one
 * given PIPE_LINGER to take it, before the error is returned.
 *
 * `a` is the client's side, `b` the engine's: where that has ended and then takes nothing of what is
 * sent to it for PIPE_STUCK, it is gone; a client may take as long as it likes.
 */
may_suspend must_check struct error *pipe_join(struct stream *a, struct str early_a,
					       struct stream *b, struct str early_b);

#endif
