/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host ports that a container holds, out of its inspect, and how an address is written in them.
 */
#ifndef ENGINE_CONTAINER_PORTS_H
#define ENGINE_CONTAINER_PORTS_H

#include "base/arena.h"
#include "engine/container.h"

/*
 * Those that it asked for, those that the engine drew for it as long as it runs, and with the
 * host's network the ports that it exposes. Sorted, each once, in the arena.
 */
const struct container_port *container_ports_read(struct json inspect, struct arena *arena,
						  uint32_t *ret_n);

/* Any address where it is empty, unspecified in whatever form ("::0"), or none. */
void container_port_set_ip(struct container_port *p, struct str text);

#endif
