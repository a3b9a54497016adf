/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that run: their processes, start and stop and what lies between, wait.
 */
#include "sim/engine.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/rand.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"

/* Output of a process: framed where there is no terminal, as clients get it. */
void fake_container_say(struct sim_container *c, int stream, struct str data)
{
	unsigned char head[8] = { (unsigned char)stream };

	for (int i = 0; i < 4; i++)
		head[4 + i] = (unsigned char)(data.n >> (24 - 8 * i));
	if (!c->tty)
		strbuf_add(&c->output, str_of((const char *)head, sizeof(head)));
	strbuf_add(&c->output, data);
	waitq_wake_all(&c->changed);
}

static may_suspend struct error *pass_time(struct sim_container *c, int64_t span)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(span);

	while (!c->signal) {
		struct error *err = waitq_wait(&c->changed, "a signal");

		if (error_is(err, ERR_TIMEOUT)) {
			error_free(err);
			return NULL;
		}
		TRY(err);
	}
	return NULL;
}

/* "cat": what comes in goes out, until its end. */
static may_suspend struct error *copy_input(struct sim_container *c)
{
	while (!c->signal) {
		if (c->input.n) {
			fake_container_say(c, 1, strbuf_str(&c->input));
			strbuf_reset(&c->input);
		} else if (c->input_ended) {
			return NULL;
		} else {
			TRY(waitq_wait(&c->changed, "input"));
		}
	}
	return NULL;
}

static void say_words(struct sim_container *c)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	for (size_t i = 1; i < c->n_argv; i++)
		strbuf_addf(&text, "%s%.*s", i > 1 ? " " : "", STR_ARG(c->argv[i]));
	strbuf_addc(&text, '\n');
	fake_container_say(c, 1, strbuf_str(&text));
}

static may_suspend struct error *count(struct sim_container *c, int64_t n)
{
	char line[32];

	for (int64_t i = 1; i <= n && !c->signal; i++) {
		snprintf(line, sizeof(line), "line %" PRId64 "\n", i);
		fake_container_say(c, 1, str_from(line));
		TRY(pass_time(c, 100 * MILLISECOND));
	}
	return NULL;
}

static void flood(struct sim_container *c, int64_t kib)
{
	_cleanup_(strbuf_fini) struct strbuf block = STRBUF_INIT;

	for (int64_t i = 0; i < kib; i++) {
		strbuf_reset(&block);
		while (block.n < 1024)
			strbuf_addf(&block, "%07" PRId64 "\n", i);
		fake_container_say(c, 1, str_first(strbuf_str(&block), 1024));
	}
}

/* What the command does: its exit status. */
static may_suspend struct error *run_command(struct sim_container *c, int *ret_status)
{
	struct str command = c->argv[0];
	int64_t n = 0;

	*ret_status = 0;
	if (c->n_argv > 1)
		str_to_i64(c->argv[1], &n);
	if (str_eq(command, STR("sleep")))
		return pass_time(c, n * SECOND);
	if (str_eq(command, STR("cat")))
		return copy_input(c);
	if (str_eq(command, STR("count")))
		return count(c, n);
	if (str_eq(command, STR("echo")))
		say_words(c);
	else if (str_eq(command, STR("flood")))
		flood(c, n);
	else if (str_eq(command, STR("exit")))
		*ret_status = (int)n;
	else
		return pass_time(c, INT64_MAX / 4);
	return pass_time(c, 2 * MILLISECOND);
}

static void die(struct sim_container *c, int status)
{
	char exit_code[40];

	c->state = C_EXITED;
	c->paused = false;
	c->exit_code = status;
	c->finished = fake_clock(c->engine);
	snprintf(exit_code, sizeof(exit_code), "\"exitCode\":\"%d\"", status);
	fake_container_event(c, "die", exit_code);
	fake_event(c->engine, "network", "disconnect", "b0", NULL, "\"name\":\"bridge\"");
	waitq_wake_all(&c->changed);
}

