/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's errors in the client's words. A container goes to its engine under its full id,
 * whatever the client called it, and some of the engine's messages repeat what it was asked for.
 */
#ifndef API_ECHOED_H
#define API_ECHOED_H

#include "base/arena.h"
#include "base/str.h"

/*
 * The body of an error with `name` where the engine's message repeats `id`; the same body where
 * there is nothing of the kind in it. What an engine says with the container's id on its own
 * account ("Container <id> is not running") stays.
 */
struct str echoed_body(struct str body, struct str id, struct str name, struct arena *arena);

#endif
