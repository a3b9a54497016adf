/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals as something that a fiber waits for. Real loops only.
 */
#ifndef FIBER_SIGNAL_H
#define FIBER_SIGNAL_H

#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"

/* Parks until one of the signals comes and says which. Those that came since the last call count. */
may_suspend must_check struct error *signal_wait(const int *signals, size_t n, int *ret_signal);

#endif
