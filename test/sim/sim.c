/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a story is told: a process and a virtual loop of its own for each seed, the manager over what
 * engines the story made, and an end in which nothing may be left.
 */
#include "sim/internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/loop.h"
#include "net/dial.h"
#include "net/listener.h"
#include "sim/engine.h"

struct sim *the_sim;
char sim_title[80];

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static void keep_line(enum log_level level, struct str line, void *arg)
{
	struct sim *s = arg;

	if (is_set("SIM_LOG"))
		fprintf(stderr, "# %9.4f %.*s\n", (double)clock_now() / SECOND - 3600,
			STR_ARG(line));
	if (level == LOG_DEBUG)
		return;
	strbuf_add(&s->log, line);
	strbuf_addc(&s->log, '\n');
}

__attribute__((constructor)) static void choose_story(void)
{
	if (is_set("SIM_STORY"))
		cmocka_set_test_filter(getenv("SIM_STORY"));
}

struct cluster_config *sim_config(struct sim *s)
{
	return &s->config;
}

void sim_allow_cors(struct sim *s)
{
	s->cors = true;
}

const struct addr sim_primary_addr = { .kind = ADDR_TCP, .host = "primary", .port = 4000 };

void sim_replicate(struct sim *s)
{
	s->replicated = true;
	s->config.fence = &s->fence;
}

struct fence *sim_fence(struct sim *s)
{
	return &s->fence;
}

struct api *sim_replica(const struct sim *s)
{
	return s->replica;
}

struct api *sim_api(const struct sim *s)
{
	return s->api;
}

/* It knows no nodes: what it answers, the primary has. */
static void start_replica(struct sim *s)
{
	struct api_config config = { .version = "2.0.0", .fence = &s->fence };

	s->replica_cluster = cluster_new(&s->config);
	config.cluster = s->replica_cluster;
	s->replica = api_new(&config);
	s->replica_listener = listener_memory();
	api_listen(s->replica, s->replica_listener);
	api_set_managers_key(s->replica, STR("key"));
	api_set_managers_key(s->api, STR("key"));
	api_pass_on(s->replica, &sim_primary_addr);
	api_serve(s->api);
}

static may_suspend void stop_replica(struct sim *s)
{
	if (!s->replica)
		return;
	api_stop(s->replica);
	cluster_stop(s->replica_cluster);
	api_free(take(s->replica));
	cluster_free(take(s->replica_cluster));
	s->replica_listener = NULL;
}

void sim_begin_manager(struct sim *s, const struct cluster_config *config)
{
	s->cluster = cluster_new(config);
	s->api = api_new(&(struct api_config){
		.version = "2.0.0",
		.cluster = s->cluster,
		.fence = config->fence,
		.cors = s->cors,
	});
	s->listener = listener_memory();
	api_listen(s->api, s->listener);
}

static may_suspend void start_manager(struct sim *s)
{
	sim_begin_manager(s, &s->config);
	if (s->replicated)
		start_replica(s);
	else if (s->config.fence)
		api_serve(s->api);
	sim_discover(s);
}

may_suspend void sim_stop_manager(struct sim *s)
{
	stop_replica(s);
	if (!s->cluster)
		return;
	api_stop(s->api);
	cluster_stop(s->cluster);
	api_free(take(s->api));
	cluster_free(take(s->cluster));
}

may_suspend void sim_discover(struct sim *s)
{
	struct addr *addrs = arena_new_array(&s->arena, struct addr, s->engines.n);
	size_t n = 0;

	for (size_t i = 0; i < s->engines.n; i++) {
		const struct sim_engine *e = s->engines.v[i];

		if (e->listed)
			addrs[n++] = e->addr;
	}
	cluster_set_nodes(s->cluster, addrs, n);
}

/* An engine whose every answer takes seconds is looked at for a minute and more. */
may_suspend void sim_up(struct sim *s)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(10 * MINUTE);

	start_manager(s);
	assert_ok(cluster_wait_settled(s->cluster));
}

may_suspend void sim_restart_manager(struct sim *s)
{
	sim_stop_manager(s);
	sim_up(s);
}

struct engine *sim_node(const struct sim *s, const struct sim_engine *e)
{
	struct engine *node = cluster_engine(s->cluster, str_from(e->addr_text));

	engine_unref(node); /* the cluster's own reference keeps it */
	return node;
}

void sim_step_clock(struct sim *s, int64_t by)
{
	loop_step_virtual_wall(by);
	for (size_t i = 0; i < s->engines.n; i++)
		((struct sim_engine *)s->engines.v[i])->skew -= by;
}

uint64_t sim_seed(const struct sim *s)
{
	return s->seed;
}

struct cluster *sim_cluster(const struct sim *s)
{
	return s->cluster;
}

struct arena *sim_arena(struct sim *s)
{
	return &s->arena;
}

const char *sim_text(struct sim *s, const char *fmt, ...)
{
	va_list args;
	struct str text;

	va_start(args, fmt);
	text = arena_vprintf(&s->arena, fmt, args);
	va_end(args);
	return text.p;
}

may_suspend void sim_run(_unused_ struct sim *s, int64_t span)
{
	assert_ok(fiber_sleep(span));
}

void sim_go(struct sim *s, const char *name, fiber_fn *fn, void *arg)
{
	group_go(&s->fibers, name, fn, arg);
}

may_suspend void sim_join(struct sim *s)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(HOUR);

	assert_ok(group_wait(&s->fibers));
}

