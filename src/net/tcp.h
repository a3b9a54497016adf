/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams over a connected socket, TCP or unix. Private to net/.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "fiber/fd.h"
#include "net/stream.h"

/* Takes the descriptor. */
struct stream *tcp_stream_new(struct fd *fd);

/* Makes the kernel send a reset when the descriptor is closed. */
void socket_reset_on_close(int descriptor);

/* ERR_CLOSED: whatever befell a socket, its connection is over. "cannot read from PEER: why" */
must_check struct error *socket_error(const struct stream *s, const char *verb, int code);

#endif
