/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of /info: SystemStatus, which `docker info` prints line by line (section 7 of the
 * contract), and the rest of the answer.
 */
#ifndef API_INFO_H
#define API_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "engine/info.h"
#include "json/build.h"

/* One node's lines as plain values. */
struct info_node {
	struct str name; /* "" while it is not known */
	struct str addr, id, state, error;
	size_t running, paused, stopped;
	int64_t reserved_nano_cpus, nano_cpus; /* the total with overcommit */
	int64_t reserved_memory, memory;
	const struct devices *devices;	 /* NULL: it tells of none */
	const int64_t *reserved_devices; /* of each kind of them */
	const struct engine_label *labels;
	size_t n_labels;
	int64_t updated_at; /* unix ns; 0: never */
	struct str server_version;
};

/* Its pairs, inside an array that has been begun. */
void info_put_node(struct json_out *o, const struct info_node *n, struct arena *arena);

/* "512 MiB", "7.812 GiB": four digits, as go-units' BytesSize has it. */
struct str info_size(int64_t bytes, struct arena *arena);

#endif
