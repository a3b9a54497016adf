/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where to listen or connect, as users write it: "host:port", "[v6]:port", ":port",
 * "tcp://...", "unix:///path". No look-up is done here.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

enum addr_kind { ADDR_TCP, ADDR_UNIX, ADDR_FD };

struct addr {
	enum addr_kind kind;
	char host[256]; /* without brackets; "" is any address */
	uint16_t port;
	char path[108]; /* of a unix socket; the name after fd:// */
};

/* "host:port" alone, as discovery entries and --advertise have it: both parts must be there. */
must_check struct error *addr_parse_host_port(struct str text, struct addr *ret);

/* With an optional scheme tcp://, unix:// or fd://, as -H takes it; the host may be empty. */
must_check struct error *addr_parse(struct str text, struct addr *ret);

/* "host:port", "[v6]:port", or the path. */
void addr_format(const struct addr *a, struct strbuf *out);

/*
 * Whom a peer ("10.0.0.1:5", "[2001:db8::1]:5") stands for where shares are counted: its address,
 * and of IPv6 the /64 that it is in ("2001:db8::/64"), since that is what one subscriber has. What
 * is no address stays as it is.
 */
void addr_subscriber(struct str peer, struct strbuf *out);

bool addr_is_numeric(const struct addr *a);
bool addr_is_loopback(const struct addr *a);

#endif
