/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /info says of engines as such, cgroups, runtimes, logging, security: what all nodes say
 * alike, and something neutral where they differ.
 */
#ifndef API_INFO_COMMON_H
#define API_INFO_COMMON_H

#include "base/arena.h"
#include "base/str.h"
#include "json/build.h"

/*
 * `nodes` are the texts of engine_info.common; members are put into the object that is open. A flag
 * is true where no node denies it.
 */
void info_put_common(struct json_out *o, const struct str *nodes, size_t n, struct arena *arena);

/*
 * `nodes` are the texts of engine_info.plugins: member Plugins, with what any node has, sorted by
 * name. Where all have the same it stands as they wrote it.
 */
void info_put_plugins(struct json_out *o, const struct str *nodes, size_t n, struct arena *arena);

#endif
