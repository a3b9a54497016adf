/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags of `swarm manage`, and what is right about them together.
 */
#include "cli/manage_options.h"

#include <math.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/limit_options.h"

static struct error *check_cluster_opt(const char *value);

static const char *const drivers[] = { "swarm", NULL };

#define AT(member) .at = offsetof(struct manage_options, member)
#define PEM_FILE   .value = "FILE", .takes = "a PEM file"

const struct flag manage_flags[] = {
	HOST_FLAG(struct manage_options),
	{ .name = "strategy",
	  .type = FLAG_TEXT,
	  AT(strategy),
	  .fallback = "spread",
	  .value = "NAME",
	  .choices = sched_strategy_names,
	  .help = "How to choose among the nodes that can take a container" },
	{ .name = "filter",
	  .letter = 'f',
	  .type = FLAG_LIST,
	  AT(filters),
	  .value = "NAME",
	  .choices = sched_filter_names,
	  .help = "What rules nodes out, instead of all of these" },
	{ .name = "replication",
	  .type = FLAG_SWITCH,
	  AT(replication),
	  .help = "Run as one of several managers; needs --advertise and a key-value discovery" },
	{ .name = "replication-ttl",
	  .type = FLAG_DURATION,
	  AT(replication_ttl),
	  .value = "SPAN",
	  .fallback = "20s",
	  .min = SECOND,
	  .help = "After how long without news a primary counts as dead" },
	{ .name = "advertise",
	  .alias = "addr",
	  .type = FLAG_TEXT,
	  AT(advertise),
	  .env = "SWARM_ADVERTISE",
	  .value = "HOST:PORT",
	  .takes = "host:port",
	  .check = check_host_port,
	  .help = "Where other managers, and nodes that join, reach this one" },
	TLS_FLAGS(struct manage_options),
	{ .name = "engine-tlscacert",
	  .type = FLAG_TEXT,
	  AT(engine_ca),
	  PEM_FILE,
	  .help = "As --tlscacert, towards the engines, where it differs" },
	{ .name = "engine-tlscert",
	  .type = FLAG_TEXT,
	  AT(engine_cert),
	  PEM_FILE,
	  .help = "As --tlscert, towards the engines, where it differs" },
	{ .name = "engine-tlskey",
	  .type = FLAG_TEXT,
	  AT(engine_key),
	  PEM_FILE,
	  .help = "As --tlskey, towards the engines, where it differs" },
	{ .name = "state-dir",
	  .type = FLAG_TEXT,
	  AT(state_dir),
	  .value = "DIR",
	  .fallback = DEFAULT_STATE_DIR,
	  .takes = "a directory",
	  .help = "Where what must outlive a restart is kept" },
	{ .name = "user",
	  .type = FLAG_TEXT,
	  AT(user),
	  .value = "NAME",
	  .takes = "a user's name",
	  .help = "Become this user once all addresses are bound" },
	{ .name = "engine-refresh-min-interval",
	  .type = FLAG_DURATION,
	  AT(refresh_min),
	  .value = "SPAN",
	  .fallback = "30s",
	  .min = MILLISECOND,
	  .help = "Shortest period of the full look at each node" },
	{ .name = "engine-refresh-max-interval",
	  .type = FLAG_DURATION,
	  AT(refresh_max),
	  .value = "SPAN",
	  .fallback = "60s",
	  .min = MILLISECOND,
	  .help = "Longest period of the full look at each node" },
	{ .name = "engine-failure-retry",
	  .type = FLAG_COUNT,
	  AT(failure_retry),
	  .value = "N",
	  .fallback = "3",
	  .min = 1,
	  .help = "How many failures in a row make a node unhealthy" },
	{ .name = "heartbeat",
	  .type = FLAG_DURATION,
	  AT(heartbeat),
	  .value = "SPAN",
	  .fallback = "60s",
	  .min = SECOND,
	  .help = "How often a polled discovery is asked" },
	{ .name = "api-enable-cors",
	  .alias = "cors",
	  .type = FLAG_SWITCH,
	  AT(cors),
	  .help = "CORS headers on every answer" },
	{ .name = "cluster-driver",
	  .letter = 'c',
	  .type = FLAG_TEXT,
	  AT(driver),
	  .value = "NAME",
	  .fallback = "swarm",
	  .choices = drivers,
	  .help = "What places containers" },
	{ .name = "cluster-opt",
	  .type = FLAG_LIST,
	  AT(cluster_opts),
	  .value = "K=V",
	  .takes = "swarm.overcommit, swarm.createretry, swarm.createlimit, swarm.compat or "
		   "swarm.cpushares=value",
	  .check = check_cluster_opt,
	  .help = "swarm.overcommit=0.05, swarm.createretry=0, swarm.createlimit=16, "
		  "swarm.compat=1.2, "
		  "swarm.cpushares=auto|cores|weight" },
	LIMIT_FLAG(struct manage_options),
	DISCOVERY_OPT_FLAG(struct manage_options),
	{ .name = "refresh-on-node-filter",
	  .type = FLAG_SWITCH,
	  AT(refresh_on_node_filter),
	  .help = "Look at a node anew before answering a ps that filters by it" },
	{ .name = "container-name-refresh-filter",
	  .type = FLAG_TEXT,
	  AT(name_refresh_filter),
	  .value = "NAME",
	  .takes = "the value of a ps's name filter",
	  .help = "Look at the nodes anew before answering a ps that filters by this name" },
	{ 0 },
};