static may_suspend void process_main(void *arg)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = arg;
	unsigned int run = c->run;
	int status = 0;
	struct error *err = run_command(c, &status);

	/* The daemon ended: it is seen to by fake_container_stop_at_once. */
	if (err || c->state != C_RUNNING || c->run != run) {
		error_free(err);
		return;
	}
	die(c, c->signal ? 128 + c->signal : status);
	if (c->auto_remove && !c->removed && !c->removing)
		fake_container_destroy(c);
}

void fake_container_stop_at_once(struct sim_container *c, int exit_code)
{
	if (c->state != C_RUNNING)
		return;
	c->state = C_EXITED;
	c->paused = false;
	c->exit_code = exit_code;
	c->finished = fake_clock(c->engine);
	waitq_wake_all(&c->changed);
}

static bool shares_port(const struct sim_container *a, const struct sim_container *b)
{
	struct json mine = json_field(json_field(a->config, "HostConfig"), "PortBindings");
	struct json theirs = json_field(json_field(b->config, "HostConfig"), "PortBindings");
	struct json_iter it = json_iter(mine);
	struct json bindings;
	struct str spec;

	while (json_type(mine) == JSON_OBJECT && json_next(&it, &spec, &bindings)) {
		struct json_iter other = json_iter(theirs);
		struct str port = json_get_str(json_item(bindings, 0), "HostPort");
		struct json taken;

		while (json_type(theirs) == JSON_OBJECT && json_next(&other, NULL, &taken))
			if (!str_empty(port) &&
			    json_str_eq(json_get(json_item(taken, 0), "HostPort"), port))
				return true;
	}
	return false;
}

static struct error *check_start(const struct sim_container *c)
{
	if (str_eq(c->argv[0], STR("missing")))
		return fake_refuse(400,
				   "failed to create shim task: OCI runtime create failed: exec: "
				   "\"missing\": executable file not found in $PATH: unknown");
	for (size_t i = 0; i < c->engine->containers.n; i++) {
		const struct sim_container *other = c->engine->containers.v[i];

		if (other != c && other->state == C_RUNNING && shares_port(c, other))
			return fake_refuse(500,
					   "driver failed programming external connectivity on "
					   "endpoint %s: port is already allocated",
					   c->name);
	}
	TRY(fake_networks_check(c));
	return NULL;
}

struct error *fake_container_start(struct sim_container *c)
{
	struct error *err = check_start(c);

	if (err) {
		c->state = C_EXITED;
		c->exit_code = error_status(err) == 400 ? 127 : 128;
		return err;
	}
	c->state = C_RUNNING;
	c->paused = false;
	c->signal = 0;
	c->exit_code = 0;
	c->run++;
	c->pid = 1000 + (int)rand_below(30000);
	c->started = fake_clock(c->engine);
	fake_networks_connected(c);
	fake_container_event(c, "start", NULL);
	waitq_wake_all(&c->changed);
	group_go(&c->engine->processes, "container", process_main, fake_container_hold(c));
	return NULL;
}

may_suspend struct error *serve_container_start(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;

	TRY(fake_container_get(call->e, call->name, &c));
	TRY(fake_work(call, 10 * MILLISECOND));
	if (c->removed)
		return fake_refuse(404, "No such container: %.*s", STR_ARG(call->name));
	if (c->state == C_RUNNING)
		return fake_reply_empty(call, 304);
	TRY(fake_container_start(c));
	return fake_reply_empty(call, 204);
}

void fake_container_kill(struct sim_container *c, int signal)
{
	char more[40];

	snprintf(more, sizeof(more), "\"signal\":\"%d\"", signal);
	fake_container_event(c, "kill", more);
	c->signal = signal;
	waitq_wake_all(&c->changed);
}

