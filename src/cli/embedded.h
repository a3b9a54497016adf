/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token service that a manager carries when it is told no discovery: served beside its API, and
 * read by itself at once, not over the network.
 */
#ifndef CLI_EMBEDDED_H
#define CLI_EMBEDDED_H

#include "api/api.h"
#include "base/error.h"
#include "base/vec.h"
#include "net/addr.h"

struct discovery;
struct embedded;

/* Takes the cluster that it finds in the directory, or makes one. */
may_suspend must_check struct error *embedded_open(const char *state_dir, struct embedded **ret);
/* After the API and the discovery, which borrow it. NULL is fine. */
may_suspend void embedded_close(struct embedded *e);

/* The manager's own cluster. The caller closes it. */
struct discovery *embedded_discovery(struct embedded *e);
struct api_guest embedded_guest(struct embedded *e);

/*
 * Where others find this manager: `advertise` where it is given, else the best of the addresses it
 * listens on (struct listener *). false: it listens on no port.
 */
bool embedded_address(const char *advertise, const struct vec *listeners, struct addr *ret);

/* Says on stdout how to add a node and how to use the pool. */
void embedded_announce(const struct embedded *e, const struct addr *at, bool tls);

#endif
