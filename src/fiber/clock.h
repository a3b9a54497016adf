/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time it is, in nanoseconds. Real, or virtual in a simulation, where time passes only when
 * every fiber is parked.
 */
#ifndef FIBER_CLOCK_H
#define FIBER_CLOCK_H

#include <stdint.h>

int64_t clock_now(void);   /* monotonic, as of this turn of the loop */
int64_t clock_exact(void); /* monotonic, read now */
int64_t clock_boot(void);  /* CLOCK_BOOTTIME: goes on while the machine sleeps. For leases */
int64_t clock_wall(void);  /* since 1970 */

#endif
