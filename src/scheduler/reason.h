/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why no node fits, for a person: one reason for each thing that was asked, with the nodes that do
 * not have it. Used only once nothing fits, so it may cost something.
 */
#ifndef SCHEDULER_REASON_H
#define SCHEDULER_REASON_H

#include <stddef.h>

#include "base/arena.h"
#include "base/strbuf.h"

#define REASON_NODES 5 /* named; the others are counted */
#define REASONS_MAX  32

struct reason {
	const void *about; /* what was asked: tells reasons apart */
	struct str text;   /* "port 80 taken on"; in the arena */
	size_t n_nodes;
	struct str nodes[REASON_NODES];
	struct str details[REASON_NODES];
	size_t n_details;
};

struct reasons {
	struct arena *arena;
	struct reason v[REASONS_MAX];
	size_t n;
};

/*
 * The reason about this; a new one has an empty text, for the caller to set. Where there are too
 * many already, the last of them, which says "other reasons on".
 */
struct reason *reasons_get(struct reasons *r, const void *about);
/* Another node; `detail` (or STR_NONE) is what it has instead, in the arena or the node. */
void reason_add(struct reason *r, struct str node, struct str detail);

/* "port 80 taken on node-1, node-2 (web1, web2); ...", the shortest first. */
void reasons_write(struct reasons *r, struct strbuf *out);

#endif
