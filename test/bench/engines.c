/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many simulated Docker Engines in one process, over real sockets: what a manager is measured
 * against. Engine i is 127.1.(i / 256).(i % 256); all share one port and one listening socket, and
 * which of them is meant the Host header says. They answer from arithmetic and not from tables, so
 * that a hundred thousand containers cost nothing here.
 *
 *   bench-engines PORT NODES CONTAINERS [CERT KEY]
 *
 * Beyond Docker's API, `bytes=N` in the query of logs and attach says how much to send, and attach
 * with `stdin=1` takes all that comes and then says how much it was.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/vec.h"
#include "bench/engine_texts.h"
#include "fiber/loop.h"
#include "fiber/signal.h"
#include "fiber/waitq.h"
#include "http/reply.h"
#include "json/json.h"
#include "net/tls.h"

#define CHUNK (64 * KIB)

/* A container that was created here. */
struct made {
	char *name, *labels;
	bool running;
};

struct engine {
	uint32_t node;
	struct vec made; /* of struct made, behind those from the beginning; NULL: removed */
	struct list subscribers;
};

/* A stream of events that a client holds open. */
struct subscriber {
	struct list link;
	struct strbuf pending;
	struct waitq wake;
};

static struct engine *engines;
static uint32_t n_engines, n_containers; /* of each */

/* One request on its way to an answer. */
struct ask {
	struct http_incoming *in;
	struct engine *engine;
	struct identity who; /* the container of the path */
	struct str id;
};

static void or_die(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "bench-engines: %s\n", error_message(err));
	exit(1);
}

static struct made *made_of(const struct ask *a)
{
	uint32_t at = a->who.index - n_containers;

	return a->who.index >= n_containers && at < a->engine->made.n ? a->engine->made.v[at]
								      : NULL;
}

static bool is_there(const struct ask *a)
{
	return a->who.node == a->engine->node && (a->who.index < n_containers || made_of(a));
}

static struct shown shown_of(struct identity who, const struct made *m)
{
	struct shown c = { .who = who, .running = true };

	if (m) {
		c.name = str_from(m->name);
		c.labels = str_from(m->labels);
		c.running = m->running;
	}
	return c;
}

static void tell(struct engine *e, const char *type, const char *action, struct str id,
		 struct str attributes)
{
	list_for_each(link, &e->subscribers) {
		struct subscriber *s = list_item(link, struct subscriber, link);

		put_event(type, action, id, attributes, &s->pending);
		waitq_wake_all(&s->wake);
	}
}

static void tell_container(const struct ask *a, const char *action)
{
	const struct made *m = made_of(a);
	_cleanup_(strbuf_fini) struct strbuf attributes = STRBUF_INIT;

	strbuf_addf(&attributes, "\"image\":\"" KNOWN_IMAGE "\",\"name\":\"%s\"",
		    m ? m->name : "one");
	tell(a->engine, "container", action, a->id, strbuf_str(&attributes));
}

static may_suspend struct error *answer(const struct ask *a, int status, struct str json)
{
	return http_reply(a->in, status, "application/json", NULL, 0, json);
}

static may_suspend struct error *no_such(const struct ask *a)
{
	return answer(a, 404, STR("{\"message\":\"No such container\"}\n"));
}

static may_suspend struct error *ping(const struct ask *a)
{
	return http_reply(a->in, 200, "text/plain", NULL, 0, STR("OK"));
}

static may_suspend struct error *version(const struct ask *a)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	put_version(&out);
	return answer(a, 200, strbuf_str(&out));
}

static may_suspend struct error *info(const struct ask *a)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	put_info(a->engine->node, n_containers, &out);
	return answer(a, 200, strbuf_str(&out));
}

static may_suspend struct error *images(const struct ask *a)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	put_images(&out);
	return answer(a, 200, strbuf_str(&out));
}

static void list_one(struct strbuf *out, struct identity who, const struct made *m)
{
	struct shown c = shown_of(who, m);

	if (out->n > 1)
		strbuf_addc(out, ',');
	put_list_entry(&c, out);
}

