/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execs: "cat" answers what it hears until its input ends, "echo WORD" says it, "exit N" ends so,
 * "sleep N" says nothing for so long.
 */
#include "sim/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fiber/fiber.h"
#include "net/stream.h"

static void exec_free(struct sim_exec *x)
{
	fake_container_release(x->container);
	strbuf_fini(&x->config);
	free(x->id);
	free(x);
}

void fake_execs_fini(struct sim_engine *e)
{
	struct sim_exec *x;

	while ((x = vec_pop(&e->execs)))
		exec_free(x);
}

static struct error *exec_get(const struct sim_engine *e, struct str id, struct sim_exec **ret)
{
	for (size_t i = 0; i < e->execs.n; i++) {
		*ret = e->execs.v[i];
		if (str_eq(str_from((*ret)->id), id))
			return NULL;
	}
	return fake_refuse(404, "No such exec instance: %.*s", STR_ARG(id));
}

may_suspend struct error *serve_exec_create(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct sim_exec *x;
	struct json body;

	TRY(fake_container_get(call->e, call->name, &c));
	TRY(fake_read_json(call, &body));
	if (c->state != C_RUNNING)
		return fake_refuse(409, "Container %s is not running", c->id);
	if (c->paused)
		return fake_refuse(409, "Container %s is paused, unpause the container before exec",
				   c->id);
	x = mem_new(struct sim_exec);
	x->id = fake_draw_id();
	x->container = fake_container_hold(c);
	strbuf_add(&x->config, json_raw(body));
	vec_push(&call->e->execs, x);
	fake_container_event(c, "serve_exec_create: sh", NULL);
	strbuf_addf(&text, "{\"Id\":\"%s\"}", x->id);
	return fake_reply(call, 201, &text);
}

struct exec_io {
	struct sim_exec *exec;
	struct stream *stream; /* NULL: detached */
	bool tty;
};

static may_suspend struct error *say(struct exec_io *io, struct str data)
{
	unsigned char head[8] = { 1 };

	for (int i = 0; i < 4; i++)
		head[4 + i] = (unsigned char)(data.n >> (24 - 8 * i));
	if (!io->stream)
		return NULL;
	if (io->tty)
		return stream_write(io->stream, data);
	return stream_writev(io->stream,
			     (struct str[]){ str_of((const char *)head, sizeof(head)), data }, 2);
}

static may_suspend struct error *echo_input(struct exec_io *io, struct str early)
{
	char piece[4096];
	size_t n = 1;

	if (early.n)
		TRY(say(io, early));
	while (io->stream && n > 0) {
		TRY(stream_read(io->stream, piece, sizeof(piece), &n));
		if (n)
			TRY(say(io, str_of(piece, n)));
	}
	return NULL;
}

static may_suspend struct error *run_exec(struct exec_io *io, struct json command, struct str early)
{
	struct str name = json_str(json_item(command, 0)), word = json_str(json_item(command, 1));
	int64_t n = 0;

	str_to_i64(word, &n);
	if (str_eq(name, STR("cat")))
		return echo_input(io, early);
	if (str_eq(name, STR("echo")))
		return say(io, word);
	if (str_eq(name, STR("sleep")))
		return fiber_sleep(n * SECOND);
	io->exec->exit_code = (int)n;
	return NULL;
}

static may_suspend struct error *run_to_end(struct exec_io *io, struct json config,
					    struct str early)
{
	struct error *err;
	char more[40];

	io->exec->running = true;
	fake_container_event(io->exec->container, "serve_exec_start: sh", NULL);
	err = run_exec(io, json_field(config, "Cmd"), early);
	if (!err && io->stream)
		err = stream_shutdown(io->stream);
	io->exec->running = false;
	snprintf(more, sizeof(more), "\"exitCode\":\"%d\"", io->exec->exit_code);
	fake_container_event(io->exec->container, "exec_die", more);
	return err;
}

static may_suspend struct error *attach_exec(struct sim_call *call, struct exec_io *io,
					     struct json config)
{
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *stream = NULL;
	struct http_header headers[] = {
		{ STR("Content-Type"), STR("application/vnd.docker.raw-stream") },
		{ STR("Connection"), STR("Upgrade") },
		{ STR("Upgrade"), STR("tcp") },
	};
	bool upgrade = !str_empty(call->in->head.upgrade);

	TRY(http_reply_upgrade(call->in, upgrade ? 101 : 200, upgrade ? STR("UPGRADED") : STR("OK"),
			       headers, upgrade ? 3 : 1));
	stream = io->stream = http_incoming_hijack(call->in, &early);
	return run_to_end(io, config, strbuf_str(&early));
}

may_suspend struct error *serve_exec_start(struct sim_call *call)
{
	struct exec_io io = { 0 };
	struct json body, config;

	TRY(exec_get(call->e, call->name, &io.exec));
	TRY(fake_read_json(call, &body));
	TRY(json_parse(strbuf_str(&io.exec->config), call->arena, &config));
	if (io.exec->started)
		return fake_refuse(409, "Error: Exec command %s is already running", io.exec->id);
	if (io.exec->container->state != C_RUNNING)
		return fake_refuse(409, "Container %s is not running", io.exec->container->id);
	io.exec->started = true;
	io.tty = json_is_true(json_field(body, "Tty"));
	if (!json_is_true(json_field(body, "Detach")))
		return attach_exec(call, &io, config);
	TRY(run_to_end(&io, config, STR("")));
	return fake_reply_empty(call, 200);
}

may_suspend struct error *serve_exec_inspect(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct sim_exec *x = NULL;

	TRY(exec_get(call->e, call->name, &x));
	json_begin_object(&o);
	json_put_str(&o, "ID", str_from(x->id));
	json_put_bool(&o, "Running", x->running);
	if (x->started && !x->running)
		json_put_i64(&o, "ExitCode", x->exit_code);
	else
		json_put_raw(&o, "ExitCode", STR("null"));
	json_put_str(&o, "ContainerID", str_from(x->container->id));
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

may_suspend struct error *serve_exec_resize(struct sim_call *call)
{
	struct sim_exec *x = NULL;

	TRY(exec_get(call->e, call->name, &x));
	if (!x->running)
		return fake_refuse(409, "exec %s is not running", x->id);
	return fake_reply_empty(call, 200);
}
