/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pool keeps of its nodes after an outage of the discovery: entries may be missing only
 * because nobody could renew them meanwhile. Such a node stays for GRACE_TIME while its engine
 * answers. No I/O, and no clock of its own.
 */
#ifndef DISCOVERY_GRACE_H
#define DISCOVERY_GRACE_H

#include "base/duration.h"
#include "discovery/discovery.h"

#define GRACE_TIME (180 * SECOND)

/* Zero-initialised is valid. */
struct grace {
	struct discovery_entries listed, kept; /* kept: missing, and still of the pool */
	bool outage;			       /* nothing was listed since one began */
	int64_t until;			       /* to which what is missing is kept */
};

void grace_fini(struct grace *g);

/* The discovery could not be read, or no longer be followed. */
void grace_note_outage(struct grace *g);

/* What is listed now; takes the entries. */
void grace_take(struct grace *g, struct discovery_entries *listed, int64_t now);

/*
 * Lets go of kept nodes whose engine does not answer, and of all when the time is over. False:
 * nothing has changed.
 */
typedef bool grace_answers_fn(struct str addr, void *arg);
bool grace_judge(struct grace *g, int64_t now, grace_answers_fn *answers, void *arg);

/* The nodes of the pool: a new array. */
void grace_nodes(const struct grace *g, struct discovery_entries *ret);

#endif
