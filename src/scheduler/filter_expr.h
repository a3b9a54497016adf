/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the filters by expressions (affinity, constraint, whitelist) have in common: they differ in
 * what an expression means for a node, and in nothing else.
 */
#ifndef SCHEDULER_FILTER_EXPR_H
#define SCHEDULER_FILTER_EXPR_H

#include "scheduler/filter.h"

/* What is true of the node, the operator not counted: true where the value matches. */
typedef bool expr_holds_fn(struct expr *e, const struct sched_node *node);

bool exprs_fit(const struct sched_run *run, const struct exprs *exprs, expr_holds_fn *holds,
	       const struct sched_node *node);
/* The first that the node does not fit; NULL: it fits all. */
struct expr *exprs_misfit(const struct sched_run *run, const struct exprs *exprs,
			  expr_holds_fn *holds, const struct sched_node *node);

/* "Unable to find a node that satisfies ..." with the expressions of all three. */
void exprs_headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out);
/* "constraint storage==ssd not met by" the node, which has `detail`. */
void exprs_explain(const char *noun, const struct expr *e, const struct sched_node *node,
		   struct str detail, struct reasons *why);

/* How to say what a node has instead of the label that is asked for. */
struct str node_label_detail(const struct expr *e, const struct sched_node *node,
			     struct arena *arena);

#endif
