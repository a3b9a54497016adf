/* SPDX-License-Identifier: Apache-2.0 */
#include "net/local.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* An address of the link alone is of no use without the interface's name behind it. */
static bool is_link_local(const struct sockaddr *a)
{
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static bool find(const struct ifaddrs *list, int family, struct addr *ret)
{
	socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP) ||
		    (i->ifa_flags & IFF_LOOPBACK) || is_link_local(i->ifa_addr))
			continue;
		if (getnameinfo(i->ifa_addr, n, ret->host, sizeof(ret->host), NULL, 0,
				NI_NUMERICHOST) == 0)
			return true;
	}
	return false;
}

bool local_address(struct addr *ret)
{
	struct ifaddrs *list = NULL;
	bool found;

	if (getifaddrs(&list) != 0)
		return false;
	found = find(list, AF_INET, ret) || find(list, AF_INET6, ret);
	freeifaddrs(list);
	return found;
}
