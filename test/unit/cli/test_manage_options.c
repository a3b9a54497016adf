/* SPDX-License-Identifier: Apache-2.0 */
/* cli/manage_options.c and cli/tls_options.c */
#include "unit/testing.h"

#include <stdlib.h>

#include "base/duration.h"
#include "cli/manage_options.h"

struct parsed {
	struct arena arena;
	struct manage_options options;
	struct manage_plan plan;
};

static void parsed_fini(struct parsed *p)
{
	arena_fini(&p->arena);
}

static struct error *parse(struct parsed *p, const char *line)
{
	struct str rest = str_from(line), word;
	struct flag_group group = { .flags = manage_flags, .values = &p->options };
	struct texts words;
	char *argv[32] = { 0 };
	int argc = 1;

	*p = (struct parsed){ .arena = ARENA_INIT };
	argv[0] = arena_cstr(&p->arena, STR("manage"));
	while (line[0] != '\0' && str_next(&rest, ' ', &word)) {
		assert_true(argc < 31);
		argv[argc++] = arena_cstr(&p->arena, word);
	}
	TRY(flags_parse(&group, 1, argc, argv, false, &p->arena, &words));
	TRY(flags_complete(&group, 1, &p->arena));
	return manage_options_read(&p->options, &p->arena, &p->plan);
}

static int clear_env(_unused_ void **state)
{
	unsetenv("SWARM_HOST");
	unsetenv("SWARM_ADVERTISE");
	return 0;
}

static void has_the_defaults_of_the_contract(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;
	struct sched_config all;

	sched_config_default(&all);
	assert_ok(parse(&p, ""));
	assert_int_equal(p.plan.n_hosts, 1);
	assert_int_equal(p.plan.hosts[0].kind, ADDR_TCP);
	assert_string_equal(p.plan.hosts[0].host, "127.0.0.1");
	assert_int_equal(p.plan.hosts[0].port, 2375);
	assert_string_equal(sched_strategy_name(p.plan.cluster.scheduler.strategy), "spread");
	assert_memory_equal(p.plan.cluster.scheduler.filters, all.filters, sizeof(all.filters));
	assert_true(p.plan.cluster.scheduler.overcommit == 0.05);
	assert_int_equal(p.plan.cluster.cpushares, CPUSHARES_AUTO);
	assert_int_equal(p.plan.cluster.create_retry, 0);
	assert_int_equal(p.plan.cluster.create_limit, 16);
	assert_false(p.plan.cluster.compat);
	assert_int_equal(p.plan.cluster.refresh_min, 30 * SECOND);
	assert_int_equal(p.plan.cluster.refresh_max, 60 * SECOND);
	assert_int_equal(p.plan.cluster.failure_retry, 3);
	assert_int_equal(p.options.heartbeat, 60 * SECOND);
	assert_int_equal(p.options.replication_ttl, 20 * SECOND);
	assert_false(p.plan.cors);
	assert_false(p.plan.cluster.refresh_on_node);
	assert_null(p.plan.cluster.refresh_on_name);
	assert_false(p.plan.tls);
}

static void reads_hosts(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;

	assert_ok(parse(&p, "-H tcp://10.0.0.1:1 -H :2 --host 10.0.0.3:3 -H [::1]:4 "
			    "-H unix:///run/x.sock -H fd://"));
	assert_int_equal(p.plan.n_hosts, 6);
	assert_string_equal(p.plan.hosts[0].host, "10.0.0.1");
	assert_string_equal(p.plan.hosts[1].host, "");
	assert_int_equal(p.plan.hosts[2].port, 3);
	assert_string_equal(p.plan.hosts[3].host, "::1");
	assert_int_equal(p.plan.hosts[4].kind, ADDR_UNIX);
	assert_string_equal(p.plan.hosts[4].path, "/run/x.sock");
	assert_int_equal(p.plan.hosts[5].kind, ADDR_FD);
}

