/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of an expression as something to compare with: plain text, a glob with `*`, or a
 * /regex/ (docker/pattern.h, so within a budget). Compiled once for a request.
 */
#ifndef SCHEDULER_MATCH_H
#define SCHEDULER_MATCH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "scheduler/node_set.h"

enum match_kind { MATCH_PLAIN, MATCH_GLOB, MATCH_REGEX };

struct arena;
struct pattern;

struct match {
	enum match_kind kind;
	struct str text;	 /* as written, between the slashes of a regex; borrowed */
	struct pattern *pattern; /* of a regex; in memory */
	struct arena *memory;	 /* its own, so that a match may be moved */
	bool exceeded;		 /* it ran over a budget; its answers since were "no" */
	/*
	 * Of the placement, which all its patterns share: ns that are left, counted and not timed,
	 * so that a simulation replays it. Borrowed; NULL: no budget.
	 */
	int64_t *left;
	/*
	 * For who answers look-ups: where the value is found, kept within one placement, whose end
	 * makes it unknown again.
	 */
	struct node_set found;
};

must_check struct error *match_init(struct match *m, struct str value); /* ERR_INVALID quotes it */
void match_fini(struct match *m);
/* Begins a placement: what was found is forgotten, since the pool may have changed. */
void match_begin(struct match *m, int64_t *left);
typedef bool match_test_fn(struct match *m, struct str text);
bool match_test(struct match *m, struct str text);
/* "a|b*": some part between the bars matches. A regex has its own bars, and is tested whole. */
bool match_test_any(struct match *m, struct str text);

#endif
