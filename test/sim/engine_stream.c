/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container says and hears: logs, attach; and the smaller readers: top, stats, changes,
 * export, archive.
 */
#include "sim/engine.h"

#include "fiber/fiber.h"
#include "net/stream.h"

static struct http_header stream_type(void)
{
	return (struct http_header){ STR("Content-Type"),
				     STR("application/vnd.docker.raw-stream") };
}

may_suspend struct error *serve_container_logs(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	bool follow = http_param_bool(&call->in->url, "follow", false);
	struct http_header type = stream_type();
	size_t done = 0;

	TRY(fake_container_get(call->e, call->name, &c));
	if (!http_param_bool(&call->in->url, "stdout", false) &&
	    !http_param_bool(&call->in->url, "stderr", false))
		return fake_refuse(400, "Bad parameters: you must choose at least one stream");
	TRY(http_reply_begin(call->in, 200, STR(""), &type, 1, -1));
	for (;;) {
		if (done < c->output.n) {
			_cleanup_(strbuf_fini) struct strbuf piece = STRBUF_INIT;

			strbuf_add(&piece,
				   str_first(str_skip(strbuf_str(&c->output), done), 32 * KIB));
			done += piece.n;
			TRY(http_reply_write(call->in, strbuf_str(&piece)));
		} else if (!follow || c->state != C_RUNNING) {
			return http_reply_end(call->in);
		} else {
			TRY(waitq_wait(&c->changed, "output"));
		}
	}
}

struct attach {
	struct sim_container *c;
	struct stream *stream;
	size_t done; /* of the container's output */
	bool to_input;
};

static may_suspend struct error *send_output(struct attach *a)
{
	struct sim_container *c = a->c;

	for (;;) {
		if (a->done < c->output.n) {
			_cleanup_(strbuf_fini) struct strbuf piece = STRBUF_INIT;

			strbuf_add(&piece,
				   str_first(str_skip(strbuf_str(&c->output), a->done), 32 * KIB));
			a->done += piece.n;
			TRY(stream_write(a->stream, strbuf_str(&piece)));
		} else if (c->removed || c->state == C_EXITED) {
			return NULL;
		} else {
			TRY(waitq_wait(&c->changed, "output"));
		}
	}
}

static may_suspend struct error *take_input(struct attach *a)
{
	char piece[4096];
	size_t n = 1;

	while (n > 0) {
		TRY(stream_read(a->stream, piece, sizeof(piece), &n));
		if (!a->to_input)
			continue;
		strbuf_add(&a->c->input, str_of(piece, n));
		a->c->input_ended |= n == 0;
		waitq_wake_all(&a->c->changed);
	}
	return NULL;
}

static may_suspend void take_input_main(void *arg)
{
	error_free(take_input(arg));
}

static may_suspend struct error *begin_hijack(struct sim_call *call)
{
	struct http_header headers[] = {
		stream_type(),
		{ STR("Connection"), STR("Upgrade") },
		{ STR("Upgrade"), STR("tcp") },
	};

	if (str_empty(call->in->head.upgrade))
		return http_reply_upgrade(call->in, 200, STR("OK"), headers, 1);
	return http_reply_upgrade(call->in, 101, STR("UPGRADED"), headers, 3);
}

static may_suspend void join(struct attach *a, struct strbuf *early)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct error *err;

	if (a->to_input && early->n) {
		strbuf_add(&a->c->input, strbuf_str(early));
		waitq_wake_all(&a->c->changed);
	}
	group_go(&g, "attach input", take_input_main, a);
	err = send_output(a);
	if (!err)
		err = stream_shutdown(a->stream);
	error_free(err);
}

may_suspend struct error *serve_container_attach(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *stream = NULL;
	struct attach a;

	TRY(fake_container_get(call->e, call->name, &c));
	if (c->paused)
		return fake_refuse(409,
				   "Container %s is paused, unpause the container before "
				   "attach.",
				   c->id);
	a = (struct attach){
		.c = c,
		.done = http_param_bool(&call->in->url, "logs", false) ? 0 : c->output.n,
		.to_input = c->open_stdin && http_param_bool(&call->in->url, "stdin", false),
	};
	TRY(begin_hijack(call));
	stream = a.stream = http_incoming_hijack(call->in, &early);
	fake_container_event(c, "attach", NULL);
	if (http_param_bool(&call->in->url, "stream", false))
		join(&a, &early);
	return NULL;
}

may_suspend struct error *serve_container_resize(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;

	TRY(fake_container_get(call->e, call->name, &c));
	if (c->state != C_RUNNING)
		return fake_refuse(409, "Container %s is not running", c->id);
	fake_container_event(c, "resize", "\"height\":\"24\",\"width\":\"80\"");
	return fake_reply_empty(call, 200);
}

static may_suspend struct error *reply_text(struct sim_call *call, const char *text)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;

	TRY(fake_container_get(call->e, call->name, &c));
	strbuf_add(&body, str_from(text));
	return fake_reply(call, 200, &body);
}

may_suspend struct error *serve_container_top(struct sim_call *call)
{
	return reply_text(call, "{\"Titles\":[\"PID\",\"CMD\"],\"Processes\":[[\"1\",\"sh\"]]}");
}

may_suspend struct error *serve_container_changes(struct sim_call *call)
{
	return reply_text(call, "[{\"Path\":\"/tmp\",\"Kind\":0}]");
}

may_suspend struct error *serve_container_stats(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	struct http_header type = { STR("Content-Type"), STR("application/json") };
	bool stream = http_param_bool(&call->in->url, "stream", true);

	TRY(fake_container_get(call->e, call->name, &c));
	TRY(http_reply_begin(call->in, 200, STR(""), &type, 1, -1));
	do {
		TRY(http_reply_write(call->in, STR("{\"read\":\"now\",\"pids_stats\":{}}\n")));
		TRY(fiber_sleep(SECOND));
	} while (stream && !c->removed);
	return http_reply_end(call->in);
}

may_suspend struct error *serve_container_export(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	struct http_header type = { STR("Content-Type"), STR("application/x-tar") };

	TRY(fake_container_get(call->e, call->name, &c));
	TRY(http_reply_begin(call->in, 200, STR(""), &type, 1, -1));
	for (int i = 0; i < 20; i++) {
		TRY(http_reply_write(call->in, STR("0123456789abcdef")));
		TRY(fiber_sleep(MILLISECOND));
	}
	return http_reply_end(call->in);
}

may_suspend struct error *serve_container_archive_get(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	struct http_header stat = { STR("X-Docker-Container-Path-Stat"), STR("eyJuYW1lIjoieCJ9") };

	TRY(fake_container_get(call->e, call->name, &c));
	if (str_eq(http_param(&call->in->url, "path"), STR("/missing")))
		return fake_refuse(404, "Could not find the file /missing in container %.*s",
				   STR_ARG(call->name));
	return http_reply(call->in, 200, "application/x-tar", &stat, 1, STR("a tar"));
}

may_suspend struct error *serve_container_archive_put(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	char piece[4096];
	size_t n = 1;

	TRY(fake_container_get(call->e, call->name, &c));
	while (n > 0) {
		TRY(http_incoming_read(call->in, piece, sizeof(piece), &n));
		strbuf_add(&c->output, str_of(piece, n));
	}
	return fake_reply_empty(call, 200);
}
