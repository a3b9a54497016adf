/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins two streams byte for byte until both directions have ended: an end is passed on as an end
 * of that direction only, a reset as a reset. Memory is one buffer of 64 KiB for each direction
 * that is moving, none for one that is idle. No idle timeout.
 */
#ifndef HTTP_PIPE_H
#define HTTP_PIPE_H

#include "base/strbuf.h"
#include "net/stream.h"

/*
 * Borrows both streams; `early_*` is what was already read from that side, sent first. Returns
 * when both directions are over or one side broke (the other is then told), or on cancellation.
 */
may_suspend must_check struct error *pipe_join(struct stream *a, struct str early_a,
					       struct stream *b, struct str early_b);

#endif
