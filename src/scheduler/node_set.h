/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of nodes by their numbers, a bit each: what an index answers once for a whole placement, so
 * that asking it of each node costs a bit's test. Zero-initialised is valid: nothing is known yet.
 */
#ifndef SCHEDULER_NODE_SET_H
#define SCHEDULER_NODE_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct node_set {
	uint64_t *words;
	size_t n;   /* words */
	bool known; /* filled since it was begun */
};

/* Empty, with room for the numbers below `nodes`. */
static inline void node_set_begin(struct node_set *s, size_t nodes)
{
	s->n = nodes / 64 + 1;
	s->words = mem_realloc_array(s->words, s->n, sizeof(*s->words));
	memset(s->words, 0, s->n * sizeof(*s->words));
	s->known = true;
}

static inline void node_set_fini(struct node_set *s)
{
	free(s->words);
	*s = (struct node_set){ NULL, 0, false };
}

/* Of a node that was there when it was begun; a newer one is left out. */
static inline void node_set_add(struct node_set *s, uint32_t node)
{
	if (node / 64 >= s->n)
		return;
	s->words[node / 64] |= UINT64_C(1) << (node % 64);
}

static inline bool node_set_has(const struct node_set *s, uint32_t node)
{
	return node / 64 < s->n && (s->words[node / 64] >> (node % 64) & 1);
}

#endif