static void reads_the_cluster(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;
	const struct cluster_config *c = &p.plan.cluster;

	assert_ok(parse(&p, "--strategy binpack -f constraint -f health --filter constraint "
			    "--engine-refresh-min-interval 1s --engine-refresh-max-interval 1s "
			    "--engine-failure-retry 5 --cors --refresh-on-node-filter "
			    "--container-name-refresh-filter web"));
	assert_string_equal(sched_strategy_name(c->scheduler.strategy), "binpack");
	assert_string_equal(sched_filter_name(c->scheduler.filters[0]), "constraint");
	assert_string_equal(sched_filter_name(c->scheduler.filters[1]), "health");
	assert_null(c->scheduler.filters[2]);
	assert_int_equal(c->refresh_min, SECOND);
	assert_int_equal(c->refresh_max, SECOND);
	assert_int_equal(c->failure_retry, 5);
	assert_true(p.plan.cors);
	assert_true(c->refresh_on_node);
	assert_string_equal(c->refresh_on_name, "web");
	parsed_fini(&p);

	/* As scripts for the original write it. */
	assert_ok(parse(&p, "-cluster-opt swarm.overcommit=-0.5 -cluster-opt swarm.createretry=2 "
			    "-cluster-opt swarm.createlimit=4 "
			    "-cluster-opt swarm.compat=1.2 -cluster-opt swarm.cpushares=weight "
			    "-c swarm"));
	assert_true(c->scheduler.overcommit == -0.5);
	assert_int_equal(c->create_retry, 2);
	assert_int_equal(c->create_limit, 4);
	assert_true(c->compat);
	assert_int_equal(c->cpushares, CPUSHARES_WEIGHT);
}

static void reads_limits(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;

	assert_ok(parse(&p, ""));
	assert_memory_equal(&p.plan.limits, &api_limits_default, sizeof(api_limits_default));
	parsed_fini(&p);
	assert_ok(parse(&p, "--limit connections=50 --limit requests=2 --limit head-time=3s "
			    "--limit idle-time=1m30s --limit requests=7"));
	assert_int_equal(p.plan.limits.http.connections, 50);
	assert_int_equal(p.plan.limits.client_requests, 7);
	assert_int_equal(p.plan.limits.http.head_time, 3 * SECOND);
	assert_int_equal(p.plan.limits.http.idle_time, 90 * SECOND);
}

static void reads_tls(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;

	assert_ok(parse(&p, "--tls --tlscert c --tlskey k"));
	assert_true(p.plan.tls);
	assert_false(p.plan.server_tls.verify);
	assert_string_equal(p.plan.server_tls.cert, "c");
	assert_string_equal(p.plan.engine_tls.key, "k");
	parsed_fini(&p);

	assert_ok(parse(&p, "--tlsverify --tlscacert a --tlscert c --tlskey k "
			    "--engine-tlscert ec --engine-tlskey ek"));
	assert_true(p.plan.server_tls.verify && p.plan.engine_tls.verify);
	assert_string_equal(p.plan.server_tls.ca, "a");
	assert_string_equal(p.plan.server_tls.cert, "c");
	assert_string_equal(p.plan.engine_tls.ca, "a");
	assert_string_equal(p.plan.engine_tls.cert, "ec");
	assert_string_equal(p.plan.engine_tls.key, "ek");
	parsed_fini(&p);

	assert_ok(parse(&p, "--tlsverify --tlscacert a --tlscert c --tlskey k "
			    "--engine-tlscacert ea"));
	assert_string_equal(p.plan.server_tls.ca, "a");
	assert_string_equal(p.plan.engine_tls.ca, "ea");
	assert_string_equal(p.plan.engine_tls.cert, "c");
}