/* All of them, or with a filter (which only ever is one id here) that one. */
static may_suspend struct error *list(struct ask *a)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct str filters = http_param(&a->in->url, "filters");
	ptrdiff_t at = str_find(filters, STR("[\""));
	uint32_t node = a->engine->node;

	strbuf_addc(&out, '[');
	if (at >= 0) {
		if (read_id(str_first(str_skip(filters, (size_t)at + 2), ID_DIGITS), &a->who) &&
		    is_there(a))
			list_one(&out, a->who, made_of(a));
	} else {
		for (uint32_t i = 0; i < n_containers; i++)
			list_one(&out, (struct identity){ node, i }, NULL);
		for (uint32_t i = 0; i < a->engine->made.n; i++)
			if (a->engine->made.v[i])
				list_one(&out, (struct identity){ node, n_containers + i },
					 a->engine->made.v[i]);
	}
	strbuf_add(&out, STR("]\n"));
	return answer(a, 200, strbuf_str(&out));
}

static may_suspend struct error *inspect(const struct ask *a)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct shown c = shown_of(a->who, made_of(a));

	put_inspect(&c, &out);
	return answer(a, 200, strbuf_str(&out));
}

static may_suspend struct error *create(struct ask *a)
{
	char id[ID_DIGITS + 1], reply[128];
	struct made *m = mem_new(struct made);
	struct str body, name = http_param(&a->in->url, "name");
	struct json root;

	TRY(http_incoming_read_all(a->in, LIMIT_JSON_BODY, &body));
	TRY(json_parse(body, a->in->arena, &root));
	body = json_raw(json_get(root, "Labels"));
	m->labels = str_dup(str_empty(body) ? STR("{}") : body);
	a->who = (struct identity){ a->engine->node, n_containers + (uint32_t)a->engine->made.n };
	write_id(a->who, id);
	m->name = str_dup(str_empty(name) ? str_of(id, 12) : name);
	vec_push(&a->engine->made, m);

	a->id = str_of(id, ID_DIGITS);
	tell_container(a, "create");
	snprintf(reply, sizeof(reply), "{\"Id\":\"%s\",\"Warnings\":[]}\n", id);
	return answer(a, 201, str_from(reply));
}

static may_suspend struct error *start(struct ask *a)
{
	_cleanup_(strbuf_fini) struct strbuf attributes = STRBUF_INIT;
	struct made *m = made_of(a);

	if (m)
		m->running = true;
	strbuf_addf(&attributes, "\"container\":\"%.*s\",\"name\":\"bridge\",\"type\":\"bridge\"",
		    STR_ARG(a->id));
	tell(a->engine, "network", "connect", STR("b0"), strbuf_str(&attributes));
	tell_container(a, "start");
	return http_reply(a->in, 204, NULL, NULL, 0, STR_NONE);
}

static may_suspend struct error *stop(struct ask *a)
{
	struct made *m = made_of(a);

	if (m)
		m->running = false;
	tell_container(a, "die");
	tell_container(a, "stop");
	return http_reply(a->in, 204, NULL, NULL, 0, STR_NONE);
}

static may_suspend struct error *wait_for(struct ask *a)
{
	return answer(a, 200, STR("{\"Error\":null,\"StatusCode\":0}\n"));
}

static may_suspend struct error *removal(struct ask *a)
{
	struct made *m = made_of(a);

	tell_container(a, "destroy");
	if (m) {
		a->engine->made.v[a->who.index - n_containers] = NULL;
		free(m->name);
		free(m->labels);
		free(m);
	}
	return http_reply(a->in, 204, NULL, NULL, 0, STR_NONE);
}

static uint64_t bytes_asked(const struct ask *a)
{
	uint64_t n = 0;

	str_to_u64(http_param(&a->in->url, "bytes"), &n);
	return n;
}

static may_suspend struct error *logs(const struct ask *a)
{
	_cleanup_(mem_freep) char *chunk = mem_zalloc(CHUNK);
	uint64_t left = bytes_asked(a);

	TRY(http_reply_begin(a->in, 200, STR_NONE, NULL, 0, -1));
	while (left > 0) {
		size_t n = (size_t)MIN(left, (uint64_t)CHUNK);

		TRY(http_reply_write(a->in, str_of(chunk, n)));
		left -= n;
	}
	return http_reply_end(a->in);
}

static may_suspend struct error *send_bytes(struct stream *s, uint64_t left)
{
	_cleanup_(mem_freep) char *chunk = mem_zalloc(CHUNK);

	while (left > 0) {
		size_t n = (size_t)MIN(left, (uint64_t)CHUNK);

		TRY(stream_write(s, str_of(chunk, n)));
		left -= n;
	}
	return NULL;
}

