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
#include "net/listener.h"

struct api;

struct http_incoming;

/*
 * Served on the API's addresses beside the Docker API: the path `prefix` and all below it. An error
 * is answered like any other. All zero: nothing.
 */
struct api_guest {
	const char *prefix;
	may_suspend struct error *(*serve)(struct http_incoming *in, void *arg);
	void *arg;
};

struct api_config {
	struct cluster *cluster;
	bool cors;	     /* --api-enable-cors */
	const char *version; /* this program's: "2.0.0" */
	struct api_guest guest;
};

struct api *api_new(const struct api_config *config);
void api_listen(struct api *a, struct listener *l); /* takes the listener */
may_suspend void api_stop(struct api *a);	    /* requests get a second to end by themselves */
void api_free(struct api *a);

#endif
