/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which host ports of one node are taken, and by what: a small sorted array, since a node has
 * hundreds of ports at most. Owns nothing but the array.
 */
#ifndef CLUSTER_PORTS_H
#define CLUSTER_PORTS_H

#include <stddef.h>

#include "docker/config.h"
#include "engine/container.h"

struct port_use {
	struct container_port port;
	const void *holder; /* whatever the caller knows it by */
	struct str name;    /* borrowed from the holder */
};

struct port_table {
	struct port_use *v;
	size_t n, cap;
};

void port_table_fini(struct port_table *t);
void port_table_add(struct port_table *t, const struct container_port *port, const void *holder,
		    struct str name);
void port_table_remove(struct port_table *t, const struct container_port *port, const void *holder);

/* What holds the port on that address or on any, or on any address where none is given. */
const struct port_use *port_table_find(const struct port_table *t,
				       const struct container_port *port);

/* The asked-for port in the table's form; false where it holds none (port 0). */
bool port_from_config(const struct host_port *want, struct container_port *ret);

#endif