static may_suspend struct error *take_bytes(struct stream *s, uint64_t early)
{
	_cleanup_(mem_freep) char *chunk = mem_alloc(CHUNK);
	char said[32];
	size_t n;

	do {
		TRY(stream_read(s, chunk, CHUNK, &n));
		early += n;
	} while (n > 0);
	snprintf(said, sizeof(said), "%" PRIu64 "\n", early);
	return stream_write(s, str_from(said));
}

/* The head of a hijacked answer, as Docker gives it to those who ask for an upgrade or do not. */
static may_suspend struct error *take_over(const struct ask *a, struct stream **ret,
					   struct strbuf *ret_early)
{
	const struct http_header headers[] = {
		{ STR("Content-Type"), STR("application/vnd.docker.raw-stream") },
		{ STR("Connection"), STR("Upgrade") },
		{ STR("Upgrade"), STR("tcp") },
	};
	bool upgrades = !str_empty(a->in->head.upgrade);

	TRY(http_reply_upgrade(a->in, upgrades ? 101 : 200, upgrades ? STR("UPGRADED") : STR("OK"),
			       headers, upgrades ? 3 : 1));
	*ret = http_incoming_hijack(a->in, ret_early);
	return NULL;
}

static may_suspend struct error *attach(const struct ask *a)
{
	bool takes = http_param_bool(&a->in->url, "stdin", false);
	uint64_t n = bytes_asked(a);
	_cleanup_(stream_closep) struct stream *s = NULL;
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;

	TRY(take_over(a, &s, &early));
	return takes ? take_bytes(s, early.n) : send_bytes(s, n);
}

static may_suspend struct error *exec_create(const struct ask *a)
{
	static uint64_t last;
	char reply[96];

	snprintf(reply, sizeof(reply), "{\"Id\":\"%064" PRIx64 "\"}\n", ++last);
	return answer(a, 201, str_from(reply));
}

static may_suspend struct error *exec_start(const struct ask *a)
{
	_cleanup_(stream_closep) struct stream *s = NULL;
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	struct str body;

	TRY(http_incoming_read_all(a->in, LIMIT_JSON_BODY, &body));
	TRY(take_over(a, &s, &early));
	return stream_write(s, STR("\1\0\0\0\0\0\0\3hi\n"));
}

static may_suspend struct error *exec_inspect(const struct ask *a)
{
	return answer(a, 200, STR("{\"Running\":false,\"ExitCode\":0,\"Pid\":4712}\n"));
}

static may_suspend struct error *pass_events(const struct ask *a, struct subscriber *s)
{
	TRY(http_reply_begin(a->in, 200, STR_NONE, NULL, 0, -1));
	for (;;) {
		_cleanup_(strbuf_fini) struct strbuf now = STRBUF_INIT;

		while (!s->pending.n)
			TRY(waitq_wait(&s->wake, "events"));
		now = s->pending;
		s->pending = (struct strbuf)STRBUF_INIT;
		TRY(http_reply_write(a->in, strbuf_str(&now)));
	}
}

static may_suspend struct error *events(const struct ask *a)
{
	struct subscriber s = { .wake = WAITQ_INIT };
	struct error *err;

	list_append(&a->engine->subscribers, &s.link);
	err = pass_events(a, &s);
	list_remove(&s.link);
	strbuf_fini(&s.pending);
	return err;
}

/* Takes an upload of any size, and keeps nothing of it. */
static may_suspend struct error *load(struct ask *a)
{
	char scrap[8 * 1024];
	size_t n = 1;

	while (n > 0)
		TRY(http_incoming_read(a->in, scrap, sizeof(scrap), &n));
	return answer(a, 200, STR("{\"stream\":\"Loaded image: big:latest\\n\"}\r\n"));
}

/* "127.1.2.3:port", as the client was told to call it. */
static struct engine *engine_meant(struct str host)
{
	struct str part;
	uint64_t n = 0, address = 0;

	str_cut(host, ':', &host, &part);
	while (str_next(&host, '.', &part)) {
		if (!str_to_u64(part, &n))
			return NULL;
		address = address << 8 | (n & 255);
	}
	address &= 0xffff;
	return address < n_engines ? &engines[address] : NULL;
}

