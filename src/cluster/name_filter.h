/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names as a `name` filter of a list asks for them, where the pool has node/name too.
 */
#ifndef CLUSTER_NAME_FILTER_H
#define CLUSTER_NAME_FILTER_H

#include <stdbool.h>

#include "docker/filters.h"

/*
 * No name asked, or some value finds this one; with `slashed`, as of a container, "/name" too. A
 * value is tried on it with its node before it only where it has that form itself: else "prod"
 * would find all that is on a node named prod-1, and a script remove it.
 */
bool name_filter_match(const struct filters *f, struct str node, struct str name, bool slashed);

#endif