may_suspend bool sim_join_within(struct sim *s, int64_t span)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(span);
	struct error *err = group_wait(&s->fibers);

	if (!err)
		return true;
	error_free(err);
	deadline_end(&d);
	group_cancel(&s->fibers);
	sim_join(s);
	return false;
}

struct str sim_log(const struct sim *s)
{
	return strbuf_str(&s->log);
}

bool sim_logged(const struct sim *s, const char *part)
{
	return str_contains(sim_log(s), str_from(part));
}

static struct sim *sim_new(uint64_t seed)
{
	struct sim *s = mem_new(struct sim);

	s->seed = seed;
	cluster_config_default(&s->config);
	fence_open(&s->fence, INT64_MAX);
	if (is_set("SIM_REPLICA"))
		sim_replicate(s);
	log_set_sink(keep_line, s);
	log_set_clock(clock_wall);
	log_set_level(is_set("SIM_LOG") ? LOG_DEBUG : LOG_INFO);
	dial_set_hook(wire_dial, s);
	the_sim = s;
	return s;
}

/* Joins all that runs. What is left then is a fiber that nobody owns, and the loop aborts. */
static may_suspend void sim_free(struct sim *s)
{
	group_finish(&s->fibers);
	clients_fini(s);
	sim_stop_manager(s);
	sim_fault_clear(s);
	for (size_t i = 0; i < s->engines.n; i++)
		sim_heal(s->engines.v[i]);
	for (size_t i = 0; i < s->engines.n; i++)
		sim_stop(s->engines.v[i]);
	group_finish(&s->network);
	for (size_t i = 0; i < s->engines.n; i++)
		sim_engine_free(s->engines.v[i]);
	vec_fini(&s->engines);
	for (size_t i = 0; i < s->registry.n; i++)
		free(s->registry.v[i]);
	vec_fini(&s->registry);
	dial_set_hook(NULL, NULL);
	log_set_sink(NULL, NULL);
	strbuf_fini(&s->log);
	arena_fini(&s->arena);
	the_sim = NULL;
	free(s);
}

struct run {
	sim_main_fn *fn;
	void *arg;
	uint64_t seed;
};

static may_suspend void run_main(void *arg)
{
	const struct run *r = arg;
	struct sim *s = sim_new(r->seed);

	r->fn(s, r->arg);
	sim_free(s);
}

void sim_once(uint64_t seed, sim_main_fn *fn, void *arg)
{
	struct run r = { fn, arg, seed };

	rand_seed(seed);
	loop_run(LOOP_VIRTUAL, run_main, &r);
}

unsigned int sim_stride(void)
{
	uint64_t stride = 1;

	if (is_set("SIM_STRIDE"))
		str_to_u64(str_from(getenv("SIM_STRIDE")), &stride);
	return (unsigned int)MAX(stride, 1);
}

void sim_each_seed(uint64_t seeds, void (*fn)(uint64_t seed, void *arg), void *arg)
{
	uint64_t seed = 0;

	if (is_set("SIM_SEED") && str_to_u64(str_from(getenv("SIM_SEED")), &seed)) {
		fn(seed, arg);
		return;
	}
	if (is_set("SIM_SEEDS"))
		str_to_u64(str_from(getenv("SIM_SEEDS")), &seeds);
	seed = 1;
	if (is_set("SIM_FIRST"))
		str_to_u64(str_from(getenv("SIM_FIRST")), &seed);
	for (; seed <= seeds; seed += sim_stride())
		fn(seed, arg);
}

struct telling {
	const struct story *story;
	uint64_t seed;
	int trace; /* where to write it, or -1 */
};

static void write_trace(const struct sim *s, int to)
{
	dprintf(to, "%.*s", STR_ARG(strbuf_str(&s->log)));
	for (size_t i = 0; i < s->engines.n; i++) {
		const struct sim_engine *e = s->engines.v[i];

		dprintf(to, "%s:\n%.*s", e->name, STR_ARG(strbuf_str(&e->requests)));
	}
}

static may_suspend void tell_story(struct sim *s, void *arg)
{
	const struct telling *t = arg;

	t->story->run(s);
	if (t->trace >= 0)
		write_trace(s, t->trace);
}

static void tell_main(void *arg)
{
	const struct telling *t = arg;

	sim_once(t->seed, tell_story, arg);
}

static void tell(uint64_t seed, void *arg)
{
	struct telling t = { .story = arg, .seed = seed, .trace = -1 };

	sim_apart(t.story->name, seed, tell_main, &t);
}

void sim_tell_seeds(const struct story *story, uint64_t seeds)
{
	sim_each_seed(seeds, tell, (void *)story);
}

void sim_tell_seed(const struct story *story, uint64_t seed)
{
	tell(seed, (void *)story);
}

void sim_tell(void **state)
{
	sim_each_seed(2, tell, *state);
}

void sim_trace(const struct story *story, uint64_t seed, struct strbuf *ret)
{
	struct telling t = { .story = story, .seed = seed };
	FILE *file = tmpfile();
	ssize_t n;

	assert_non_null(file);
	t.trace = fileno(file);
	sim_apart(story->name, seed, tell_main, &t);
	do {
		strbuf_reserve(ret, 64 * KIB);
		n = pread(t.trace, ret->p + ret->n, 64 * KIB, (off_t)ret->n);
		strbuf_extend(ret, n > 0 ? (size_t)n : 0);
	} while (n > 0);
	fclose(file);
}
