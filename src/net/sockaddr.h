/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as the kernel has them, and what a connected socket needs. Private to net/.
 */
#ifndef NET_SOCKADDR_H
#define NET_SOCKADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct sockaddr_any {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un unix_;
	};
	socklen_t n;
};

/* False where `host` is no numeric address. */
bool sockaddr_numeric(const char *host, uint16_t port, struct sockaddr_any *ret);
struct sockaddr_any sockaddr_unix(const char *path); /* which fits */

bool sockaddr_is_loopback(const struct sockaddr_any *a);
uint16_t sockaddr_port(const struct sockaddr_any *a);

/* "10.0.0.1:2375", "[::1]:2375", or the path; an IPv4 address in IPv6 clothes as IPv4. */
void sockaddr_format(const struct sockaddr_any *a, char *out, size_t cap);

/* Who is at the other end: as above, or "unix:<uid>". */
void socket_peer(int descriptor, char *out, size_t cap);

/* TCP_NODELAY, keep-alive of 30 s. What a listening socket accepts has them from it. */
void socket_tune(int descriptor);
/* A peer that takes nothing for 30 s is gone (TCP_USER_TIMEOUT), even one that says that it lives. */
void socket_limit_silence(int descriptor, bool limited);

#endif
