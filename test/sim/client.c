/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker clients: requests to the manager's API over connections in memory, through the real
 * HTTP client. What they get lives as long as the story.
 */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "net/listener.h"

#define DEFAULT_CLIENT "192.168.0.1"
#define REPLY_MAX      (256 * MIB)
/* No single request takes longer; a reply that never comes fails the story. */
#define REPLY_TIME (20 * MINUTE)

struct sim_stream {
	struct sim *sim;
	struct http_exchange *exchange;
	const struct http_response *head;
	struct strbuf in;
	size_t taken; /* of `in` */
	bool ended, broke;
};

struct stream *client_connect(struct sim *s, const char *address)
{
	struct listener *l = s->replica_listener ? s->replica_listener : s->listener;

	return listener_connect(l, sim_text(s, "%s:40000", address));
}

struct stream *sim_connect(struct sim *s, const char *client)
{
	return client_connect(s, client);
}

static struct http_client *client_at(struct sim *s, const char *address)
{
	struct sim_client *c;
	struct addr a = { .kind = ADDR_TCP, .port = 4000 };

	for (size_t i = 0; i < s->clients.n; i++) {
		c = s->clients.v[i];
		if (strcmp(c->address, address) == 0)
			return c->http;
	}
	snprintf(a.host, sizeof(a.host), "client-%s", address);
	c = mem_new(struct sim_client);
	c->address = sim_text(s, "%s", address);
	c->http = http_client_new(&a, NULL);
	vec_push(&s->clients, c);
	return c->http;
}

static void stream_end(struct sim_stream *st)
{
	http_exchange_free(take(st->exchange));
}

void clients_fini(struct sim *s)
{
	for (size_t i = 0; i < s->streams.n; i++) {
		struct sim_stream *st = s->streams.v[i];

		stream_end(st);
		strbuf_fini(&st->in);
		free(st);
	}
	vec_fini(&s->streams);
	for (size_t i = 0; i < s->hijacks.n; i++)
		sim_hijack_close(s->hijacks.v[i]);
	vec_fini(&s->hijacks);
	for (size_t i = 0; i < s->clients.n; i++) {
		struct sim_client *c = s->clients.v[i];

		http_client_unref(c->http);
		free(c);
	}
	vec_fini(&s->clients);
}

static size_t count_headers(const struct http_header *headers)
{
	size_t n = 0;

	while (headers && headers[n].name.p)
		n++;
	return n;
}

/* With the type that goes with a body in front. In the arena. */
static void fill_call(struct sim *s, struct http_call *call, const char *method, const char *path,
		      const char *body, const struct http_header *headers)
{
	size_t n = count_headers(headers);
	struct http_header *all = arena_new_array(&s->arena, struct http_header, n + 1);

	*call = (struct http_call){ .method = str_from(method),
				    .target = str_from(path),
				    .headers = all,
				    .body = body ? str_from(body) : STR("") };
	for (size_t i = 0; i < n; i++)
		all[call->n_headers++] = headers[i];
	if (body)
		all[call->n_headers++] =
			(struct http_header){ STR("Content-Type"), STR("application/json") };
}

/* Does the reader of a reply the favour of finding its JSON. */
static void read_json(struct sim *s, struct sim_reply *r)
{
	struct error *err = NULL;

	if (str_empty(r->body))
		return;
	err = json_parse(r->body, &s->arena, &r->json);
	if (err)
		r->json = (struct json){ 0 };
	error_free(err);
}

may_suspend struct sim_reply sim_request_as(struct sim *s, const char *client, const char *method,
					    const char *path, const char *body,
					    const struct http_header *headers)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(REPLY_TIME);
	_cleanup_(error_freep) struct error *err = NULL;
	struct sim_reply r = { 0 };
	struct http_result result;
	struct http_call call;

	fill_call(s, &call, method, path, body, headers);
	err = http_fetch(client_at(s, client), &call, REPLY_MAX, &s->arena, &result);
	if (err) {
		r.body = arena_dup(&s->arena, str_from(error_message(err)));
		if (error_is(err, ERR_TIMEOUT) && deadline_passed(&d))
			fail_msg("%s %s: no reply", method, path);
		return r;
	}
	r.status = result.head.status;
	r.headers = result.head.headers;
	r.body = result.body;
	read_json(s, &r);
	return r;
}

may_suspend struct sim_reply sim_request(struct sim *s, const char *method, const char *path,
					 const char *body)
{
	return sim_request_as(s, DEFAULT_CLIENT, method, path, body, NULL);
}

may_suspend struct sim_reply sim_get(struct sim *s, const char *path)
{
	return sim_request(s, "GET", path, NULL);
}

