/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of the Docker API ("1.41") and the windows in which the parties speak them.
 */
#ifndef DOCKER_VERSION_H
#define DOCKER_VERSION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

struct api_version {
	int major, minor;
};

#define API_VERSION(maj, min) ((struct api_version){ maj, min })
#define API_VERSION_OLDEST    API_VERSION(1, 24) /* what this program serves and asks, at least */
#define API_VERSION_NEWEST    API_VERSION(1, 51) /* the newest that this program knows */

bool api_version_parse(struct str text, struct api_version *ret); /* "1.41" */
int api_version_cmp(struct api_version a, struct api_version b);
struct api_version api_version_clamp(struct api_version v, struct api_version low,
				     struct api_version high);

/*
 * ERR_INVALID in the engine's words where `asked` is outside [oldest, newest]:
 * "client version 1.20 is too old. Minimum supported API version is 1.24, please upgrade ...".
 */
must_check struct error *api_version_check(struct api_version asked, struct api_version oldest,
					   struct api_version newest);

#endif
