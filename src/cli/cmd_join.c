/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm join: keeps an engine registered in a discovery, until it is stopped.
 */
#include <signal.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/rand.h"
#include "cli/command.h"
#include "cli/joining.h"
#include "cli/serving.h"
#include "cli/tls_options.h"
#include "cli/version.h"
#include "discovery/discovery.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/signal.h"
#include "fiber/waitq.h"

/* Who stops it waits this long at most for its entry to be gone. */
#define LEAVE_TIME (5 * SECOND)

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

struct join {
	struct joining joining;
	int64_t delay;
	struct waitq over;
	bool stopped, failed;
	struct error *err;
};

static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

static may_suspend void wait_for_stop(void *arg)
{
	struct join *join = arg;
	int number;
	struct error *err = serving_wait(signals, ARRAY_LEN(signals), &number);

	if (!err) {
		log_info("stopping", LOG_CSTR("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
		join->stopped = true;
		waitq_wake_all(&join->over);
	}
	error_free(err);
}

static may_suspend struct error *delayed_run(struct join *join)
{
	if (join->delay > 0)
		TRY(fiber_sleep(rand_between(0, join->delay)));
	return joining_run(&join->joining);
}

static may_suspend void keep_registered(void *arg)
{
	struct join *join = arg;
	struct error *err = delayed_run(join);

	if (error_is(err, ERR_CANCELLED)) {
		error_free(err);
		return;
	}
	join->err = err;
	join->failed = true;
	waitq_wake_all(&join->over);
}

static may_suspend void until_over(struct join *join)
{
	_cleanup_(group_finish) struct group fibers = GROUP_INIT;

	group_go(&fibers, "signals", wait_for_stop, join);
	group_go(&fibers, "join", keep_registered, join);
	while (!join->stopped && !join->failed)
		error_free(waitq_wait(&join->over, "the end"));
}

static may_suspend void leave(const struct join *join)
{
	_cleanup_(deadline_end) struct deadline patience = deadline_begin(LEAVE_TIME);
	_cleanup_(error_freep) struct error *err =
		discovery_unregister(join->joining.discovery, &join->joining.engine);

	/* Then it is one of an earlier run at most, of which nothing is known. */
	if (!join->joining.tried)
		return;
	if (err)
		log_warn("the entry stays until its time is over", LOG_ERR(err));
	else
		log_info("the entry is removed");
}

static may_suspend void join_main(void *arg)
{
	struct join *join = arg;

	signal_watch(signals, ARRAY_LEN(signals));
	log_info("swarm join", LOG_CSTR("version", swarm_version),
		 LOG_CSTR("discovery", discovery_scheme(join->joining.discovery)));
	until_over(join);
	if (join->stopped)
		leave(join);
	discovery_stop(join->joining.discovery);
	discovery_close(take(join->joining.discovery));
}

static struct error *open_all(const struct join_options *o, struct str uri, struct join *join)
{
	const struct tls_files files = tls_options_files(&o->tls);
	const struct discovery_options how = {
		.heartbeat = o->heartbeat,
		.opts = o->discovery_opts.v,
		.tls = tls_options_on(&o->tls) ? &files : NULL,
		.service = default_token_service(),
	};

	TRY(discovery_open(uri, &how, &join->joining.discovery));
	TRY(discovery_check_registers(join->joining.discovery));
	TRY(discovery_check_ttl(join->joining.discovery, o->ttl));
	if (how.tls)
		TRY(tls_context_new_client(&files, &join->joining.tls));
	return NULL;
}

static struct error *join_run(const void *options, const struct texts *words)
{
	const struct join_options *o = options;
	struct join join = { .joining = { .heartbeat = o->heartbeat, .ttl = o->ttl },
			     .delay = o->delay };
	struct error *err;
	struct str uri;

	if (!o->advertise)
		return error_new(ERR_INVALID, "--advertise is missing: it takes host:port");
	TRY(addr_parse_host_port(str_from(o->advertise), &join.joining.engine));
	if (o->ttl <= o->heartbeat)
		return error_new(ERR_INVALID, "--ttl must be longer than --heartbeat");
	TRY(tls_options_check(&o->tls));
	TRY(discovery_argument(words, &uri));
	err = open_all(o, uri, &join);
	if (!err) {
		loop_run(LOOP_REAL, join_main, &join);
		err = join.err;
	}
	discovery_close(join.joining.discovery);
	tls_context_unref(join.joining.tls);
	return err;
}

const struct command command_join = {
	.name = "join",
	.alias = "j",
	.synopsis = "[FLAGS] <discovery>",
	.summary = "Keep a Docker Engine registered in a cluster",
	.details = "<discovery> says where to enter the engine's address, or $SWARM_DISCOVERY "
		   "does:\n" STORED_DISCOVERY_DETAILS,
	.flags = join_flags,
	.options_size = sizeof(struct join_options),
	.run = join_run,
};
