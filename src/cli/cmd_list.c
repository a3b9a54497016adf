/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm list: the addresses that a discovery has now, one a line.
 */
#include <stdio.h>

#include "base/duration.h"
#include "cli/command.h"
#include "cli/tls_options.h"
#include "discovery/discovery.h"
#include "fiber/deadline.h"
#include "fiber/loop.h"

struct list_options {
	int64_t timeout;
	struct texts discovery_opts;
	struct tls_options tls;
};

static const struct flag list_flags[] = {
	{ .name = "timeout",
	  .type = FLAG_DURATION,
	  .at = offsetof(struct list_options, timeout),
	  .value = "SPAN",
	  .fallback = "10s",
	  .min = MILLISECOND,
	  .help = "How long the discovery may take to answer" },
	DISCOVERY_OPT_FLAG(struct list_options),
	TLS_FLAGS(struct list_options),
	{ 0 },
};

struct lookup {
	struct discovery *discovery; /* its own */
	int64_t timeout;
	struct discovery_entries entries;
	struct error *err;
};

static may_suspend void look_up(void *arg)
{
	struct lookup *l = arg;
	_cleanup_(deadline_end) struct deadline patience = deadline_begin(l->timeout);

	l->err = discovery_fetch(l->discovery, &l->entries);
	if (error_is(l->err, ERR_TIMEOUT) && deadline_passed(&patience)) {
		error_free(l->err);
		l->err = error_new(ERR_TIMEOUT, "%s:// did not answer within --timeout",
				   discovery_scheme(l->discovery));
	}
	deadline_end(&patience);
	discovery_stop(l->discovery);
	discovery_close(take(l->discovery));
}

static struct error *print_entries(const struct discovery_entries *entries)
{
	_cleanup_(strbuf_fini) struct strbuf lines = STRBUF_INIT;

	for (size_t i = 0; i < entries->n; i++) {
		addr_format(&entries->v[i], &lines);
		strbuf_addc(&lines, '\n');
	}
	if (fwrite(lines.p, 1, lines.n, stdout) != lines.n || fflush(stdout) != 0)
		return error_new(ERR_INTERNAL, "cannot write to stdout");
	return NULL;
}

static struct error *list_run(const void *options, const struct texts *words)
{
	const struct list_options *o = options;
	const struct tls_files files = tls_options_files(&o->tls);
	const struct discovery_options how = {
		.heartbeat = MINUTE,
		.opts = o->discovery_opts.v,
		.tls = tls_options_on(&o->tls) ? &files : NULL,
		.service = default_token_service(),
	};
	_cleanup_(discovery_closep) struct discovery *discovery = NULL;
	struct lookup lookup = { .timeout = o->timeout };
	struct error *err;
	struct str uri;

	TRY(discovery_argument(words, &uri));
	TRY(tls_options_check(&o->tls));
	TRY(discovery_open(uri, &how, &discovery));
	if (!discovery_uses_tls(discovery))
		TRY(tls_options_unused(&o->tls, discovery_scheme(discovery)));

	lookup.discovery = take(discovery);
	loop_set_hog_limit(0); /* nobody waits beside it: a slow machine is no news */
	loop_run(LOOP_REAL, look_up, &lookup);
	err = lookup.err ? lookup.err : print_entries(&lookup.entries);
	discovery_entries_fini(&lookup.entries);
	return err;
}

const struct command command_list = {
	.name = "list",
	.alias = "l",
	.synopsis = "[FLAGS] <discovery>",
	.summary = "List the nodes of a cluster",
	.details = DISCOVERY_DETAILS,
	.flags = list_flags,
	.options_size = sizeof(struct list_options),
	.run = list_run,
};
