/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stories of builds share, of either builder.
 */
#ifndef SIM_BUILDS_H
#define SIM_BUILDS_H

#include "sim/pool.h"

#define CLIENT "192.168.0.1"
#define ON_N2 \
	"buildargs=%7B%22constraint%3Anode%22%3A%22%3Dn2%22%7D" /* {"constraint:node":"=n2"} */

struct sim_engine *node(struct sim *s, const char *name);
bool has_line(struct str body, const char *part);

/* POST /build?query, which must succeed. */
may_suspend struct sim_reply built(struct sim *s, const char *query, const char *context);

#endif
