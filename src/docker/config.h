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
#include "json/json.h"

#define LABEL_SWARM_ID	    "com.docker.swarm.id"
#define LABEL_SWARM_CPUS    "com.docker.swarm.cpus"
#define LABEL_CONSTRAINTS   "com.docker.swarm.constraints"
#define LABEL_AFFINITIES    "com.docker.swarm.affinities"
#define LABEL_WHITELISTS    "com.docker.swarm.whitelists"
#define LABEL_RESCHEDULE    "com.docker.swarm.reschedule-policies"

struct str_array {
	const struct str *v;
	size_t n;
};

struct host_port {
	struct str ip;	/* "" or "0.0.0.0" or "::": any */
	uint16_t port;	/* 0: the engine draws one; never conflicts */
	struct str protocol; /* "tcp", "udp", "sctp" */
};

struct container_config {
	struct json root;
	struct str image;
	struct str swarm_id; /* as given, else empty: config_write draws one */
	/* Expressions with their prefix gone: "storage==ssd"; from env first, then labels. */
	struct str_array constraints, affinities, whitelists, reschedule;
	int64_t nano_cpus;	/* HostConfig.NanoCpus */
	int64_t cpu_shares;	/* HostConfig.CpuShares, as the client sent it */
	int64_t memory;		/* HostConfig.Memory, bytes */
	struct host_port *ports; /* HostConfig.PortBindings with a host port */
	size_t n_ports;
	struct str network_mode; /* HostConfig.NetworkMode */
	bool host_network;
	struct str_array exposed_ports; /* ExposedPorts keys, "80/tcp" */
	/* What must be on the same node: VolumesFrom, Links, container: of net, pid, ipc; suffixes gone. */
	struct str_array dependencies;
	struct str_array volumes;  /* named volumes of Binds and Mounts */
	struct str_array networks; /* names in NetworkMode and NetworkingConfig, built-in ones left out */
};

/* ERR_INVALID where the body is no JSON object, or an expression label is no array of strings. */
must_check struct error *container_config_read(struct str body, struct arena *arena,
					       struct container_config *ret);

struct config_changes {
	struct str swarm_id;  /* set when the body has none */
	int64_t label_cpus;   /* nano-CPUs asked for as cores (label com.docker.swarm.cpus); 0: none */
	int64_t cpu_shares;   /* what the engine gets; -1: as it is */
};
/* The body for the engine. */
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

#endif
