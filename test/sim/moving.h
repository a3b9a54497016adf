/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stories of rescheduling share: nodes n1, n2, ... with a store of records, and what is where.
 */
#ifndef SIM_MOVING_H
#define SIM_MOVING_H

#include "sim/sim.h"

#define KEEP	"\"Labels\":{\"com.docker.swarm.reschedule-policies\":\"[\\\"on-node-failure\\\"]\"}"
#define GUARDED "{\"Image\":\"busybox\"," KEEP "}"

static inline struct sim_engine *node(const struct sim *s, const char *name)
{
	return sim_find_engine(s, name);
}

/* So many nodes, up. */
may_suspend void pool(struct sim *s, int n);
/* n1 and n2, in swarm mode, and the global networks back and front. */
#define IN_BACK "{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":\"back\"}," KEEP "}"
may_suspend void pool_with_networks(struct sim *s);
/* Nothing is left to do, and nothing was done twice. */
may_suspend void end(struct sim *s);

/* So many nodes have a container of that name. */
size_t copies(struct sim *s, const char *name);
bool runs_on(struct sim *s, const char *on, const char *name);

/* The names in a list of all, and their states: "/web /n2/web running;". */
may_suspend const char *listed(struct sim *s, const char *path);
may_suspend const char *label(struct sim *s, const char *name, const char *key);

#endif
