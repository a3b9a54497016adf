/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of several managers is the primary: the one whose lease holds the leader key of a store
 * that they share. Written against kv.h, so it knows no store. It tells its observer what this
 * manager is, and keeps the fence (fiber/fence.h) by which the rest of the program asks whether it
 * still may change anything.
 *
 *               gets the key                      another one has it
 *   FOLLOWING --------------> LEADING --+            +--------------> FOLLOWING
 *                                       | its lease  |
 *                                       +-> LAPSED --+
 *                                         is over    |
 *                                                    +--------------> LEADING
 *                                                      gets the key
 *
 * A primary leads while its lease lasts on CLOCK_BOOTTIME, counted from before the call that got or
 * renewed it, less a margin; the store counts from later. So two never lead at a time, however long
 * messages take or processes stand still, as long as clocks run at about the same pace.
 */
#ifndef ELECTION_ELECTION_H
#define ELECTION_ELECTION_H

#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct election;
struct fence;
struct kv;

enum election_role {
	ELECTION_FOLLOWING,
	ELECTION_LEADING,
	ELECTION_LAPSED, /* led, and nobody is known to lead since */
};

/* Called on the election's own fiber. */
struct election_observer {
	/*
	 * The key is this manager's; the fence is closed still. What has to be done before it acts
	 * on what others did as the primary; under a deadline.
	 */
	may_suspend void (*elected)(void *arg);
	/* Never parks. `primary`: of FOLLOWING, "host:port", or empty where none is known. */
	void (*role)(void *arg, enum election_role role, struct str primary);
	/* What managers know each other by; told before the role that needs it. Never parks. */
	void (*key)(void *arg, struct str key);
};

struct election_config {
	struct kv *kv;	       /* all borrowed, and outlive the election */
	const char *advertise; /* "host:port" of this manager */
	int64_t ttl;	       /* asked for; the store may grant less */
	struct fence *fence;
	const struct election_observer *observer;
	void *arg;
};

/* The config is copied. FOLLOWING, with no primary known, until it is told otherwise. */
struct election *election_new(const struct election_config *config);
void election_start(struct election *e);
/* Closes the fence, and gives the key up at once where it is this manager's. Twice is fine. */
may_suspend void election_stop(struct election *e);
void election_free(struct election *e); /* stopped, or never started; NULL is fine */

enum election_role election_role(const struct election *e);

#endif
