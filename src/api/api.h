/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Docker API that the manager serves: a table of routes (routes.c), a file of handlers for
 * each resource, over cluster/ and engine/.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>

#include "base/attr.h"
#include "cluster/cluster.h"
#include "http/server.h"
#include "net/listener.h"

struct addr;
struct api;
struct fence;
struct http_incoming;
struct tls_context;

/*
 * Served on the API's addresses beside the Docker API: the path `prefix` and all below it. An error
 * is answered like any other. All zero: nothing.
 */
struct api_guest {
	const char *prefix;
	may_suspend struct error *(*serve)(struct http_incoming *in, void *arg);
	void *arg;
};

struct api_limits {
	struct http_limits http;
	size_t client_requests; /* of one client, under way at once */
};

extern const struct api_limits api_limits_default;

struct api_config {
	struct cluster *cluster;
	bool cors;			 /* --api-enable-cors */
	const char *version;		 /* this program's: "2.0.0" */
	const struct api_limits *limits; /* copied; NULL: the default ones */
	struct api_guest guest;
	/* Of one of several managers, which begins as a replica without a primary; else NULL. */
	const struct fence *fence;	 /* borrowed */
	struct tls_context *manager_tls; /* towards the others; NULL: in the clear */
};

struct api *api_new(const struct api_config *config);
void api_listen(struct api *a, struct listener *l); /* takes the listener */
may_suspend void api_stop(struct api *a);	    /* requests get a second to end by themselves */
void api_free(struct api *a);

/*
 * Of several managers: serves by itself what comes from now on, as far as the fence allows; or
 * passes it to the primary (NULL: none is known, which is a 503 with Retry-After). What is under
 * way goes on. The key is what the managers know each other by.
 */
void api_serve(struct api *a);
void api_pass_on(struct api *a, const struct addr *primary);
void api_set_managers_key(struct api *a, struct str key);

#endif
