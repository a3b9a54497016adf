/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container with reschedule:on-node-failure is promised (section 9 of the contract): where
 * its node fails it is made again elsewhere, what its node still has of it when it returns is
 * removed, and neither a restart of the manager nor a change of primary forgets it.
 *
 * The cluster does all of this by itself while its fence is open (fiber/fence.h). These are the few
 * things that others tell it.
 */
#ifndef CLUSTER_WATCHDOG_H
#define CLUSTER_WATCHDOG_H

#include "cluster/cluster.h"

/* The fence was opened or closed: saves it the second until it looks. */
void cluster_role_changed(struct cluster *c);

/*
 * Before a client changes anything: parks until the records of what is to be rescheduled were read,
 * or could not be for some seconds. Before that a name may lead to what a node has left of a
 * container that is another node's now.
 */
may_suspend must_check struct error *cluster_await_records(struct cluster *c);

/*
 * A client has just had the container started, stopped, killed or paused: what it is now is how it
 * is meant to be. One that stops by itself shortly before its node fails is taken to have been stopped with it.
 */
void cluster_container_acted(struct cluster *c, struct str id);

/*
 * A client had something done with the container, and is to hear of it: parks until the next manager
 * will know of it, too, or what it goes by could not be written.
 */
may_suspend void cluster_await_remembered(struct cluster *c, struct str id);

/*
 * A client had a container removed, and is to hear of it: parks until what must be remembered of it
 * for a node that is down, or for the next manager, is written, or could not be.
 */
may_suspend void cluster_await_removed(struct cluster *c);

/*
 * A client wants a container removed whose node cannot be asked: it is not made again any more.
 * Takes the refusal that the client gets, and answers it with that added where it is so. `force`:
 * as for an engine, one that runs is not removed without.
 */
struct error *cluster_abandon(struct cluster *c, struct str ref, bool force,
			      struct error *refusal) must_check;

#endif
