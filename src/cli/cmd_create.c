/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm create: asks a token service for a new cluster. Its flags are checked; there is no client
 * of the service in this version.
 */
#include "cli/command.h"
#include "cli/tls_options.h"

struct create_options {
	const char *service;
	struct tls_options tls;
};

static const struct flag create_flags[] = {
	{ .name = "service",
	  .type = FLAG_TEXT,
	  .at = offsetof(struct create_options, service),
	  .env = "SWARM_TOKEN_SERVICE",
	  .value = "URL",
	  .takes = "the URL of a token service",
	  .help = "The token service to ask" },
	TLS_FLAGS(struct create_options),
	{ 0 },
};

static struct error *create_run(_unused_ const void *options, const struct texts *words)
{
	TRY(no_arguments(words));
	return error_new(ERR_NOT_IMPLEMENTED, "this command is not available in this version");
}

const struct command command_create = {
	.name = "create",
	.alias = "c",
	.synopsis = "[FLAGS]",
	.summary = "Create a cluster (not in this version)",
	.flags = create_flags,
	.options_size = sizeof(struct create_options),
	.run = create_run,
};