static void refuses(_unused_ void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "-H nowhere", "--host takes tcp://ip:port, :port, ip:port, [v6]:port, "
				"unix:///path or fd://, not \"nowhere\": " },
		{ "-H http://a:1", "not \"http://a:1\": " },
		{ "-H unix://relative", "not \"unix://relative\": " },
		{ "--strategy best", "--strategy takes spread, binpack or random, not \"best\"" },
		{ "--filter best", "--filter takes health, port, containerslots, dependency, "
				   "affinity, constraint or whitelist, not \"best\"" },
		{ "--advertise :2375", "--advertise takes host:port, not \":2375\"" },
		{ "--addr host", "--advertise takes host:port, not \"host\"" },
		{ "--heartbeat 500ms", "--heartbeat takes a duration such as 1m30s, at least 1s" },
		{ "--engine-failure-retry 0", "--engine-failure-retry takes a whole number" },
		{ "--engine-refresh-min-interval 0s", "at least 1ms, not \"0s\"" },
		{ "-c mesos-experimental", "--cluster-driver takes swarm, not" },
		{ "--cluster-opt x", "--cluster-opt takes swarm.overcommit, swarm.createretry, "
				     "swarm.createlimit, swarm.compat or "
				     "swarm.cpushares=value, not \"x\"" },
		{ "--cluster-opt x=1", "there is no option x" },
		{ "--cluster-opt swarm.overcommit=-1", "a number above -1, such as 0.05" },
		{ "--cluster-opt swarm.overcommit=nan", "a number above -1" },
		{ "--cluster-opt swarm.overcommit=inf", "a number above -1" },
		{ "--cluster-opt swarm.overcommit=", "a number above -1" },
		{ "--cluster-opt swarm.overcommit=5%", "a number above -1" },
		{ "--cluster-opt swarm.createretry=-1", "swarm.createretry is a whole number" },
		{ "--limit head-time=0s", "it is a span from 1s to 24h" },
		{ "--limit connections=0", "it is a whole number from 1 to 1000000" },
		{ "--limit memory=1", "there is no limit memory" },
		{ "--limit requests", "there is no =" },
		{ "--cluster-opt swarm.createlimit=0",
		  "swarm.createlimit is a whole number, 1 to" },
		{ "--cluster-opt swarm.compat=1.1", "swarm.compat can only be 1.2" },
		{ "--cluster-opt swarm.cpushares=x", "swarm.cpushares is auto, cores or weight" },
		{ "--discovery-opt x", "--discovery-opt takes an option of the discovery as "
				       "key=value, not \"x\"" },

		{ "--engine-refresh-min-interval 61s",
		  "--engine-refresh-max-interval is shorter than --engine-refresh-min-interval" },
		{ "--replication", "--replication needs --advertise HOST:PORT beside it" },
		{ "--tlscert c", "--tlscert needs --tls or --tlsverify beside it" },
		{ "--tlskey k", "--tlskey needs --tls or --tlsverify beside it" },
		{ "--tlscacert a", "--tlscacert needs --tls or --tlsverify beside it" },
		{ "--engine-tlscert a --engine-tlskey k", "--engine-tlscert needs --tls or" },
		{ "--engine-tlscacert a", "--engine-tlscacert needs --tls or --tlsverify" },
		{ "--tls", "--tls needs --tlscert FILE beside it" },
		{ "--tls --tlscert c", "--tls needs --tlskey FILE beside it" },
		{ "--tls --tlskey k", "--tls needs --tlscert FILE beside it" },
		{ "--tlsverify --tlscert c --tlskey k", "--tlsverify needs --tlscacert FILE" },
		{ "--tlsverify --tlscacert a", "--tlsverify needs --tlscert FILE beside it" },
		{ "--tls --tlscert c --tlskey k --engine-tlscert e",
		  "--engine-tlscert FILE needs --engine-tlskey FILE beside it" },
		{ "--tls --tlscert c --tlskey k --engine-tlskey e",
		  "--engine-tlskey FILE needs --engine-tlscert FILE beside it" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(parsed_fini) struct parsed p;

		assert_err(parse(&p, cases[i].line), ERR_INVALID, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_defaults_of_the_contract),
		cmocka_unit_test(reads_hosts),
		cmocka_unit_test(reads_the_cluster),
		cmocka_unit_test(reads_limits),
		cmocka_unit_test(reads_tls),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, clear_env, NULL);
}
