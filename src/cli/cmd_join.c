/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm join: keeps an engine registered in a discovery. Its flags are checked; no discovery of
 * this version takes registrations.
 */
#include "base/duration.h"
#include "cli/command.h"
#include "cli/tls_options.h"

struct join_options {
	const char *advertise;
	int64_t heartbeat, ttl, delay;
	struct texts discovery_opts;
	struct tls_options tls;
};

static const struct flag join_flags[] = {
	{ .name = "advertise",
	  .alias = "addr",
	  .type = FLAG_TEXT,
	  .at = offsetof(struct join_options, advertise),
	  .env = "SWARM_ADVERTISE",
	  .value = "HOST:PORT",
	  .takes = "host:port",
	  .check = check_host_port,
	  .help = "Where managers reach the Docker Engine" },
	{ .name = "heartbeat",
	  .type = FLAG_DURATION,
	  .at = offsetof(struct join_options, heartbeat),
	  .value = "SPAN",
	  .fallback = "60s",
	  .min = SECOND,
	  .help = "How often the entry is renewed" },
	{ .name = "ttl",
	  .type = FLAG_DURATION,
	  .at = offsetof(struct join_options, ttl),
	  .value = "SPAN",
	  .fallback = "180s",
	  .min = SECOND,
	  .help = "After how long without a renewal the entry goes; longer than the heartbeat" },
	{ .name = "delay",
	  .type = FLAG_DURATION,
	  .at = offsetof(struct join_options, delay),
	  .value = "SPAN",
	  .fallback = "0s",
	  .help = "Wait a random time up to this first" },
	DISCOVERY_OPT_FLAG(struct join_options),
	TLS_FLAGS(struct join_options),
	{ 0 },
};

static struct error *join_run(const void *options, const struct texts *words)
{
	const struct join_options *o = options;
	struct str uri;

	if (!o->advertise)
		return error_new(ERR_INVALID, "--advertise is missing: it takes host:port");
	if (o->ttl <= o->heartbeat)
		return error_new(ERR_INVALID, "--ttl must be longer than --heartbeat");
	TRY(discovery_argument(words, &uri));
	return error_new(ERR_NOT_IMPLEMENTED, "this command is not available in this version");
}

const struct command command_join = {
	.name = "join",
	.alias = "j",
	.synopsis = "[FLAGS] <discovery>",
	.summary = "Keep a Docker Engine registered in a cluster (not in this version)",
	.flags = join_flags,
	.options_size = sizeof(struct join_options),
	.run = join_run,
};
