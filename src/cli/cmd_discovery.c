/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm discovery: the token service alone. Its flags are checked; there is no service in this
 * version.
 */
#include "cli/command.h"
#include "cli/tls_options.h"

struct service_options {
	struct texts hosts;
	const char *state_dir;
	struct tls_options tls;
};

static const struct flag service_flags[] = {
	HOST_FLAG(struct service_options),
	{ .name = "state-dir",
	  .type = FLAG_TEXT,
	  .at = offsetof(struct service_options, state_dir),
	  .value = "DIR",
	  .fallback = "/var/lib/swarm",
	  .takes = "a directory",
	  .help = "Where the clusters are kept" },
	TLS_FLAGS(struct service_options),
	{ 0 },
};

static struct error *service_run(_unused_ const void *options, const struct texts *words)
{
	TRY(no_arguments(words));
	return error_new(ERR_NOT_IMPLEMENTED, "this command is not available in this version");
}

const struct command command_discovery = {
	.name = "discovery",
	.synopsis = "[FLAGS]",
	.summary = "Serve the token discovery (not in this version)",
	.flags = service_flags,
	.options_size = sizeof(struct service_options),
	.run = service_run,
};
