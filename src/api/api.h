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

struct api_config {
	struct cluster *cluster;
	bool cors;	     /* --api-enable-cors */
	const char *version; /* this program's: "2.0.0" */
};

struct api *api_new(const struct api_config *config);
void api_listen(struct api *a, struct listener *l); /* takes the listener */
may_suspend void api_stop(struct api *a);	    /* requests get a second to end by themselves */
void api_free(struct api *a);

#endif
