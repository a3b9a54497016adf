/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time that a client asks for, `since` and `until` of events or of a filter: seconds with a
 * fraction as the CLI sends them, RFC 3339 or its beginning (a day, or without a zone: UTC), or a
 * duration before now ("10m").
 */
#ifndef DOCKER_TIME_ARG_H
#define DOCKER_TIME_ARG_H

#include <stdint.h>

#include "base/error.h"

/* Unix ns. ERR_INVALID quotes the text. What int64 cannot hold is its nearest end. */
must_check struct error *time_arg_parse(struct str text, int64_t now, int64_t *ret);

#endif
