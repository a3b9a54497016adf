/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time that a client asks for, `since` and `until` of events or of a filter: seconds with a
 * fraction as the CLI sends them, RFC 3339 or its beginning (a day, or without a zone: UTC), or a
 * duration before now ("10m").
 */
#ifndef DOCKER_TIME_ARG_H
#define DOCKER_TIME_ARG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Unix ns. ERR_INVALID quotes the text. What int64 cannot hold is its nearest end. */
must_check struct error *time_arg_parse(struct str text, int64_t now, int64_t *ret);

/*
 * A point in time (seconds, or RFC 3339 with a zone) as a clock has it that is so many ns ahead of
 * ours, in seconds, in the arena. Anything else is as it was: a span, a day in the zone of whoever
 * reads it, 0, which stands for none.
 */
struct str time_arg_ahead(struct str text, int64_t ahead, struct arena *arena);

#endif
