/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm manage: the one place that puts the layers together. It opens the addresses, starts the
 * cluster and the API over it, tells the cluster what the discovery lists, and waits for a signal.
 */
#include <signal.h>

#include "api/api.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/vec.h"
#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/follow.h"
#include "cli/manage_options.h"
#include "cli/managers.h"
#include "cli/record_dir.h"
#include "cli/record_kv.h"
#include "cli/serving.h"
#include "cli/user.h"
#include "cli/version.h"
#include "discovery/discovery.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/signal.h"
#include "http/client.h"
#include "kv/kv.h"
#include "net/listener.h"
#include "net/tls.h"

struct manager {
	const struct manage_options *options;
	struct manage_plan plan;
	struct user user; /* name NULL: stay who we are */
	struct discovery *discovery;
	struct embedded *embedded;		     /* NULL: a discovery was named */
	struct tls_context *server_tls, *engine_tls; /* NULL: in the clear */
	struct vec listeners;			     /* until the API takes them */
	size_t wanted;				     /* connections at once */
	struct tls_context *manager_tls;	     /* towards other managers */
	struct managers managers;		     /* with --replication */
	struct record_dir *record_dir;		     /* of a single manager */
	struct record_kv record_kv;		     /* of one of several */
	struct cluster *cluster;
	struct api *api;
	struct error *err;
};

/* What each fiber waits for, and how many connections no fiber has. */
static void log_state(void)
{
	_cleanup_(strbuf_fini) struct strbuf dump = STRBUF_INIT;
	struct str rest, line;

	fiber_dump(&dump);
	rest = strbuf_str(&dump);
	while (str_next(&rest, '\n', &line)) {
		if (!str_empty(line))
			log_info("fiber", LOG_STR("is", line));
	}
	log_info("idle connections", LOG_NUM("count", (int64_t)http_clients_idle()));
}

/* Watched before anything is opened, so that an end is in order however early it is asked for. */
static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

