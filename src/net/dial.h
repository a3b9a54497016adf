/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a connection: looks the name up (fiber/offload), tries each address, does the TLS
 * handshake. ERR_REFUSED: nothing was sent (refused, unreachable, unknown host); the message names
 * the address. Bound it with a deadline.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/addr.h"
#include "net/stream.h"

struct tls_context;

/*
 * `tls` NULL: in the clear. Sets TCP_NODELAY, keep-alive of 30 s and, until stream_set_patient takes
 * it off, TCP_USER_TIMEOUT of 30 s.
 */
may_suspend must_check struct error *dial(const struct addr *a, struct tls_context *tls,
					  struct stream **ret);

/* The simulation's seam: while set, dial() calls this instead. NULL takes it back. */
typedef may_suspend struct error *dial_fn(const struct addr *a, void *arg, struct stream **ret);
void dial_set_hook(dial_fn *fn, void *arg);

#endif