static struct error *read_overcommit(struct str value, struct cluster_config *config)
{
	_cleanup_(mem_freep) char *text = str_dup(value);
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end != '\0' || !isfinite(number) || number <= -1)
		return error_new(ERR_INVALID,
				 "swarm.overcommit is a number above -1, such as 0.05");
	config->scheduler.overcommit = number;
	return NULL;
}

static struct error *read_create_retry(struct str value, struct cluster_config *config)
{
	uint64_t n;

	if (!str_to_u64(value, &n) || n > 1000)
		return error_new(ERR_INVALID, "swarm.createretry is a whole number up to 1000");
	config->create_retry = (unsigned int)n;
	return NULL;
}

static struct error *read_create_limit(struct str value, struct cluster_config *config)
{
	uint64_t n;

	if (!str_to_u64(value, &n) || n < 1 || n > 1000)
		return error_new(ERR_INVALID, "swarm.createlimit is a whole number, 1 to 1000");
	config->create_limit = (unsigned int)n;
	return NULL;
}

static struct error *read_compat(struct str value, struct cluster_config *config)
{
	if (!str_eq(value, STR("1.2")))
		return error_new(ERR_INVALID, "swarm.compat can only be 1.2");
	config->compat = true;
	return NULL;
}

static struct error *read_cpushares(struct str value, struct cluster_config *config)
{
	static const struct {
		struct str name;
		enum cpushares_mode mode;
	} modes[] = {
		{ STR_INIT("auto"), CPUSHARES_AUTO },
		{ STR_INIT("cores"), CPUSHARES_CORES },
		{ STR_INIT("weight"), CPUSHARES_WEIGHT },
	};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (str_eq(value, modes[i].name)) {
			config->cpushares = modes[i].mode;
			return NULL;
		}
	}
	return error_new(ERR_INVALID, "swarm.cpushares is auto, cores or weight");
}

static const struct {
	struct str name;
	struct error *(*read)(struct str value, struct cluster_config *config);
} cluster_options[] = {
	{ STR_INIT("swarm.overcommit"), read_overcommit },
	{ STR_INIT("swarm.createretry"), read_create_retry },
	{ STR_INIT("swarm.createlimit"), read_create_limit },
	{ STR_INIT("swarm.compat"), read_compat },
	{ STR_INIT("swarm.cpushares"), read_cpushares },
};

static struct error *read_cluster_opt(const char *text, struct cluster_config *config)
{
	struct str key, value;