static may_suspend struct error *stop_and_wait(struct sim_container *c)
{
	fake_container_kill(c, 15);
	while (c->state == C_RUNNING)
		TRY(waitq_wait(&c->changed, "a container's end"));
	if (!c->removed)
		fake_container_event(c, "stop", NULL);
	return NULL;
}

may_suspend struct error *serve_container_stop(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;

	TRY(fake_container_get(call->e, call->name, &c));
	if (c->state != C_RUNNING)
		return fake_reply_empty(call, 304);
	TRY(fake_work(call, 100 * MILLISECOND));
	TRY(stop_and_wait(c));
	return fake_reply_empty(call, 204);
}

static int signal_of(struct str text)
{
	uint64_t number;

	if (str_empty(text))
		return 9;
	if (str_to_u64(text, &number))
		return (int)number;
	text = str_strip_prefix(text, STR("SIG"));
	return str_eq(text, STR("TERM")) ? 15 : str_eq(text, STR("INT")) ? 2 : 9;
}

may_suspend struct error *serve_container_kill(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;

	TRY(fake_container_get(call->e, call->name, &c));
	TRY(fake_work(call, 5 * MILLISECOND));
	if (c->state != C_RUNNING)
		return fake_refuse(409, "Cannot kill container: %.*s: Container %s is not running",
				   STR_ARG(call->name), c->id);
	fake_container_kill(c, signal_of(http_param(&call->in->url, "signal")));
	return fake_reply_empty(call, 204);
}

may_suspend struct error *serve_container_restart(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;

	TRY(fake_container_get(call->e, call->name, &c));
	if (c->state == C_RUNNING)
		TRY(stop_and_wait(c));
	TRY(fake_work(call, 10 * MILLISECOND));
	TRY(fake_container_start(c));
	fake_container_event(c, "restart", NULL);
	return fake_reply_empty(call, 204);
}

static may_suspend struct error *set_paused(struct sim_call *call, bool paused)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;

	TRY(fake_container_get(call->e, call->name, &c));
	if (c->state != C_RUNNING)
		return fake_refuse(409, "Container %s is not running", c->id);
	if (c->paused == paused)
		return fake_refuse(paused ? 409 : 500, "Container %s is %s", c->id,
				   paused ? "already paused" : "not paused");
	c->paused = paused;
	fake_container_event(c, paused ? "pause" : "unpause", NULL);
	return fake_reply_empty(call, 204);
}

may_suspend struct error *serve_container_pause(struct sim_call *call)
{
	return set_paused(call, true);
}

may_suspend struct error *serve_container_unpause(struct sim_call *call)
{
	return set_paused(call, false);
}

static bool is_over(const struct sim_container *c, struct str condition, unsigned int run)
{
	if (str_eq(condition, STR("removed")))
		return c->removed;
	if (str_eq(condition, STR("next-exit")))
		return c->removed || (c->state == C_EXITED && c->run != run);
	return c->removed || c->state != C_RUNNING;
}

may_suspend struct error *serve_container_wait(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	struct http_header type = { STR("Content-Type"), STR("application/json") };
	struct str condition = http_param(&call->in->url, "condition");
	char answer[64];
	unsigned int run;

	TRY(fake_container_get(call->e, call->name, &c));
	if (!str_empty(condition) && !str_eq(condition, STR("removed")) &&
	    !str_eq(condition, STR("next-exit")) && !str_eq(condition, STR("not-running")))
		return fake_refuse(400, "invalid condition: \"%.*s\"", STR_ARG(condition));
	run = c->state == C_RUNNING ? c->run - 1 : c->run;
	TRY(http_reply_begin(call->in, 200, STR(""), &type, 1, -1));
	while (!is_over(c, condition, run))
		TRY(waitq_wait(&c->changed, "a container's end"));
	snprintf(answer, sizeof(answer), "{\"StatusCode\":%d}\n", c->exit_code);
	TRY(http_reply_write(call->in, str_from(answer)));
	return http_reply_end(call->in);
}
