/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals as something that a fiber waits for. Real loops only.
 */
#ifndef FIBER_SIGNAL_H
#define FIBER_SIGNAL_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

/*
 * From now on these signals are kept for signal_wait, and no longer do what the system does about
 * them. Called before the first thing that must be ended in order; waiting implies it.
 */
void signal_watch(const int *signals, size_t n);

/*
 * Parks until one of the signals comes and says which. Those that came since the last call count.
 */
may_suspend must_check struct error *signal_wait(const int *signals, size_t n, int *ret_signal);

#endif
