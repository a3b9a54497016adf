/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `swarm manage` is told, and what that comes to. Nothing is opened here.
 */
#ifndef CLI_MANAGE_OPTIONS_H
#define CLI_MANAGE_OPTIONS_H

#include "api/api.h"
#include "cli/tls_options.h"
#include "cluster/cluster.h"
#include "net/addr.h"

/* As the flags fill it in. */
#define DEFAULT_STATE_DIR "/var/lib/swarm"

struct manage_options {
	struct texts hosts, filters, cluster_opts, discovery_opts, limits;
	const char *strategy, *driver;
	bool replication;
	int64_t replication_ttl;
	const char *advertise; /* NULL: not given, as the other texts without a default */
	struct tls_options tls;
	const char *engine_ca, *engine_cert, *engine_key;
	const char *state_dir, *user;
	int64_t refresh_min, refresh_max, heartbeat;
	unsigned int failure_retry;
	bool cors;
	bool refresh_on_node_filter;
	const char *name_refresh_filter;
};

extern const struct flag manage_flags[];

struct manage_plan {
	struct addr *hosts; /* in the arena */
	size_t n_hosts;
	struct cluster_config cluster; /* engine_tls is left NULL */
	struct api_limits limits;
	bool cors, tls;
	struct tls_files server_tls, engine_tls; /* with tls; borrow from the options */
};

/* ERR_INVALID says which flag is wrong beside which other one. */
must_check struct error *manage_options_read(const struct manage_options *o, struct arena *arena,
					     struct manage_plan *ret);

#endif
