/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making sockets that listen, all of them non-blocking. Private to net/.
 */
#ifndef NET_SOCKETS_H
#define NET_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "net/addr.h"
#include "net/sockaddr.h"

#define SOCKETS_MAX 16 /* of one listener */

struct sockets {
	int v[SOCKETS_MAX];
	size_t n;
};

void sockets_close(struct sockets *s);

bool sockets_is_unix(int descriptor);
/* Where the i-th listens: ADDR_TCP with a numeric host, or ADDR_UNIX. */
struct addr sockets_addr(const struct sockets *s, size_t i);

/* On every address of the machine: one socket for IPv6 and IPv4 where it has both. */
must_check struct error *sockets_listen_everywhere(uint16_t port, struct sockets *add);
must_check struct error *sockets_listen_at(const struct sockaddr_any *at, struct sockets *add);

/* Mode 0660. A socket that nobody answers on is replaced; a live one is ERR_CONFLICT. */
must_check struct error *sockets_listen_unix(const char *path, struct sockets *add);

/*
 * What the service manager passed under that name: "" or "*" is all of them, a number that
 * descriptor.
 */
must_check struct error *sockets_passed(const char *name, struct sockets *add);

#endif
