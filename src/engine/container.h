/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One container as the manager remembers it: the engine's own list entry, byte for byte, and the
 * facts that placement and look-up need. One allocation, immutable once published: news makes a
 * new one that takes the old one's place.
 */
#ifndef ENGINE_CONTAINER_H
#define ENGINE_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "base/strbuf.h"
#include "docker/state.h"
#include "json/json.h"

struct engine;

struct container_port {
	uint16_t port;
	uint8_t protocol; /* 't', 'u', 's' */
	uint8_t family;	  /* 4, 6; 0: any address */
	uint8_t ip[16];
};

/* A run of bytes of the entry. */
struct span {
	uint32_t at, n;
};

struct container {
	unsigned int refs;
	struct engine *engine; /* borrowed: alive while the container is in its table */
	/* Slices of the entry (id, name, ...) or of this allocation. */
	struct str id;	     /* 64 hex digits */
	struct str name;     /* the engine's name for it, without "/" */
	struct str swarm_id; /* label com.docker.swarm.id, else empty */
	struct str image;    /* as the list shows it */
	struct str image_id;
	/*
	 * What makes it again where its policy asks for that (docker/specification.h), else empty.
	 */
	struct str specification;
	uint32_t generation; /* how often it was made again */
	int64_t created;     /* unix ns */
	struct container_state state;
	int64_t nano_cpus, memory;	    /* reserved */
	const struct container_port *ports; /* host ports that it holds, running or not */
	uint32_t n_ports;
	uint32_t size;			       /* of this allocation */
	struct str entry;		       /* JSON text */
	struct span names, state_text, status; /* the values of Names, State, Status in it */
	struct span labels;		       /* and of Labels */
	struct str devices;  /* DeviceRequests of inspect, JSON text; mostly empty */
	uint64_t digest;     /* of the entry as the engine sent it, its ages left out */
	struct list by_name; /* the cluster's: others of this name */
	bool stale;	     /* the cluster's: made again since, there is a later one of it */
};

/*
 * Out of one element of GET /containers/json and the same container's inspect. node_ip takes the
 * place of 0.0.0.0 in Ports. node_cpus: for CpuShares of the original. ERR_PROTOCOL where it is
 * not a container.
 */
must_check struct error *container_new(struct engine *e, struct json entry, struct json inspect,
				       struct str node_ip, int64_t node_cpus,
				       struct container **ret);

/* The same container in another state, as an event tells it. A new reference. */
struct container *container_with_state(const struct container *c,
				       const struct container_state *state);
/* And under another name. */
struct container *container_with_name(const struct container *c, struct str name);

/* Of an entry as the engine sent it: equal digests, nothing to fetch. */
uint64_t container_entry_digest(struct json entry);

struct container *container_ref(struct container *c);
void container_unref(struct container *c); /* NULL is fine */

/*
 * The entry for a list: `names` (JSON array text) for Names, state and status as of `now` (the
 * engine's clock, unix ns). `down`: the node is unhealthy, Status says "Host Down".
 */
void container_write_entry(const struct container *c, struct str names, int64_t now, bool down,
			   struct strbuf *out);

DEFINE_CLEANUP(struct container *, container_unref)

#endif