static may_suspend struct error *route_container(struct ask *a, struct str rest)
{
	struct str method = a->in->head.method, tail = STR_NONE;

	str_cut(rest, '/', &a->id, &tail);
	if (!read_id(a->id, &a->who) || !is_there(a))
		return no_such(a);
	if (str_eq(method, STR("DELETE")))
		return removal(a);
	if (str_eq(tail, STR("json")))
		return inspect(a);
	if (str_eq(tail, STR("start")))
		return start(a);
	if (str_eq(tail, STR("stop")) || str_eq(tail, STR("kill")))
		return stop(a);
	if (str_eq(tail, STR("wait")))
		return wait_for(a);
	if (str_eq(tail, STR("logs")))
		return logs(a);
	if (str_eq(tail, STR("attach")))
		return attach(a);
	if (str_eq(tail, STR("exec")))
		return exec_create(a);
	return no_such(a);
}

static may_suspend struct error *route(struct ask *a)
{
	struct str path = a->in->url.path, version_prefix;

	if (str_starts(path, STR("/v1.")))
		str_cut(str_skip(path, 1), '/', &version_prefix, &path);
	else
		path = str_skip(path, 1);

	if (str_eq(path, STR("_ping")))
		return ping(a);
	if (str_eq(path, STR("version")))
		return version(a);
	if (str_eq(path, STR("info")))
		return info(a);
	if (str_eq(path, STR("events")))
		return events(a);
	if (str_eq(path, STR("images/json")))
		return images(a);
	if (str_eq(path, STR("images/load")))
		return load(a);
	if (str_eq(path, STR("volumes")))
		return answer(a, 200, STR("{\"Volumes\":[],\"Warnings\":null}\n"));
	if (str_eq(path, STR("networks")))
		return answer(a, 200, STR("[]\n"));
	if (str_eq(path, STR("containers/json")))
		return list(a);
	if (str_eq(path, STR("containers/create")))
		return create(a);
	if (str_starts(path, STR("containers/")))
		return route_container(a, str_skip(path, 11));
	if (str_starts(path, STR("exec/")))
		return str_ends(path, STR("/start")) ? exec_start(a) : exec_inspect(a);
	return answer(a, 404, STR("{\"message\":\"page not found\"}\n"));
}

static may_suspend void handle(struct http_incoming *in, _unused_ void *arg)
{
	struct ask a = { .in = in };

	a.engine = engine_meant(http_header(&in->head.headers, "Host"));
	error_free(a.engine ? route(&a) : answer(&a, 404, STR("{\"message\":\"no engine\"}\n")));
}

static struct str common_headers(_unused_ void *arg)
{
	return STR("Api-Version: 1.41\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
		   "Server: Docker/20.10.24 (linux)\r\n");
}

static may_suspend void serve(void *arg)
{
	const char *const *argv = arg;
	const struct tls_files files = { .cert = argv[4], .key = argv[4] ? argv[5] : NULL };
	const struct http_server_config config = { .handler = handle,
						   .common_headers = common_headers };
	static const int ends[] = { SIGTERM, SIGINT };
	struct http_server *server = http_server_new(&config);
	struct tls_context *tls = NULL;
	struct listener *l;
	struct addr at = { .kind = ADDR_TCP };
	int which;

	if (files.cert)
		or_die(tls_context_new_server(&files, &tls));
	at.port = (uint16_t)strtoul(argv[1], NULL, 10);
	or_die(listener_open(&at, tls, &l));
	printf("%u\n", listener_addr(l)->port);
	http_server_listen(server, l);
	error_free(signal_wait(ends, ARRAY_LEN(ends), &which));
	http_server_stop(server, 0);
	http_server_free(server);
	tls_context_unref(tls);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc != 4 && argc != 6) {
		fprintf(stderr, "usage: bench-engines PORT NODES CONTAINERS [CERT KEY]\n");
		return 1;
	}
	n_engines = (uint32_t)strtoul(argv[2], NULL, 10);
	n_containers = (uint32_t)strtoul(argv[3], NULL, 10);
	engines = mem_realloc_array(NULL, n_engines + 1, sizeof(*engines));
	for (uint32_t i = 0; i < n_engines; i++) {
		engines[i] = (struct engine){ .node = i };
		list_init(&engines[i].subscribers);
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setvbuf(stdout, NULL, _IOLBF, 0);
	loop_run(LOOP_REAL, serve, argv);
	return 0;
}
