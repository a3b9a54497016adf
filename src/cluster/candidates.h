/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ambiguous name or beginning of an id may mean, told in the error: the first few of it.
 */
#ifndef CLUSTER_CANDIDATES_H
#define CLUSTER_CANDIDATES_H

#include "base/error.h"
#include "base/strbuf.h"

#define SHOWN_CANDIDATES 8

struct candidates {
	size_t n; /* more may be added than are shown */
	struct strbuf names;
};
void candidates_fini(struct candidates *c); /* zero-initialised is fine */

/* node/name, and the first digits of its id; what has no id gives "". */
void candidates_add(struct candidates *c, struct str node, struct str name, struct str id);

/* ERR_AMBIGUOUS "X is ambiguous, it may be any of: n1/a (0123456789ab), ..."; `what` is its X. */
must_check struct error *candidates_error(const struct candidates *c, struct str what);

#endif
