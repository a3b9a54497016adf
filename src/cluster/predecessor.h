/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compose makes a container anew before it removes the old one, which still holds the ports that
 * the new one wants: it must not stand in its way. Private to cluster/.
 */
#ifndef CLUSTER_PREDECESSOR_H
#define CLUSTER_PREDECESSOR_H

#include "cluster/placement.h"

/* The container whose place the new one takes; borrowed. NULL: it takes nobody's. */
const struct container *predecessor_of(const struct placement *p);

/* It holds nothing for placement, until it is let in again: before anything else runs. */
void predecessor_withdraw(const struct container *ct);
void predecessor_let_in(const struct container *ct);

#endif
