/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the cluster keeps what must outlive the manager: small texts under keys of its own. Whoever
 * wires the cluster hands it a store; this says what a store does.
 */
#ifndef CLUSTER_RECORDS_H
#define CLUSTER_RECORDS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

struct record {
	struct str key; /* 32 hex digits */
	struct str text;
};

struct records {
	struct record *v;
	size_t n;
};

struct record_store {
	/* Durable when it returns; takes the place of what was there. */
	may_suspend struct error *(*put)(void *arg, struct str key, struct str text);
	/* One that is not there is removed already. */
	may_suspend struct error *(*remove)(void *arg, struct str key);
	/*
	 * All of them, in the arena; LIMIT_RECORDS at most, of LIMIT_RECORD bytes each. What cannot
	 * be read is named in the log and left out.
	 */
	may_suspend struct error *(*list)(void *arg, struct arena *arena, struct records *ret);
	/*
	 * Other pools may have records there, too: those of nodes that are not listed are not ours.
	 */
	bool shared;
	void *arg;
};

#endif
