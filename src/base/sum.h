/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of numbers that others tell: they end at the range's end, where they would go beyond.
 */
#ifndef BASE_SUM_H
#define BASE_SUM_H

#include <stdint.h>

static inline int64_t sum_capped(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b < 0 ? INT64_MIN : INT64_MAX;
}

#endif
