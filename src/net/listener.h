/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where connections come in: a TCP port, a unix socket (mode 0660; a stale one is replaced, a live
 * one refused), sockets that systemd passed (fd://), or memory (tests, simulation).
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/addr.h"
#include "net/stream.h"

struct listener;
struct tls_context;

/*
 * The message names the address and why. With `tls` each accepted stream is a TLS one whose
 * handshake is done by its first read, but for those of unix sockets, which are in the clear.
 * Parks for the look-up of a host name only.
 */
may_suspend must_check struct error *listener_open(const struct addr *a, struct tls_context *tls,
						   struct listener **ret);

/* In memory: listener_connect makes a connection to it. Takes no port. */
struct listener *listener_memory(void);
struct stream *listener_connect(struct listener *l, const char *peer_name);

/*
 * The next connection. Running out of descriptors is not an error: it waits until there are some,
 * and logs it. Accepted streams have TCP_NODELAY and keep-alive.
 */
may_suspend must_check struct error *listener_accept(struct listener *l, struct stream **ret);

const struct addr *listener_addr(const struct listener *l); /* with the port that it got for 0 */
/* Where its i-th socket listens, by what the kernel says; false where it has no more. */
bool listener_socket(const struct listener *l, size_t i, struct addr *ret);
void listener_close(struct listener *l); /* nobody may be in accept; unlinks its unix socket */

DEFINE_CLEANUP(struct listener *, listener_close)

#endif
