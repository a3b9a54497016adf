/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stories ask of all engines together, and the pool that most of them begin with.
 */
#ifndef SIM_POOL_H
#define SIM_POOL_H

#include "sim/sim.h"

/* Engines n1, n2 ... so many, all alike, and the manager over them. */
may_suspend void pool_up(struct sim *s, int n);

/* How many engines have it: pool_count(s, sim_has_volume, "data"). */
typedef bool pool_has_fn(const struct sim_engine *e, const char *what);
size_t pool_count(const struct sim *s, pool_has_fn *has, const char *what);

/* sim_calls of all. */
size_t pool_calls(const struct sim *s, const char *request);

/* Of progress: in how many of its lines the text stands. */
size_t count_lines(struct sim_reply r, const char *part);

#endif
