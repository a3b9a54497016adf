/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building, as an engine does it: /build by the classic builder or with a BuildKit session,
 * /session and /grpc as connections that this end talks first on (a session) or answers on (gRPC).
 *
 * What is built is no tar but lines: "sleep N" (milliseconds), "stage" (an image of its own), "from
 * REF", "layer NAME" (an image that the next is made from), "fail". The answer begins with the
 * first piece of the body; the same text, the same image, on each node another.
 */
#include "sim/engine.h"

#include <stdlib.h>

#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "net/stream.h"

/* A connection that BuildKit, or a build, uses; in e->links while it is open. */
struct sim_link {
	char *id; /* of a session; "" of gRPC */
};

struct sim_build {
	char *id;
	bool cancelled;
};

struct fake_build {
	struct sim_call *call;
	struct sim_build *entry;
	struct strbuf context;
	bool buildkit;
	const char *parent; /* of the image made next; NULL: none */
};

static may_suspend struct error *say(struct fake_build *b, const char *member, const char *value)
{
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "{\"%s\":%s}\r\n", member, value);
	if (!http_reply_begun(b->call->in)) {
		struct http_header type = { STR("Content-Type"), STR("application/json") };

		TRY(http_reply_begin(b->call->in, 200, STR(""), &type, 1, -1));
	}
	return http_reply_write(b->call->in, strbuf_str(&line));
}

static may_suspend struct error *read_context(struct fake_build *b)
{
	char piece[4096];
	size_t n = 1;

	while (n > 0) {
		TRY(http_incoming_read(b->call->in, piece, sizeof(piece), &n));
		strbuf_add(&b->context, str_of(piece, n));
		if (n)
			TRY(say(b, "stream", "\"more of the context\""));
	}
	return NULL;
}

static char *make_image(struct fake_build *b, const char *what, const char *tag)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct sim_image *image;
	char *id;

	strbuf_addf(&text, "%s %s %.*s", b->call->e->name, what, STR_ARG(strbuf_str(&b->context)));
	id = fake_image_id_of(text.p);
	image = fake_image_add(b->call->e, id, tag, NULL);
	if (b->parent && !image->parent)
		image->parent = mem_strdup(b->parent);
	return id;
}

static may_suspend struct error *tell_image(struct fake_build *b, const char *id)
{
	const char *extra = b->buildkit ? ",\"id\":\"moby.image.id\"" : "";
	_cleanup_(strbuf_fini) struct strbuf aux = STRBUF_INIT;

	strbuf_addf(&aux, "{\"ID\":\"%s\"}%s", id, extra);
	return say(b, "aux", aux.p);
}

/* In steps, so that a cancelling is noticed. */
static may_suspend struct error *take_time(struct fake_build *b, int64_t milliseconds)
{
	int64_t until = clock_now() + milliseconds * MILLISECOND;

	while (clock_now() < until) {
		TRY(fiber_sleep(10 * MILLISECOND));
		if (b->entry->cancelled)
			return fake_refuse(500, "context canceled");
	}
	return NULL;
}

/* What is made next is made from that image. */
static void stand_on(struct fake_build *b, const char *id)
{
	b->parent = arena_cstr(b->call->arena, str_from(id));
}

static may_suspend struct error *run_line(struct fake_build *b, struct str line)
{
	int64_t n = 0;

	TRY(take_time(b, 5));
	if (str_starts(line, STR("sleep ")) && str_to_i64(str_skip(line, 6), &n))
		return take_time(b, n);
	if (str_eq(line, STR("fail")))
		return fake_refuse(500, "The command 'false' returned a non-zero code: 1");
	if (str_eq(line, STR("stage"))) {
		_cleanup_(mem_freep) char *id = make_image(b, "stage", NULL);

		return tell_image(b, id);
	}
	if (str_starts(line, STR("from ")))
		stand_on(b, fake_image_find(b->call->e, str_skip(line, 5))->id);
	if (str_starts(line, STR("layer "))) {
		_cleanup_(mem_freep) char *id =
			make_image(b, arena_cstr(b->call->arena, line), NULL);

		stand_on(b, id);
	}
	return NULL;
}

static may_suspend struct error *run_all(struct fake_build *b)
{
	struct str rest = strbuf_str(&b->context), line;

	while (str_next(&rest, '\n', &line)) {
		TRY(say(b, "stream", "\"Step\\n\""));
		TRY(run_line(b, str_trim(line)));
	}
	return NULL;
}

