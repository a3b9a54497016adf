/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm create: asks a token service for a new cluster, and prints its id.
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/tls_options.h"
#include "discovery/token_service.h"
#include "fiber/loop.h"

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

struct creation {
	struct token_service *service; /* its own */
	struct strbuf id;
	struct error *err;
};

static may_suspend void create(void *arg)
{
	struct creation *c = arg;

	c->err = token_service_create(c->service, &c->id);
	token_service_close(take(c->service));
}

static struct error *print_id(const struct strbuf *id)
{
	if (printf("%.*s\n", STR_ARG(strbuf_str(id))) < 0 || fflush(stdout) != 0)
		return error_new(ERR_INTERNAL, "cannot write to stdout");
	return NULL;
}

static struct error *create_run(const void *options, const struct texts *words)
{
	const struct create_options *o = options;
	const struct tls_files files = tls_options_files(&o->tls);
	struct creation c = { 0 };
	struct error *err;

	TRY(no_arguments(words));
	TRY(tls_options_check(&o->tls));
	if (!o->service || !*o->service)
		return error_new(ERR_INVALID,
				 "a token service is missing: --service URL or "
				 "$SWARM_TOKEN_SERVICE (`swarm discovery` serves one)");
	/* Else what was to be encrypted would go in the clear. */
	if (str_starts(str_from(o->service), STR("http://")))
		TRY(tls_options_unused(&o->tls, "http"));
	TRY(token_service_open(str_from(o->service), tls_options_on(&o->tls) ? &files : NULL,
			       &c.service));
	loop_set_hog_limit(0); /* nobody waits beside it: a slow machine is no news */
	loop_run(LOOP_REAL, create, &c);
	err = c.err ? c.err : print_id(&c.id);
	strbuf_fini(&c.id);
	return err;
}

const struct command command_create = {
	.name = "create",
	.alias = "c",
	.synopsis = "[FLAGS]",
	.summary = "Create a cluster: print its id",
	.flags = create_flags,
	.options_size = sizeof(struct create_options),
	.run = create_run,
};
