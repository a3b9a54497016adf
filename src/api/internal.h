/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of api/ share: the API itself. Private to api/.
 */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "api/api.h"
#include "api/exec_table.h"
#include "api/in_flight.h"
#include "api/replica.h"
#include "docker/version.h"
#include "http/server.h"

struct api {
	struct cluster *cluster;
	struct http_server *server;
	char *version; /* "2.0.0" */
	bool cors;
	struct api_guest guest;
	struct exec_table execs;
	struct in_flight in_flight;
	struct replica replica;
	/*
	 * The header lines that every reply carries, by the minor API version that they name. Each
	 * is made when it is first needed and stays, since replies under way borrow it.
	 */
	struct strbuf common_headers[64];
};

#endif
