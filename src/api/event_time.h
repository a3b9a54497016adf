/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `since` and `until` of /events: seconds with a fraction as the CLI sends them, RFC 3339, or a
 * duration before now ("10m").
 */
#ifndef API_EVENT_TIME_H
#define API_EVENT_TIME_H

#include <stdint.h>

#include "base/error.h"

/* Unix ns. ERR_INVALID quotes the text. What int64 cannot hold is its nearest end. */
must_check struct error *event_time_parse(struct str text, int64_t now, int64_t *ret);

#endif
