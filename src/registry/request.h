/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients ask of the token service, read out of the request's line: no I/O, no state.
 *
 *   POST   /v1/clusters               a new cluster: its id
 *   GET    /v1/clusters/<id>          its nodes, a JSON array of "host:port"
 *   POST   /v1/clusters/<id>?ttl=180  registers or renews the node in the body; ttl=0 takes it out
 *   DELETE /v1/clusters/<id>          ends the cluster
 */
#ifndef REGISTRY_REQUEST_H
#define REGISTRY_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "http/url.h"
#include "net/addr.h"

#define REGISTRY_PREFIX	   "/v1/clusters"
#define REGISTRY_ID_DIGITS 32

enum registry_verb { REGISTRY_CREATE, REGISTRY_LIST, REGISTRY_ENTER, REGISTRY_END };

struct registry_request {
	enum registry_verb verb;
	struct str id; /* 32 hex digits, lower case; empty for REGISTRY_CREATE */
	int64_t ttl;   /* of REGISTRY_ENTER; 0: out with it */
};

/* ERR_NOT_FOUND: a path that is not served; ERR_BAD_METHOD, ERR_INVALID. Slices of url. */
must_check struct error *registry_request_parse(struct str method, const struct http_url *url,
						struct registry_request *ret);

/* The body of REGISTRY_ENTER: "host:port", white space around it allowed. */
must_check struct error *registry_node_parse(struct str body, struct addr *ret);

#endif
