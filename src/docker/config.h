/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of POST /containers/create: what placement needs of it, and the body that goes to the
 * engine: expressions moved from Env to labels, the swarm id set, CPU shares converted; every
 * other byte as the client sent it.
 */
#ifndef DOCKER_CONFIG_H
#define DOCKER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "docker/devices.h"
#include "json/json.h"

#define LABEL_SWARM_ID	  "com.docker.swarm.id"
#define LABEL_SWARM_CPUS  "com.docker.swarm.cpus"
#define LABEL_CONSTRAINTS "com.docker.swarm.constraints"
#define LABEL_AFFINITIES  "com.docker.swarm.affinities"
#define LABEL_WHITELISTS  "com.docker.swarm.whitelists"
#define LABEL_SPREADS	  "com.docker.swarm.spreads"
#define LABEL_LIMITS	  "com.docker.swarm.limits"
#define LABEL_RESCHEDULE  "com.docker.swarm.reschedule-policies"
#define LABEL_GENERATION  "com.docker.swarm.generation"
#define LABEL_PROJECT	  "com.docker.compose.project"

struct host_port {
	struct str ip;	     /* "" or "0.0.0.0" or "::": any */
	uint16_t port;	     /* 0: the engine draws one; never conflicts */
	struct str protocol; /* "tcp", "udp", "sctp" */
};

struct container_config {
	struct json root;
	struct str image;
	struct json labels;  /* as the client sent them; missing: none */
	struct str swarm_id; /* as given, else empty: config_write draws one */
	/* Expressions with their prefix gone: "storage==ssd"; from env first, then labels. */
	struct str_array constraints, affinities, whitelists, reschedule, spreads, limits;
	int64_t nano_cpus;		/* HostConfig.NanoCpus */
	int64_t cpu_shares;		/* HostConfig.CpuShares, as the client sent it */
	int64_t label_nano_cpus;	/* label com.docker.swarm.cpus; -1: none */
	int64_t memory;			/* HostConfig.Memory, bytes */
	struct device_requests devices; /* HostConfig.DeviceRequests: --gpus */
	struct str runtime;		/* HostConfig.Runtime; empty: the engine's default */
	/* HostConfig.PortBindings with a host port; none with --net=host: see exposed_ports. */
	struct host_port *ports;
	size_t n_ports;
	struct str network_mode; /* HostConfig.NetworkMode */
	bool host_network;
	/* ExposedPorts keys, "80/tcp": with --net=host what the container takes of its host. */
	struct str_array exposed_ports;
	/*
	 * What must be on the same node: VolumesFrom, Links, container: of net, pid, ipc; suffixes
	 * gone.
	 */
	struct str_array dependencies;
	struct str_array volumes;  /* named volumes of Binds and Mounts */
	struct str_array networks; /* of NetworkMode and EndpointsConfig, built-in ones left out */
};

/*
 * What a name of a container, volume or network in the body is to the engine: users write
 * "node-1/db" or a swarm id, an engine knows "db".
 */
struct config_rename {
	struct str from, to;
};

/* ERR_INVALID where the body is no JSON object, or an expression label is no array of strings. */
must_check struct error *container_config_read(struct str body, struct arena *arena,
					       struct container_config *ret);

struct config_changes {
	struct str swarm_id; /* set when the body has none */
	int64_t label_cpus; /* nano-CPUs asked for as cores (label com.docker.swarm.cpus); 0: none */
	int64_t cpu_shares; /* what the engine gets; -1: as it is, a weight (label: "0" cores) */
	const struct config_rename *containers, *volumes, *networks;
	size_t n_containers, n_volumes, n_networks;
	uint32_t generation; /* of a container that is made again; 0: the label stays as it is */
};
/* The body for the engine, behind what `out` holds. */
void container_config_write(const struct container_config *c, const struct config_changes *ch,
			    struct arena *arena, struct strbuf *out);

/*
 * What reading CpuShares as cores gives (section 5 of the contract): a value below 128, or one that
 * the largest node of the pool could hold, is cores; else it is Docker's own weight: 0 here.
 */
enum cpushares_mode { CPUSHARES_AUTO, CPUSHARES_CORES, CPUSHARES_WEIGHT };
int64_t config_shares_as_nano_cpus(int64_t shares, enum cpushares_mode mode,
				   int64_t largest_node_cpus);
/* ceil(cores * 1024 / ncpu), at least 2 (the kernel's own minimum). */
int64_t config_nano_cpus_as_shares(int64_t nano_cpus, int64_t ncpu);
/* Label com.docker.swarm.cpus: a decimal such as "2" or "1.5". false: it is none. */
bool config_cores_parse(struct str text, int64_t *ret_nano_cpus);
struct str config_cores_format(int64_t nano_cpus, struct arena *arena);
/* The CPU that a create asks for: NanoCpus, else its shares as cores. 0: none. */
int64_t container_config_nano_cpus(const struct container_config *c, enum cpushares_mode mode,
				   int64_t largest_node_cpus);

/*
 * What a container holds of its node, out of inspect; 0: nothing. Label com.docker.swarm.cpus
 * counts as long as the engine shows the shares that it stands for: after an update what the engine
 * shows wins. Without the label NanoCpus, or for the original Swarm's containers (they have the
 * swarm id) CpuShares as its part of the node's CPUs.
 */
void container_reservation_read(struct json inspect, int64_t node_cpus, int64_t *ret_nano_cpus,
				int64_t *ret_memory);

#endif
