/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls about images.
 */
#include "base/limits.h"
#include "engine/client.h"
#include "engine/internal.h"
#include "http/url.h"

#define LIST_TIME (60 * SECOND)

may_suspend struct error *engine_call_list_images(struct engine *e, struct arena *arena,
						  struct json *ret)
{
	return client_fetch_json(e,
				 &(struct engine_call){ .method = "GET",
							.path = STR("/images/json?all=1"),
							.time = LIST_TIME,
							.max = LIMIT_ENGINE_REPLY },
				 arena, ret);
}

/* Manifests are for its size as a list has it; engines before 1.48 know no such word. */
may_suspend struct error *engine_call_inspect_image(struct engine *e, struct str name,
						    struct arena *arena, struct json *ret)
{
	return client_inspect(e, STR("/images/"), name, STR("/json?manifests=1"), arena, ret);
}

/* Progress comes with status 200 whatever happens: what went wrong is one of its lines. */
static struct error *error_in_progress(struct str line)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json progress, detail;
	struct str message;

	TRY(json_parse(line, &arena, &progress));
	detail = json_get(progress, "errorDetail");
	message = json_get_str(detail, "message");
	if (str_empty(message))
		message = json_get_str(progress, "error");
	if (str_empty(message))
		return NULL;
	return error_from_status((int)json_get_i64(detail, "code", 500), message);
}

static may_suspend struct error *take_lines(struct strbuf *in, struct json_scan *scan,
					    engine_line_fn *on_line, void *arg)
{
	for (;;) {
		struct error *err;
		struct str line;
		size_t n;

		TRY(error_as(ERR_PROTOCOL, json_scan_value(strbuf_str(in), scan, &n)));
		if (!n)
			break;
		line = str_trim(str_first(strbuf_str(in), n));
		err = error_in_progress(line);
		if (!err && on_line)
			err = on_line(arg, line);
		if (err)
			return err;
		strbuf_consume(in, n);
		*scan = (struct json_scan){ 0 };
	}
	if (in->n > LIMIT_ENGINE_EVENT)
		return error_new(ERR_PROTOCOL, "a line of progress is longer than 1 MiB");
	return NULL;
}

/*
 * What is no line, or half of one, is not passed over: its sender said something else than we
 * heard.
 */
static struct error *check_end(struct str rest)
{
	if (str_empty(str_trim(rest)))
		return NULL;
	return error_new(ERR_PROTOCOL, "the answer does not end in a line of JSON");
}

may_suspend struct error *engine_read_lines(struct http_exchange *x, engine_line_fn *on_line,
					    void *arg)
{
	_cleanup_(strbuf_fini) struct strbuf in = STRBUF_INIT;
	const struct http_response *head;
	struct json_scan scan = { 0 };
	size_t n;

	TRY(http_exchange_response(x, &head));
	if (head->status >= 300)
		return engine_refusal(x);
	for (;;) {
		TRY(client_read(x, &in, &n));
		if (!n)
			return check_end(strbuf_str(&in));
		TRY(take_lines(&in, &scan, on_line, arg));
	}
}

/* Who watches a pull may fail too, which is not the engine's fault. */
struct watcher {
	engine_line_fn *on_line;
	void *arg;
	bool failed;
};

static may_suspend struct error *show_line(void *arg, struct str line)
{
	struct watcher *w = arg;
	struct error *err = w->on_line ? w->on_line(w->arg, line) : NULL;

	w->failed = err != NULL;
	return err;
}

may_suspend struct error *engine_call_pull(struct engine *e, struct api_version version,
					   struct str query, struct str auth,
					   engine_line_fn *on_line, void *arg)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct http_header header = { STR("X-Registry-Auth"), auth };
	struct watcher w = { on_line, arg, false };
	struct error *err;

	strbuf_addf(&path, "/images/create?%.*s", STR_ARG(query));
	err = client_begin(e,
			   &(struct engine_call){ .method = "POST",
						  .path = strbuf_str(&path),
						  .headers = &header,
						  .n_headers = str_empty(auth) ? 0 : 1,
						  .version = version },
			   &x);
	if (!err)
		err = engine_read_lines(x, show_line, &w);
	return w.failed ? err : client_judge(e, err);
}
