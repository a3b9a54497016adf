/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many containers of each node have an attribute: label app=web is on three of node 7. Nodes'
 * own labels are kept the same way. What placement asks of labels is answered here, at a look-up's
 * cost whatever the pool holds; patterns are tested on each value once. A text is stored once for
 * all containers that have it.
 */
#ifndef CLUSTER_TALLY_H
#define CLUSTER_TALLY_H

#include <stdint.h>

#include "base/map.h"
#include "scheduler/match.h"
#include "scheduler/node_set.h"

struct tally {
	struct map keys; /* of struct tally_key, private */
};

struct tally_value;

void tally_init(struct tally *t);
void tally_fini(struct tally *t);

typedef void tally_step_fn(struct tally *t, struct str key, struct str value, uint32_t node);

/* One container more, or less, on the node of that number. */
void tally_add(struct tally *t, struct str key, struct str value, uint32_t node);
void tally_remove(struct tally *t, struct str key, struct str value, uint32_t node);

/* NULL: none anywhere has it. Good until the next change. */
const struct tally_value *tally_find(const struct tally *t, struct str key, struct str value);
uint32_t tally_count(const struct tally_value *v, uint32_t node); /* NULL is fine: 0 */
/* Into the place of each node below n that has some; NULL is fine. */
void tally_counts(const struct tally_value *v, uint32_t *to, size_t n);
/*
 * Numbers the values of the key from 1, and writes its value's number into the place of each node
 * below n that has one; answers how many values there are.
 */
uint32_t tally_groups(const struct tally *t, struct str key, uint32_t *to, size_t n);

/* Adds the nodes where something has the key with a value that passes the test. */
void tally_match(const struct tally *t, struct str key, struct match *match, match_test_fn *test,
		 struct node_set *to);

#endif
