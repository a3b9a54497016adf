/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine says of itself in /version and /info: immutable once read, shared by reference.
 */
#ifndef ENGINE_INFO_H
#define ENGINE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "docker/devices.h"
#include "docker/version.h"
#include "json/json.h"

struct engine_label {
	struct str key, value;
};

struct engine_info {
	unsigned int refs;
	struct arena arena; /* holds all below */
	struct str id, name, server_version;
	struct str os_type, architecture, operating_system, kernel_version, storage_driver;
	struct api_version api_newest, api_oldest;
	int64_t cpus;	/* whole cores */
	int64_t memory; /* bytes */
	/* Built-in labels and the engine's own, sorted by key, each key once (section 3). */
	struct engine_label *labels;
	size_t n_labels;
	struct devices devices;
	/* Which networks it can make and join: swarm mode, and the older cluster store. */
	bool swarm_active, swarm_manager, cluster_store;
	struct str warnings; /* what was wrong with its labels, for the log; may be empty */
	struct str version;  /* the answer of /version */
	struct str plugins;  /* the JSON of Plugins in /info; STR_NONE: none */
	struct str common;   /* of /info, a JSON object: what engines of one kind have alike */
	int64_t skew;	     /* the engine's clock less ours, ns; 0 below 2 s */
};

/*
 * ERR_INVALID where the answers are not an engine's ("cannot get resources for this engine, make
 * sure ADDR is a Docker Engine, not a Swarm manager"), or its API is older than 1.24. Texts are
 * copied.
 */
must_check struct error *engine_info_read(struct str addr, struct str info, struct str version,
					  int64_t wall_before, int64_t wall_after,
					  struct engine_info **ret);
struct engine_info *engine_info_ref(struct engine_info *i);
void engine_info_unref(struct engine_info *i);
struct str engine_info_label(const struct engine_info *i, struct str key); /* STR_NONE: none */

DEFINE_CLEANUP(struct engine_info *, engine_info_unref)

#endif
