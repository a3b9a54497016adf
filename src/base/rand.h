/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers: from the kernel, or, after rand_seed, a sequence that a simulation can replay.
 * For the main thread alone.
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/*
 * From here on replayable; for tests and simulation only. The key of str_hash changes with it, so
 * that the order of maps replays too: no map may hold anything across the call.
 */
void rand_seed(uint64_t seed);
const uint64_t *rand_hash_key(void); /* two words, the same until rand_seed */
uint64_t rand_u64(void);
uint64_t rand_below(uint64_t n);		 /* uniform in [0, n); n > 0 */
int64_t rand_between(int64_t low, int64_t high); /* uniform in [low, high] */
void rand_hex(struct strbuf *out, size_t digits);

#endif
