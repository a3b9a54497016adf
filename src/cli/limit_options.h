/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --limit: those limits on clients that an operator may set. All of them are in base/limits.h.
 */
#ifndef CLI_LIMIT_OPTIONS_H
#define CLI_LIMIT_OPTIONS_H

#include "api/api.h"
#include "base/error.h"
#include "cli/flags.h"

#define LIMIT_TAKES "connections, requests, head-time or idle-time=value"

/* Of a command that serves, whose options have `struct texts limits`. */
#define LIMIT_FLAG(options)                                                                       \
	{                                                                                         \
		.name = "limit", .type = FLAG_LIST, .at = offsetof(options, limits),              \
		.value = "K=V", .takes = LIMIT_TAKES, .check = check_limit,                       \
		.help = "What clients may take: connections=16000, requests=4096 (of one client " \
			"at once), head-time=10s, idle-time=2m"                                   \
	}

/* Of one, by its form alone; see flag.check. */
must_check struct error *check_limit(const char *value);

/* The default limits, with what the flags say in their place. */
must_check struct error *limit_options_read(const struct texts *words, struct api_limits *ret);

#endif
