/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key-value store in memory behind kv.h, and a bad network in front of it: for each of those that
 * use it there is a struct kv, which can be cut off, stand still, or be dead.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include "base/vec.h"
#include "fiber/group.h"
#include "fiber/waitq.h"
#include "kv/backend.h"

struct sim_store {
	struct vec keys, leases; /* of struct sim_key, struct sim_grant */
	struct waitq changed;
	struct group fibers; /* ends leases */
	uint64_t revision, last_lease;
	bool down;
	unsigned int loses;  /* of 1000 messages */
	int64_t delay;	     /* a message takes up to this long */
	int64_t grants_most; /* a lease is granted for this long at most */
	unsigned int fast;   /* its clock is so many percent too fast */
};

/* One user's way to it. */
struct sim_kv {
	struct kv base;
	struct sim_store *store;
	bool cut;	      /* nothing arrives either way */
	bool dead;	      /* the process is gone: nothing it says counts */
	int64_t paused_until; /* the process does not run; clock_now() */
};

void sim_store_init(struct sim_store *s);
may_suspend void sim_store_fini(struct sim_store *s);
/* Forgets everything, as one that starts anew on another disk. */
void sim_store_wipe(struct sim_store *s);
/* Its leader changed: every lease gets its whole time again. */
void sim_store_extend(struct sim_store *s);
/* What is there; empty: nothing. Borrowed. */
struct str sim_store_value(const struct sim_store *s, struct str key);
/* By hand: under no lease. */
void sim_store_write(struct sim_store *s, struct str key, struct str value);
void sim_store_remove(struct sim_store *s, struct str key);

void sim_kv_init(struct sim_kv *k, struct sim_store *s);
/* Parks while the process stands still: it knows of nothing that happens meanwhile. */
may_suspend void sim_kv_run(const struct sim_kv *k);

#endif
