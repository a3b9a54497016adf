/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms as values: "linux/arm64", as --platform has it, and what an engine says of its machine.
 */
#ifndef DOCKER_PLATFORM_H
#define DOCKER_PLATFORM_H

#include <stdbool.h>

#include "base/str.h"

struct platform {
	struct str os;		 /* "linux"; empty: any */
	struct str architecture; /* in Go's words, "amd64"; empty: any */
	int variant;		 /* of arm: 5 to 8; 0: any */
};

/*
 * "linux", "arm64", "linux/arm64", "linux/arm/v7", with the machine's words for architectures too.
 * False: it is none, which is the engine's to say. Borrows.
 */
bool platform_parse(struct str text, struct platform *ret);
/* OSType and Architecture of /info. */
struct platform platform_of_engine(struct str os_type, struct str architecture);
/* A machine of platform `p` runs what is for `wanted` by itself. */
bool platform_runs(const struct platform *p, const struct platform *wanted);

#endif
