/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of records in memory (cluster/records.h) that outlives the manager of a story, takes its
 * time, and fails when it is told to.
 */
#ifndef SIM_RECORDS_H
#define SIM_RECORDS_H

#include "cluster/records.h"
#include "sim/sim.h"

/* The one of this process; the cluster's records from the next start of the manager on. */
void sim_records(struct sim *s);
void sim_records_free(void);

/* Nothing that the manager writes from now on arrives, nor is it answered: it is about to be killed. */
void sim_records_freeze(void);
/* Kills it now, if it was not before, and begins another over the same engines. */
may_suspend void sim_kill_manager(struct sim *s);
/* Each write fails with an error from now on, and so does the list of all. */
void sim_records_break(bool broken);
size_t sim_records_count(void);
void sim_records_put(const char *key, const char *text);
/* Some record has the text. */
bool sim_records_have(const char *text);

#endif
