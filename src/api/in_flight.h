/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many requests each client has under way, so that no single one takes all there is.
 */
#ifndef API_IN_FLIGHT_H
#define API_IN_FLIGHT_H

#include "base/error.h"
#include "base/map.h"
#include "base/str.h"

struct in_flight_client;

struct in_flight {
	struct map clients; /* those with a request under way */
	size_t most;	    /* of one */
};

void in_flight_init(struct in_flight *f, size_t most);
void in_flight_fini(struct in_flight *f); /* nothing is under way */

/*
 * A 429 where the client has as many as it may; else to be ended, which NULL as client is fine for.
 */
must_check struct error *in_flight_begin(struct in_flight *f, struct str client,
					 struct in_flight_client **ret);
void in_flight_end(struct in_flight *f, struct in_flight_client *c);

#endif
