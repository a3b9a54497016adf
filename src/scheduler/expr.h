/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions: KEY OP VALUE, OP `==` or `!=`, `~` before the value for a soft one.
 */
#ifndef SCHEDULER_EXPR_H
#define SCHEDULER_EXPR_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "scheduler/match.h"

struct expr {
	struct str text; /* as written */
	struct str key;
	bool negated, soft;
	struct match match;
};

struct exprs {
	struct expr *v;
	size_t n;
};

/*
 * ERR_INVALID quotes the expression and says what is wrong. The array is in the arena; the texts
 * are borrowed. *ret is good for exprs_fini whatever is answered.
 */
must_check struct error *exprs_parse(const struct str *texts, size_t n, struct arena *arena,
				     struct exprs *ret);
void exprs_fini(struct exprs *e);

#endif
