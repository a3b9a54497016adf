/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular expression that somebody else wrote, run within a fixed budget of steps and memory, so
 * that a hostile one delays nobody. The only user of PCRE2. Syntax is Perl's, which holds all of
 * Go's that people write in filters and expressions.
 */
#ifndef DOCKER_PATTERN_H
#define DOCKER_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct pattern; /* in the arena, with all that it holds: nothing to free */

/* ERR_INVALID says what is wrong with the pattern and where; it does not quote it. */
must_check struct error *pattern_new(struct str text, struct arena *arena, struct pattern **ret);

/*
 * Whether it matches anywhere in the text. Each text tested adds to the budget, what matching does
 * is taken from it; a pattern that spent it all answers no from then on, at once.
 */
bool pattern_find(struct pattern *p, struct str text);
bool pattern_exceeded(const struct pattern *p);
uint64_t pattern_steps(const struct pattern *p); /* that were taken so far, some 20 ns each */

#endif
