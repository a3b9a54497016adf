/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels as a `label` filter asks for them.
 */
#ifndef CLUSTER_LABEL_FILTER_H
#define CLUSTER_LABEL_FILTER_H

#include <stdbool.h>

#include "docker/filters.h"
#include "json/json.h"

/* An entry's Labels have all that the `label` filter names. `entry` is JSON text. */
bool label_filter_match(const struct filters *f, struct str entry);

#endif