may_suspend struct sim_reply sim_post(struct sim *s, const char *path, const char *body)
{
	return sim_request(s, "POST", path, body);
}

may_suspend struct sim_reply sim_delete(struct sim *s, const char *path)
{
	return sim_request(s, "DELETE", path, NULL);
}

void check_status(const struct sim_reply *r, int status, const char *file, int line)
{
	if (r->status == status)
		return;
	print_error("status %d and not %d: %.*s\n", r->status, status,
		    STR_ARG(str_first(r->body, 2000)));
	_fail(file, line);
}

void check_refused(const struct sim_reply *r, int status, const char *part, const char *file,
		   int line)
{
	struct str type = http_header(&r->headers, "Content-Type");
	struct str message = json_get_str(r->json, "message");

	check_status(r, status, file, line);
	if (str_eq(type, STR("application/json")) && json_count(r->json) == 1 &&
	    !str_empty(message) && str_contains(message, str_from(part)))
		return;
	print_error("no clear error with \"%s\": %.*s: %.*s\n", part, STR_ARG(type),
		    STR_ARG(str_first(r->body, 2000)));
	_fail(file, line);
}

const char *sim_message(const struct sim_reply *r)
{
	struct str message = json_get_str(r->json, "message");

	return arena_cstr(&the_sim->arena, message.p ? message : r->body);
}

const char *sim_string(struct sim *s, const struct sim_reply *r, const char *path)
{
	return arena_cstr(&s->arena, json_str(json_path(r->json, path)));
}

may_suspend const char *sim_create(struct sim *s, const char *name, const char *body)
{
	const char *path =
		name ? sim_text(s, "/containers/create?name=%s", name) : "/containers/create";
	struct sim_reply r = sim_post(s, path, body ? body : "{\"Image\":\"busybox\"}");

	assert_status(r, 201);
	return sim_string(s, &r, "Id");
}

may_suspend const char *sim_run_container(struct sim *s, const char *name, const char *body)
{
	const char *id = sim_create(s, name, body);

	assert_status(sim_post(s, sim_text(s, "/containers/%s/start", id), NULL), 204);
	return id;
}

may_suspend const char *sim_node_of(struct sim *s, const char *container)
{
	struct sim_reply r = sim_get(s, sim_text(s, "/containers/%s/json", container));

	assert_status(r, 200);
	return sim_string(s, &r, "Node.Name");
}

/* "  └ Status" follows " n1" in SystemStatus. */
may_suspend const char *sim_info_line(struct sim *s, const char *node, const char *key)
{
	struct sim_reply r = sim_get(s, "/info");
	struct json_iter it;
	struct json row;
	bool here = false;

	assert_status(r, 200);
	it = json_iter(json_get(r.json, "SystemStatus"));
	while (json_next(&it, NULL, &row)) {
		struct str left = str_trim(json_str(json_item(row, 0)));
		struct str right = json_str(json_item(row, 1));

		if (!str_starts(left, STR("\xe2\x94\x94")))
			here = str_eq(left, str_from(node)) || str_eq(right, str_from(node));
		else if (here && str_ends(left, str_from(key)))
			return arena_cstr(&s->arena, right);
	}
	return "";
}

may_suspend struct sim_stream *sim_open(struct sim *s, const char *method, const char *path,
					const char *body)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(REPLY_TIME);
	struct sim_stream *st = mem_new(struct sim_stream);
	struct http_call call;

	st->sim = s;
	vec_push(&s->streams, st);
	fill_call(s, &call, method, path, body, NULL);
	assert_ok(http_exchange_begin(client_at(s, DEFAULT_CLIENT), &call, &st->exchange));
	assert_ok(http_exchange_response(st->exchange, &st->head));
	return st;
}

int sim_stream_status(const struct sim_stream *st)
{
	return st->head->status;
}

const struct http_headers *sim_stream_headers(const struct sim_stream *st)
{
	return &st->head->headers;
}

bool sim_stream_ended(const struct sim_stream *st)
{
	return st->ended;
}

bool sim_stream_broke(const struct sim_stream *st)
{
	return st->broke;
}

void sim_close(struct sim_stream *st)
{
	stream_end(st);
	st->ended = true;
}

/* False where nothing came in time, or nothing will. */
static may_suspend bool read_more(struct sim_stream *st, int64_t span)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(span);
	struct error *err;
	size_t n = 0;

	if (st->ended || st->broke)
		return false;
	strbuf_reserve(&st->in, 16 * KIB);
	err = http_exchange_read(st->exchange, st->in.p + st->in.n, 16 * KIB, &n);
	if (error_is(err, ERR_TIMEOUT)) {
		error_free(err);
		return false;
	}
	st->ended = !err && n == 0;
	st->broke = err != NULL;
	error_free(err);
	strbuf_extend(&st->in, n);
	return n > 0;
}

