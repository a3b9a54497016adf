/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of streams in memory, each reading what the other writes, with a bounded buffer between,
 * half-close and reset as TCP has them. Works in both kinds of loop.
 */
#ifndef NET_MEMORY_H
#define NET_MEMORY_H

#include <stddef.h>

#include "net/stream.h"

/* `capacity` bytes each way before a writer parks. Names become each other's `peer`. */
void memory_pair(size_t capacity, const char *name_a, const char *name_b, struct stream **ret_a,
		 struct stream **ret_b);

#endif