	if (!str_cut(str_from(text), '=', &key, &value))
		return error_new(ERR_INVALID, "there is no =");
	for (size_t i = 0; i < ARRAY_LEN(cluster_options); i++) {
		if (str_eq(key, cluster_options[i].name))
			return cluster_options[i].read(value, config);
	}
	return error_new(ERR_INVALID, "there is no option %.*s", STR_ARG(key));
}

static struct error *check_cluster_opt(const char *value)
{
	struct cluster_config unused = { 0 };

	return read_cluster_opt(value, &unused);
}

static struct error *read_tls(const struct manage_options *o, struct manage_plan *plan)
{
	const char *engine_flag = o->engine_ca	   ? "--engine-tlscacert"
				  : o->engine_cert ? "--engine-tlscert"
				  : o->engine_key  ? "--engine-tlskey"
						   : NULL;

	TRY(tls_options_check(&o->tls));
	if (engine_flag && !tls_options_on(&o->tls))
		return error_new(ERR_INVALID, "%s needs --tls or --tlsverify beside it",
				 engine_flag);
	if (!o->engine_cert != !o->engine_key)
		return error_new(ERR_INVALID, "%s FILE needs %s FILE beside it",
				 o->engine_cert ? "--engine-tlscert" : "--engine-tlskey",
				 o->engine_cert ? "--engine-tlskey" : "--engine-tlscert");

	plan->tls = tls_options_on(&o->tls);
	plan->server_tls = plan->engine_tls = tls_options_files(&o->tls);
	if (o->engine_ca)
		plan->engine_tls.ca = o->engine_ca;
	if (o->engine_cert) {
		plan->engine_tls.cert = o->engine_cert;
		plan->engine_tls.key = o->engine_key;
	}
	return NULL;
}

static bool has_filter(const struct sched_config *c, const struct filter_kind *filter)
{
	for (size_t i = 0; c->filters[i]; i++) {
		if (c->filters[i] == filter)
			return true;
	}
	return false;
}

/* Naming one replaces the default, which is all of them. */
static void read_filters(const struct texts *names, struct sched_config *c)
{
	size_t n = 0;

	if (names->n == 0)
		return;
	memset(c->filters, 0, sizeof(c->filters));
	for (size_t i = 0; i < names->n; i++) {
		const struct filter_kind *filter = sched_filter(str_from(names->v[i]));

		if (!has_filter(c, filter))
			c->filters[n++] = filter;
	}
}

static struct error *read_cluster(const struct manage_options *o, struct cluster_config *config)
{
	if (o->refresh_max < o->refresh_min)
		return error_new(ERR_INVALID, "--engine-refresh-max-interval is shorter than "
					      "--engine-refresh-min-interval");
	cluster_config_default(config);
	config->scheduler.strategy = sched_strategy(str_from(o->strategy));
	read_filters(&o->filters, &config->scheduler);
	config->refresh_min = o->refresh_min;
	config->refresh_max = o->refresh_max;
	config->refresh_on_node = o->refresh_on_node_filter;
	config->refresh_on_name = o->name_refresh_filter;
	config->failure_retry = o->failure_retry;
	for (size_t i = 0; i < o->cluster_opts.n; i++)
		TRY(read_cluster_opt(o->cluster_opts.v[i], config));
	return NULL;
}

struct error *manage_options_read(const struct manage_options *o, struct arena *arena,
				  struct manage_plan *ret)
{
	*ret = (struct manage_plan){ .cors = o->cors };
	TRY(read_tls(o, ret));
	TRY(read_cluster(o, &ret->cluster));
	TRY(limit_options_read(&o->limits, &ret->limits));
	if (o->replication && !o->advertise)
		return error_new(ERR_INVALID,
				 "--replication needs --advertise HOST:PORT beside it");

	ret->n_hosts = o->hosts.n;
	ret->hosts = arena_new_array(arena, struct addr, o->hosts.n);
	for (size_t i = 0; i < o->hosts.n; i++)
		TRY(addr_parse(str_from(o->hosts.v[i]), &ret->hosts[i]));
	return NULL;
}
