/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses and options.
 */
#include "net/sockaddr.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

bool sockaddr_numeric(const char *host, uint16_t port, struct sockaddr_any *ret)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found;
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return false;
	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->any, found->ai_addr, found->ai_addrlen);
	ret->n = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

struct sockaddr_any sockaddr_unix(const char *path)
{
	struct sockaddr_any a = { .unix_ = { .sun_family = AF_UNIX } };
	size_t n = strlen(path);

	memcpy(a.unix_.sun_path, path, n);
	a.n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return a;
}

static bool is_mapped(const struct sockaddr_any *a)
{
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);
}

/* The IPv4 address at the end of a mapped one, in network order. */
static struct in_addr mapped(const struct sockaddr_any *a)
{
	struct in_addr v4;

	memcpy(&v4, &a->v6.sin6_addr.s6_addr[12], sizeof(v4));
	return v4;
}

bool sockaddr_is_loopback(const struct sockaddr_any *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	if (is_mapped(a))
		return ntohl(mapped(a).s_addr) >> 24 == 127;
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

uint16_t sockaddr_port(const struct sockaddr_any *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void sockaddr_format(const struct sockaddr_any *a, char *out, size_t cap)
{
	char host[INET6_ADDRSTRLEN + 20];

	if (a->any.sa_family == AF_UNIX) {
		snprintf(out, cap, "%s", a->unix_.sun_path);
	} else if (is_mapped(a) || a->any.sa_family == AF_INET) {
		struct in_addr v4 = is_mapped(a) ? mapped(a) : a->v4.sin_addr;

		inet_ntop(AF_INET, &v4, host, sizeof(host));
		snprintf(out, cap, "%s:%u", host, sockaddr_port(a));
	} else if (getnameinfo(&a->any, a->n, host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0) {
		snprintf(out, cap, "[%s]:%u", host, sockaddr_port(a));
	} else {
		snprintf(out, cap, "?");
	}
}

void socket_peer(int descriptor, char *out, size_t cap)
{
	struct sockaddr_any a = { .n = sizeof(a.unix_) };
	struct ucred who;
	socklen_t n = sizeof(who);

	if (getpeername(descriptor, &a.any, &a.n) != 0)
		snprintf(out, cap, "?");
	else if (a.any.sa_family != AF_UNIX)
		sockaddr_format(&a, out, cap);
	else if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0)
		snprintf(out, cap, "unix:%u", who.uid);
	else
		snprintf(out, cap, "unix:?");
}

static void set_option(int descriptor, int level, int option, int value)
{
	(void)setsockopt(descriptor, level, option, &value, sizeof(value));
}

void socket_tune(int descriptor)
{
	set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 30);
	set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 10);
	set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void socket_limit_silence(int descriptor, bool limited)
{
	set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, limited ? 30 * 1000 : 0);
}
