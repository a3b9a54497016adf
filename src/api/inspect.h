/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's inspect of a container as the pool shows it; every byte that is not named here stays.
 */
#ifndef API_INSPECT_H
#define API_INSPECT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "engine/info.h"

struct engine;

/*
 * With `Node` {ID, IP, Addr, Name, Cpus, Memory, Labels}, and the node's address for host IPs that
 * are 0.0.0.0 under NetworkSettings.Ports. ERR_PROTOCOL where it is no JSON object. In the arena.
 */
must_check struct error *inspect_add_node(struct str inspect, const struct engine *e,
					  struct arena *arena, struct str *ret);

/* The same of plain values. */
must_check struct error *inspect_rewrite(struct str inspect, const struct engine_info *info,
					 struct str ip, struct str addr, struct arena *arena,
					 struct str *ret);

#endif