static may_suspend struct error *finish(struct fake_build *b)
{
	const struct http_url *url = &b->call->in->url;
	_cleanup_(mem_freep) char *id = make_image(b, "image", NULL);

	TRY(tell_image(b, id));
	TRY(take_time(b, 1));
	for (size_t i = 0; i < url->n_params; i++) {
		char *tag;

		if (!str_eq(url->params[i].name, STR("t")))
			continue;
		tag = arena_cstr(b->call->arena,
				 fake_image_familiar(url->params[i].value, b->call->arena));
		fake_image_add(b->call->e, id, tag, NULL);
		fake_event(b->call->e, "image", "tag", id, "", "\"name\":\"x\"");
	}
	return say(b, "stream", "\"Successfully built\\n\"");
}

static bool has_session(const struct sim_engine *e, struct str id)
{
	for (size_t i = 0; i < e->links.n; i++)
		if (str_eq(str_from(((const struct sim_link *)e->links.v[i])->id), id))
			return true;
	return false;
}

static may_suspend struct error *await_session(struct fake_build *b)
{
	struct str id = http_param(&b->call->in->url, "session");
	int64_t until = clock_now() + 5 * SECOND;

	while (!str_empty(id) && !has_session(b->call->e, id)) {
		if (clock_now() >= until)
			return fake_refuse(500, "no active session for %.*s", STR_ARG(id));
		TRY(take_time(b, 10));
	}
	return NULL;
}

static may_suspend struct error *run_build(struct fake_build *b)
{
	TRY(read_context(b));
	TRY(say(b, "stream", "\"begin\""));
	TRY(await_session(b));
	TRY(run_all(b));
	return finish(b);
}

/* Once it has begun, a failure is the last line of the answer. */
static may_suspend struct error *conclude(struct fake_build *b, struct error *failure)
{
	_cleanup_(error_freep) struct error *err = failure;
	_cleanup_(strbuf_fini) struct strbuf detail = STRBUF_INIT;

	if (err && (!error_status(err) || !http_reply_begun(b->call->in)))
		return take(err);
	if (err) {
		strbuf_addf(&detail, "{\"message\":\"%s\"}", error_message(err));
		TRY(say(b, "errorDetail", detail.p));
	}
	return http_reply_end(b->call->in);
}

may_suspend struct error *serve_build(struct sim_call *call)
{
	const struct http_url *url = &call->in->url;
	struct sim_build *entry = mem_new(struct sim_build);
	struct fake_build b = { .call = call,
				.entry = entry,
				.buildkit = str_eq(http_param(url, "version"), STR("2")) };
	struct error *err;

	entry->id = str_dup(http_param(url, "buildid"));
	vec_push(&call->e->builds, entry);
	err = conclude(&b, run_build(&b));
	vec_remove(&call->e->builds, entry);
	strbuf_fini(&b.context);
	free(entry->id);
	free(entry);
	return err;
}

may_suspend struct error *serve_build_cancel(struct sim_call *call)
{
	struct str id = http_param(&call->in->url, "id");

	for (size_t i = 0; i < call->e->builds.n; i++) {
		struct sim_build *b = call->e->builds.v[i];

		b->cancelled |= str_eq(str_from(b->id), id);
	}
	return fake_reply_empty(call, 200);
}

static may_suspend struct error *echo(struct stream *stream, struct str early)
{
	char piece[4096];
	size_t n = 1;

	if (early.n)
		TRY(stream_write(stream, early));
	while (n > 0) {
		TRY(stream_read(stream, piece, sizeof(piece), &n));
		if (n)
			TRY(stream_write(stream, str_of(piece, n)));
	}
	return stream_shutdown(stream);
}

/* Says what it is and where, then gives back what it hears. */
static may_suspend struct error *serve_link(struct sim_call *call, const char *what, struct str id)
{
	const struct http_header headers[] = {
		{ STR("Connection"), STR("Upgrade") },
		{ STR("Upgrade"), STR("h2c") },
	};
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *stream = NULL;
	struct sim_link *link;
	struct error *err;

	if (!str_eq(call->in->head.upgrade, STR("h2c")))
		return fake_refuse(400, "no upgrade proto in request");
	TRY(http_reply_upgrade(call->in, 101, STR(""), headers, 2));
	stream = http_incoming_hijack(call->in, &early);
	link = mem_new(struct sim_link);
	link->id = str_dup(id);
	vec_push(&call->e->links, link);
	err = stream_write(stream, arena_printf(call->arena, "%s at %s\n", what, call->e->name));
	if (!err)
		err = echo(stream, strbuf_str(&early));
	vec_remove(&call->e->links, link);
	free(link->id);
	free(link);
	return err;
}

may_suspend struct error *serve_session(struct sim_call *call)
{
	return serve_link(call, "session",
			  http_header(&call->in->head.headers, "X-Docker-Expose-Session-Uuid"));
}

may_suspend struct error *serve_grpc(struct sim_call *call)
{
	return serve_link(call, "grpc", STR(""));
}

size_t sim_running_builds(const struct sim_engine *e)
{
	return e->builds.n;
}

size_t sim_build_links(const struct sim_engine *e)
{
	return e->links.n;
}
