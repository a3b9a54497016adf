/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it takes to make a container once more on another node: the policy that asks for it, and the
 * body of a create out of what its engine shows of it. Who does it, and when, is
 * cluster/watchdog.h.
 */
#ifndef DOCKER_SPECIFICATION_H
#define DOCKER_SPECIFICATION_H

#include "docker/config.h"

/* `reschedule:` expressions: "off" or "on-node-failure". ERR_INVALID quotes what is neither. */
must_check struct error *reschedule_policy_read(const struct str_array *policies,
						bool *ret_on_node_failure);

/* Of a container that is there, by its Labels: what cannot be read asks for nothing. */
bool labels_reschedule(struct json labels);
/* How often it was made again, label com.docker.swarm.generation; 0: never, or not known. */
uint32_t labels_generation(struct json labels);

/*
 * The body of a create that makes it again, out of its inspect: every field of Config and
 * HostConfig as it stands there, without what its engine drew (the host name, the alias that are
 * its id), and all its networks but the built-in ones in NetworkingConfig, the one of NetworkMode
 * first. `nano_cpus`: what it holds of its node (container_reservation_read).
 */
void specification_write(struct json inspect, int64_t nano_cpus, struct strbuf *out);

/* A network of a specification; the texts lie in its JSON. */
struct specified_network {
	struct str name;
	struct json endpoint;
};

struct specified_networks {
	struct specified_network *v;
	size_t n;
};

/* All of them; the first is NetworkMode's where that is a named one. In the arena. */
struct specified_networks specification_networks(struct json specification, struct arena *arena);

/* NetworkMode where that is a named network, else empty. */
struct str specification_network(struct json specification);

/*
 * The specification as the body of a create: older engines take one network there, so all but
 * NetworkMode's are left out, for who creates it to connect.
 */
struct str specification_body(struct json specification, struct arena *arena);

#endif