static may_suspend struct error *serve_until_stopped(void)
{
	int number = 0;

	while (number != SIGTERM && number != SIGINT) {
		TRY(serving_wait(signals, ARRAY_LEN(signals), &number));
		if (number == SIGUSR1)
			log_state();
	}
	log_info("stopping", LOG_CSTR("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
	return NULL;
}

/* The token service and the cluster in it, where no discovery was named. */
static may_suspend struct error *open_embedded(struct manager *m, struct api_guest *ret_guest)
{
	if (m->discovery)
		return NULL;
	TRY(embedded_open(m->options->state_dir, &m->embedded));
	m->discovery = embedded_discovery(m->embedded);
	*ret_guest = embedded_guest(m->embedded);
	return NULL;
}

static void announce(const struct manager *m, const struct addr *at, bool found)
{
	if (!m->embedded)
		return;
	if (found)
		embedded_announce(m->embedded, at, m->server_tls != NULL);
	else
		log_warn("no node can join: there is no port that it could reach; see --host");
}

static may_suspend void listen_on(struct manager *m, const struct serving *serving)
{
	serving_log_room(m->plan.limits.http.connections, m->wanted);
	for (size_t i = 0; i < m->listeners.n; i++) {
		serving_log(serving, m->listeners.v[i],
			    "whoever reaches this address is root on every node: use --tlsverify");
		api_listen(m->api, m->listeners.v[i]);
	}
	vec_clear(&m->listeners);
}

static may_suspend struct error *manage(struct manager *m)
{
	const struct serving serving = { m->plan.hosts, m->plan.n_hosts, m->server_tls,
					 m->plan.server_tls.verify };
	struct api_config api = { .cors = m->plan.cors,
				  .version = swarm_version,
				  .limits = &m->plan.limits };
	struct follow follow;
	_cleanup_(group_finish) struct group fibers = GROUP_INIT;
	struct addr at = { 0 };
	bool found;

	TRY(serving_open(&serving, &m->listeners));
	if (m->user.name)
		TRY(user_become(&m->user));
	TRY(open_embedded(m, &api.guest));
	log_info("swarm manager", LOG_CSTR("version", swarm_version),
		 LOG_CSTR("discovery", discovery_scheme(m->discovery)));

	m->cluster = cluster_new(&m->plan.cluster);
	api.cluster = m->cluster;
	api.fence = m->plan.cluster.fence;
	api.manager_tls = m->manager_tls;
	m->api = api_new(&api);
	found = embedded_address(m->options->advertise, &m->listeners, &at);
	listen_on(m, &serving);
	announce(m, &at, found);

	follow = (struct follow){ .discovery = m->discovery, .cluster = m->cluster };
	group_go(&fibers, "discovery", follow_discovery, &follow);
	if (m->options->replication)
		managers_start(&m->managers, discovery_store(m->discovery), m->options->advertise,
			       m->options->replication_ttl, m->api, m->cluster);
	return serve_until_stopped();
}

/* The main fiber. What it began is ended in the reverse order, however far it came. */
static may_suspend void manager_main(void *arg)
{
	struct manager *m = arg;

	signal_watch(signals, ARRAY_LEN(signals));
	m->err = manage(m);
	if (m->api)
		api_stop(m->api);
	/* What was under way has ended or was told so: now another one may lead. */
	managers_stop(&m->managers);
	if (m->cluster)
		cluster_stop(m->cluster);
	api_free(m->api);
	cluster_free(m->cluster);
	for (size_t i = 0; i < m->listeners.n; i++)
		listener_close(m->listeners.v[i]);
	if (m->discovery)
		discovery_stop(m->discovery);
	discovery_close(take(m->discovery));
	embedded_close(m->embedded);
	if (!m->err)
		log_info("stopped");
}

/* Without a <discovery> the manager carries its own: then there is nothing to open yet. */
static struct error *check_own_discovery(const struct manage_options *o)
{
	if (o->replication)
		return error_new(ERR_INVALID,
				 "--replication needs a key-value discovery (etcd://, consul:// or "
				 "zk://), and there is no <discovery>");
	if (o->discovery_opts.n > 0)
		return error_new(ERR_INVALID, "--discovery-opt has no use without a <discovery>");
	return NULL;
}

static struct error *open_discovery(struct manager *m, const struct manage_options *o,
				    const struct texts *words)
{
	const struct discovery_options how = {
		.heartbeat = o->heartbeat,
		.opts = o->discovery_opts.v,
		.tls = m->plan.tls ? &m->plan.server_tls : NULL,
		.service = default_token_service(),
	};
	struct str uri;

	if (!discovery_is_given(words))
		return check_own_discovery(o);
	TRY(discovery_argument(words, &uri));
	TRY(discovery_open(uri, &how, &m->discovery));
	if (o->replication && !discovery_is_store(m->discovery))
		return error_new(ERR_INVALID,
				 "--replication needs a key-value discovery (etcd://, consul:// or "
				 "zk://), which %s:// is not",
				 discovery_scheme(m->discovery));
	if (o->replication)
		return error_wrap(kv_check_ttl(discovery_store(m->discovery), o->replication_ttl),
				  "--replication-ttl");
	return NULL;
}

/* kv.cacertfile, kv.certfile and kv.keyfile, which are read again later on. */
static struct error *check_store_files(const struct user *u, const struct texts *discovery_opts)
{
	struct str key, path;

	for (size_t i = 0; i < discovery_opts->n; i++) {
		str_cut(str_from(discovery_opts->v[i]), '=', &key, &path);
		if (str_ends(key, STR("file")))
			TRY(user_check_readable(u, path.p));
	}
	return NULL;
}

static struct error *check_user(const struct manage_options *o, const struct manage_plan *plan,
				struct user *ret)
{
	const char *const files[] = { plan->server_tls.ca,   plan->server_tls.cert,
				      plan->server_tls.key,  plan->engine_tls.ca,
				      plan->engine_tls.cert, plan->engine_tls.key };

	TRY(user_find(o->user, ret));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		TRY(user_check_readable(ret, files[i]));
	return check_store_files(ret, &o->discovery_opts);
}

static struct error *open_tls(struct manager *m)
{
	if (!m->plan.tls)
		return NULL;
	TRY(tls_context_new_server(&m->plan.server_tls, &m->server_tls));
	TRY(tls_context_new_client(&m->plan.engine_tls, &m->engine_tls));
	return tls_context_new_client(&m->plan.server_tls, &m->manager_tls);
}

/*
 * A directory that was asked for must do; the default is needed by who reschedules, and made then.
 */
static struct error *check_state_dir(const struct manager *m, const struct manage_options *o)
{
	const struct user *user = o->user ? &m->user : NULL;
	bool asked_for = !m->discovery || strcmp(o->state_dir, DEFAULT_STATE_DIR) != 0;
	struct error *err;

	if (!asked_for && !user)
		return NULL;
	err = serving_make_state_dir(o->state_dir, user);
	if (asked_for || !err)
		return err;
	log_warn("what is to be rescheduled is not remembered over a restart", LOG_ERR(err));
	error_free(err);
	return NULL;
}

static void choose_records(struct manager *m, const struct manage_options *o,
			   const struct texts *words)
{
	struct str uri = STR("");

	if (o->replication) {
		record_kv_init(&m->record_kv, discovery_store(m->discovery), &m->managers.fence);
		m->plan.cluster.records = &m->record_kv.store;
		return;
	}
	if (discovery_is_given(words))
		error_free(discovery_argument(words, &uri)); /* it was right before */
	m->record_dir = record_dir_new(o->state_dir, uri);
	m->plan.cluster.records = record_dir_store(m->record_dir);
}

static struct error *manager_run(struct manager *m, const struct manage_options *o,
				 const struct texts *words)
{
	TRY(open_discovery(m, o, words));
	if (o->user)
		TRY(check_user(o, &m->plan, &m->user));
	TRY(check_state_dir(m, o));
	TRY(open_tls(m));
	m->plan.cluster.engine_tls = m->engine_tls;
	m->wanted = m->plan.limits.http.connections;
	m->plan.limits.http.connections = serving_room(m->wanted);
	managers_init(&m->managers);
	if (o->replication)
		m->plan.cluster.fence = &m->managers.fence;
	choose_records(m, o, words);
	loop_run(LOOP_REAL, manager_main, m);
	return m->err;
}

static struct error *manage_run(const void *options, const struct texts *words)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct manager m = { .options = options };
	struct error *err;

	TRY(manage_options_read(options, &arena, &m.plan));
	err = manager_run(&m, options, words);
	record_dir_free(m.record_dir);
	discovery_close(m.discovery);
	tls_context_unref(m.server_tls);
	tls_context_unref(m.engine_tls);
	tls_context_unref(m.manager_tls);
	vec_fini(&m.listeners);
	return err;
}

const struct command command_manage = {
	.name = "manage",
	.alias = "m",
	.synopsis = "[FLAGS] [<discovery>]",
	.summary = "Run a manager: serve the Docker API for the nodes of a cluster",
	.details = DISCOVERY_DETAILS
	"Without one the manager serves a token service itself, and says how nodes join.\n",
	.flags = manage_flags,
	.options_size = sizeof(struct manage_options),
	.run = manage_run,
};
