/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all that is served: a row for each method and path, with what the pool does about
 * it. Whoever wants to know what becomes of a request reads routes.c.
 */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct request;

enum route_kind {
	ROUTE_MEMORY,  /* answered by the manager, from what it knows */
	ROUTE_PROXIED, /* passed to the one node that has the thing */
	ROUTE_ANY,     /* passed to some healthy node */
	ROUTE_ALL,     /* to every node that it concerns; the answers become one */
	ROUTE_PLACED,  /* to a node that the scheduler chooses */
	ROUTE_REFUSED, /* answered with the reason in `note` */
};

typedef may_suspend struct error *handler_fn(struct request *r);

/*
 * Pattern "/containers/{id}/start": {} stands for one name, which may hold slashes, as images and
 * "node/name" do; two of them, with what is between, are found as one name. A handler answers the
 * request, or returns the error to answer it with.
 */
struct route {
	const char *method, *pattern;
	handler_fn *handler;
	enum route_kind kind;
	const char *note; /* what is particular about it, for the documentation; may be NULL */
};

extern const struct route routes[];
extern const size_t n_routes;

/* The first row that fits; NULL: none does. ret_name: what {} stood for, else empty. */
const struct route *route_find(struct str method, struct str path, struct str *ret_name);
bool route_pattern_match(struct str pattern, struct str path, struct str *ret_name);

/* What follows the name: "/start". */
struct str route_tail(const struct route *route);

#endif