may_suspend struct str sim_next_line(struct sim_stream *st, int64_t span)
{
	int64_t until = clock_now() + span;

	for (;;) {
		struct str rest = str_skip(strbuf_str(&st->in), st->taken);
		ptrdiff_t end = str_find_char(rest, '\n');

		if (end >= 0) {
			st->taken += (size_t)end + 1;
			return arena_dup(&st->sim->arena, str_trim(str_first(rest, (size_t)end)));
		}
		if (!read_more(st, until - clock_now()))
			return STR_NONE;
	}
}

static void write_hijack(const char *path, const char *body, bool upgrade, const char *early,
			 struct strbuf *out)
{
	strbuf_addf(out, "POST %s HTTP/1.1\r\nHost: manager\r\n", path);
	if (upgrade)
		strbuf_add(out, STR("Connection: Upgrade\r\nUpgrade: tcp\r\n"));
	if (body)
		strbuf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			    strlen(body), body);
	else
		strbuf_add(out, STR("Content-Type: text/plain\r\n\r\n"));
	if (early)
		strbuf_add(out, str_from(early));
}

/* A cancelled client has ended; one that only ran out of time may read on. */
static may_suspend void hijack_read(struct sim_hijack *h)
{
	struct error *err;
	size_t n = 0;

	strbuf_reserve(&h->in, 16 * KIB);
	err = stream_read(h->stream, h->in.p + h->in.n, 16 * KIB, &n);
	if (error_is(err, ERR_TIMEOUT)) {
		error_free(err);
		return;
	}
	h->ended = n == 0;
	h->broke = err != NULL;
	error_free(err);
	strbuf_extend(&h->in, n);
}

/* The head, and where it is a refusal its body. */
static may_suspend void hijack_answer(struct sim *s, struct sim_hijack *h, const struct deadline *d)
{
	struct http_response head;
	size_t scanned = 0, n;

	while (!(n = http_head_end(strbuf_str(&h->in), &scanned))) {
		if (h->ended || deadline_passed(d))
			return;
		hijack_read(h);
	}
	assert_ok(http_parse_response(arena_dup(&s->arena, str_first(strbuf_str(&h->in), n)),
				      STR("POST"), &s->arena, &head));
	strbuf_consume(&h->in, n);
	h->status = head.status;
	h->reason = head.reason;
	h->headers = head.headers;
	if (head.framing != HTTP_BODY_LENGTH)
		return;
	while (h->in.n < head.length && !h->ended && !deadline_passed(d))
		hijack_read(h);
	h->refusal = arena_dup(&s->arena, strbuf_str(&h->in));
}

may_suspend struct sim_hijack *sim_converse(struct sim *s, const char *client, const char *request)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(REPLY_TIME);
	struct sim_hijack *h = arena_new(&s->arena, struct sim_hijack);
	struct error *err;

	h->stream = client_connect(s, client);
	vec_push(&s->hijacks, h);
	err = stream_write(h->stream, str_from(request));
	if (!err)
		hijack_answer(s, h, &d);
	error_free(err);
	if (h->status != 101 && (h->status != 200 || h->refusal.p))
		sim_hijack_close(h);
	return h;
}

may_suspend struct sim_hijack *sim_hijack_try(struct sim *s, const char *path, const char *body,
					      bool upgrade, const char *early)
{
	_cleanup_(strbuf_fini) struct strbuf request = STRBUF_INIT;

	write_hijack(path, body, upgrade, early, &request);
	return sim_converse(s, DEFAULT_CLIENT, request.p);
}

may_suspend struct sim_hijack *sim_hijack(struct sim *s, const char *path, const char *body,
					  bool upgrade, const char *early)
{
	struct sim_hijack *h = sim_hijack_try(s, path, body, upgrade, early);

	assert_true(h->status > 0);
	return h;
}

may_suspend void sim_hijack_write(struct sim_hijack *h, struct str data)
{
	assert_ok(stream_write(h->stream, data));
}

may_suspend void sim_hijack_end(struct sim_hijack *h)
{
	assert_ok(stream_shutdown(h->stream));
}

may_suspend bool sim_hijack_expect(struct sim_hijack *h, const char *text, int64_t span)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(span);

	while (!str_contains(strbuf_str(&h->in), str_from(text))) {
		if (h->ended || deadline_passed(&d))
			return false;
		hijack_read(h);
	}
	return true;
}

may_suspend void sim_hijack_to_end(struct sim_hijack *h, int64_t span)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(span);

	while (!h->ended && !deadline_passed(&d))
		hijack_read(h);
}

void sim_hijack_close(struct sim_hijack *h)
{
	stream_close(take(h->stream));
	strbuf_fini(&h->in);
}
