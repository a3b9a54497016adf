/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes and networks that draw a container to their nodes (section 5 of the contract, its last
 * paragraph). Private to cluster/.
 */
#ifndef CLUSTER_DRAW_H
#define CLUSTER_DRAW_H

#include "cluster/placement.h"

/*
 * Narrows p->sched.only to the nodes that have what the request names, sets p's renames of
 * volumes and networks, and which volumes its flight will make; p->is_drawn where it narrowed
 * anything. Nothing here parks.
 */
void draw(struct placement *p);

#endif
