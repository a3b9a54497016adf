/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patterns of Go's path.Match, by which engines choose images: `*` and `?` stand for anything
 * but a slash, [a-z] and [^a-z] for one character, and a backslash takes the next one as it is.
 */
#ifndef DOCKER_PATH_PATTERN_H
#define DOCKER_PATH_PATTERN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

/* In an engine's words, and with its status, where the text is no pattern. */
must_check struct error *path_pattern_check(struct str pattern);

/* The whole text fits; false for what is no pattern. Steps: at most their lengths multiplied. */
bool path_pattern_match(struct str pattern, struct str text);

#endif
