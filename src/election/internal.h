/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of election/ share. Private to election/.
 */
#ifndef ELECTION_INTERNAL_H
#define ELECTION_INTERNAL_H

#include "base/error.h"
#include "base/strbuf.h"
#include "election/election.h"
#include "fiber/group.h"

/* Below the store's prefix. */
#define LEADER_KEY   STR("docker/swarm/leader")
#define MANAGERS_KEY STR("docker/swarm/managers-key")

/* For one question to the store, other than a renewal, which has until the lease ends. */
#define STORE_TIME (10 * SECOND)

struct election {
	struct election_config config;
	struct group fibers;
	enum election_role role;
	struct strbuf primary; /* of FOLLOWING; empty: none known */
	struct strbuf key;     /* the managers' own, as it was told last */
	bool saw_self;	       /* in the leader key, while not leading: it was said */
	int64_t granted;       /* the last lease; 0: none yet */
};

/* election.c: the one place that changes the role, and tells and logs it. */
void election_set_role(struct election *e, enum election_role role, struct str primary);
void election_set_key(struct election *e, struct str key);

/*
 * follower.c: follows whoever leads until that may have changed. Returns at once where nobody does:
 * *ret_free.
 */
may_suspend must_check struct error *follow(struct election *e, bool *ret_free);
/* The managers' key; *ret_found is false where no primary has made it yet. */
may_suspend must_check struct error *follow_key(struct election *e, bool *ret_found);

/*
 * candidate.c: tries to get the leader key, and leads for as long as it keeps it. An error of the
 * store, or nothing: look again who leads.
 */
may_suspend must_check struct error *campaign(struct election *e);

#endif
