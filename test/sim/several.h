/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several managers over the one pool of a story, wired as the program wires them: they elect their
 * primary over a store in memory (sim/store.h), which has the records of what is rescheduled too.
 * Clients talk to the one that leads; what reaches another is passed on.
 */
#ifndef SIM_SEVERAL_H
#define SIM_SEVERAL_H

#include "sim/sim.h"

#define SIM_MANAGERS 3

/* Instead of sim_up: starts all, and waits until one leads. Ends with sim_managers_down. */
may_suspend void sim_managers_up(struct sim *s);
/* Waits so long at most until one leads; it is the manager of the story then. False: none does. */
may_suspend bool sim_managers_lead(struct sim *s, int64_t within);
/*
 * Something happens to one of them: it is killed, ended in order or begun again, or cannot reach the
 * store; or to the store: it is away, or its messages are lost or late.
 */
may_suspend void sim_managers_disturb(struct sim *s);
/* All is well again, and one leads. */
may_suspend void sim_managers_mend(struct sim *s);
/* As sim_check, for each of them. */
void sim_managers_check(struct sim *s);
may_suspend void sim_managers_down(struct sim *s);

#endif
