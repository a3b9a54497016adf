/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a story is told: a process and a virtual loop of its own for each seed, the manager over what
 * engines the story made, and an end in which nothing may be left.
 */
#include "sim/internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
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

/* Of real time: a story takes a fraction of a second. */
#define PATIENCE  240
#define LOG_SHOWN (4 * KIB)

struct sim *the_sim;

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

/* ---- the manager ---- */

struct cluster_config *sim_config(struct sim *s)
{
	return &s->config;
}

static may_suspend void start_manager(struct sim *s)
{
	struct api_config config = { .version = "2.0.0" };

	s->cluster = cluster_new(&s->config);
	config.cluster = s->cluster;
	s->api = api_new(&config);
	s->listener = listener_memory();
	api_listen(s->api, s->listener);
	sim_discover(s);
}

static may_suspend void stop_manager(struct sim *s)
{
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

may_suspend void sim_up(struct sim *s)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(MINUTE);

	start_manager(s);
	assert_ok(cluster_wait_settled(s->cluster));
}

may_suspend void sim_restart_manager(struct sim *s)
{
	stop_manager(s);
	sim_up(s);
}

struct engine *sim_node(const struct sim *s, const struct sim_engine *e)
{
	struct engine *node = cluster_engine(s->cluster, str_from(e->addr_text));

	engine_unref(node); /* the cluster's own reference keeps it */
	return node;
}

/* ---- small things ---- */

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

struct str sim_log(const struct sim *s)
{
	return strbuf_str(&s->log);
}

bool sim_logged(const struct sim *s, const char *part)
{
	return str_contains(sim_log(s), str_from(part));
}

/* ---- telling ---- */

static struct sim *sim_new(uint64_t seed)
{
	struct sim *s = mem_new(struct sim);

	s->seed = seed;
	cluster_config_default(&s->config);
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
	stop_manager(s);
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

struct telling {
	const struct story *story;
	uint64_t seed;
	FILE *trace; /* NULL: none is wanted */
};

static void write_trace(const struct sim *s, FILE *to)
{
	fprintf(to, "%.*s", STR_ARG(strbuf_str(&s->log)));
	for (size_t i = 0; i < s->engines.n; i++) {
		const struct sim_engine *e = s->engines.v[i];

		fprintf(to, "%s:\n%.*s", e->name, STR_ARG(strbuf_str(&e->requests)));
	}
}

static may_suspend void tell_main(void *arg)
{
	const struct telling *t = arg;
	struct sim *s = sim_new(t->seed);

	t->story->run(s);
	if (t->trace)
		write_trace(s, t->trace);
	sim_free(s);
}

/* What the manager had to say, where the story ends in an assertion. */
static void show_log(_unused_ int signal)
{
	if (!the_sim)
		return;

	struct str log = strbuf_str(&the_sim->log);

	log = str_skip(log, log.n > LOG_SHOWN ? log.n - LOG_SHOWN : 0);
	fprintf(stderr, "# at %.4f s the manager's log says:\n%.*s",
		(double)clock_now() / SECOND - 3600, STR_ARG(log));
}

static void out_of_patience(_unused_ int signal)
{
	struct strbuf fibers = STRBUF_INIT;

	fiber_dump(&fibers);
	fprintf(stderr, "# not done after %d s:\n%s", PATIENCE, fibers.p ? fibers.p : "");
	abort();
}

_noreturn_ static void tell_here(struct telling *t)
{
	/* A failed assertion must not jump from a fiber's stack back into the test runner. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	setenv("CMOCKA_MESSAGE_OUTPUT", "STDOUT", 1);
	signal(SIGABRT, show_log);
	signal(SIGALRM, out_of_patience);
	alarm(PATIENCE);
	rand_seed(t->seed);
	loop_run(LOOP_VIRTUAL, tell_main, t);
	if (t->trace)
		fclose(t->trace);
	exit(0);
}

static pid_t tell_apart(struct telling *t)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		tell_here(t);
	if (pid < 0)
		fail_msg("cannot fork for %s", t->story->name);
	return pid;
}

static void await_end(const struct story *story, uint64_t seed, pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		fail_msg("cannot wait for %s", story->name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	fail_msg("%s failed (%s %d); again: SIM_SEED=%llu", story->name,
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 (unsigned long long)seed);
}

static void tell_once(const struct story *story, uint64_t seed)
{
	struct telling t = { .story = story, .seed = seed };

	await_end(story, seed, tell_apart(&t));
}

void sim_trace(const struct story *story, uint64_t seed, struct strbuf *ret)
{
	struct telling t = { .story = story, .seed = seed };
	int ends[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	t.trace = fdopen(ends[1], "w");
	pid = tell_apart(&t);
	fclose(t.trace);
	do {
		strbuf_reserve(ret, 64 * KIB);
		n = read(ends[0], ret->p + ret->n, 64 * KIB);
		strbuf_extend(ret, n > 0 ? (size_t)n : 0);
	} while (n > 0);
	close(ends[0]);
	await_end(story, seed, pid);
}

void sim_tell(void **state)
{
	const struct story *story = *state;
	uint64_t seed = 0, seeds = 2;

	if (is_set("SIM_SEED") && str_to_u64(str_from(getenv("SIM_SEED")), &seed)) {
		tell_once(story, seed);
		return;
	}
	if (is_set("SIM_SEEDS"))
		str_to_u64(str_from(getenv("SIM_SEEDS")), &seeds);
	for (seed = 1; seed <= seeds; seed++)
		tell_once(story, seed);
}
