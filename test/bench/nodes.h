/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs share that measure a cluster over engines that are never asked anything.
 */
#ifndef BENCH_NODES_H
#define BENCH_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/info.h"

int64_t cpu_time(void); /* of this process, ns */

/* Nothing here fails but by a mistake of ours: it is told, and ends the program. */
void must(struct error *err);

/*
 * Of the i-th node, with labels as pools have them: eight racks, two kinds of storage, three zones,
 * and a serial of its own. A reference for the caller.
 */
struct engine_info *bench_info(size_t i);

#endif
