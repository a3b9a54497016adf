/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registry credentials in X-Registry-Auth: only as far as telling whether there are any. They are
 * passed on as they came and never logged.
 */
#ifndef DOCKER_AUTH_H
#define DOCKER_AUTH_H

#include <stdbool.h>

#include "base/str.h"

/* The header carries something other than an empty object. */
bool registry_auth_present(struct str header);

#endif
