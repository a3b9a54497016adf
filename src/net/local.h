/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This host's own addresses.
 */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include <stdbool.h>

#include "net/addr.h"

/*
 * The first address at which other hosts may reach this one, IPv4 before IPv6, into host; false
 * where there is no network but loopback.
 */
bool local_address(struct addr *ret);

#endif
