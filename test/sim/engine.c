/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's life: made, started, cut off, stopped, replaced. What it answers is in the other
 * engine_*.c.
 */
#include "sim/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "net/listener.h"
#include "sim/internal.h"

int64_t fake_clock(const struct sim_engine *e)
{
	return clock_wall() + e->skew;
}

char *fake_draw_id(void)
{
	struct strbuf id = STRBUF_INIT;

	rand_hex(&id, 64);
	return strbuf_take(&id);
}

struct error *fake_refuse(int status, const char *fmt, ...)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	va_list args;

	va_start(args, fmt);
	strbuf_addv(&text, fmt, args);
	va_end(args);
	return error_from_status(status, strbuf_str(&text));
}

may_suspend struct error *fake_reply(struct sim_call *call, int status, struct strbuf *json)
{
	strbuf_addc(json, '\n');
	return http_reply(call->in, status, "application/json", NULL, 0, strbuf_str(json));
}

may_suspend struct error *fake_reply_empty(struct sim_call *call, int status)
{
	return http_reply(call->in, status, NULL, NULL, 0, STR(""));
}

may_suspend struct error *fake_read_json(struct sim_call *call, struct json *ret)
{
	struct str body;
	struct error *err;

	TRY(http_incoming_read_all(call->in, 16 * MIB, &body));
	err = json_parse(body, call->arena, ret);
	if (!err)
		return NULL;
	error_free(err);
	return fake_refuse(400, "invalid character or unexpected EOF in the body");
}

may_suspend struct error *fake_work(_unused_ struct sim_call *call, int64_t span)
{
	return fiber_sleep(rand_between(span / 2, span * 3 / 2));
}

static void error_body(_unused_ int status, const char *message, struct strbuf *out)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_put_str(&o, "message", str_from(message));
	json_end_object(&o);
	strbuf_addc(out, '\n');
}

static struct str common_headers(void *arg)
{
	return strbuf_str(&((struct sim_engine *)arg)->common_headers);
}

static char *label_text(const struct sim_option *o)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s=%s", o->key, o->value);
	return strbuf_take(&text);
}

static void add_image(struct sim_engine *e, const char *ref, bool pulled)
{
	_cleanup_(strbuf_fini) struct strbuf digest = STRBUF_INIT;
	_cleanup_(mem_freep) char *id = fake_image_id_of(ref);
	struct arena arena = ARENA_INIT;
	struct str familiar = fake_image_familiar(str_from(ref), &arena);
	struct str name = familiar;

	str_rcut(familiar, ':', &name, &(struct str){ 0 });
	strbuf_addf(&digest, "%.*s@%s", STR_ARG(name), id);
	fake_image_add(e, id, familiar.p, pulled ? digest.p : NULL);
	arena_fini(&arena);
}

static void set_addr(struct sim_engine *e, const char *host_port)
{
	assert_ok(addr_parse_host_port(str_from(host_port), &e->addr));
	snprintf(e->addr_text, sizeof(e->addr_text), "%s", host_port);
}

static void apply(struct sim_engine *e, const struct sim_option *o, bool *has_image)
{
	switch (o->kind) {
	case OPTION_CPUS:
		e->cpus = o->number;
		break;
	case OPTION_MEMORY:
		e->memory = o->number;
		break;
	case OPTION_LABEL:
		vec_push(&e->labels, label_text(o));
		break;
	case OPTION_IMAGE:
		*has_image = true;
		if (*o->key)
			add_image(e, o->key, o->number);
		break;
	case OPTION_ID:
		free(e->id);
		e->id = mem_strdup(o->key);
		break;
	case OPTION_ADDR:
		set_addr(e, o->key);
		break;
	case OPTION_API:
		e->api_oldest = o->key;
		e->api_newest = o->value;
		break;
	case OPTION_SKEW:
		e->skew = o->number;
		break;
	case OPTION_SWARM:
		e->swarm = o->number ? SWARM_MANAGER : SWARM_WORKER;
		break;
	case OPTION_OS:
		e->os = o->key;
		break;
	case OPTION_ARCHITECTURE:
		e->architecture = o->key;
		break;
	case OPTION_DEVICES:
		e->devices = o->key;
		break;
	case OPTION_IMAGE_STORE:
		e->image_store = true;
		break;
	case OPTION_DOWN:
	case OPTION_END:
		break;
	}
}

/* Starts serving, with nothing to remember of what was. */
static void come_up(struct sim_engine *e)
{
	struct http_server_config config = { .handler = fake_serve,
					     .arg = e,
					     .common_headers = common_headers,
					     .error_body = error_body };

	fake_forget_events(e);
	e->server = http_server_new(&config);
	e->listener = listener_memory();
	http_server_listen(e->server, e->listener);
	e->up = true;
}

struct sim_engine *sim_engine_new(struct sim *s, const char *name, const struct sim_option *options)
{
	struct sim_engine *e = mem_new(struct sim_engine);
	bool has_image = false, down = false;
	char address[32];

	*e = (struct sim_engine){ .sim = s,
				  .name = mem_strdup(name),
				  .id = fake_draw_id(),
				  .cpus = 4,
				  .memory = (int64_t)(8 * GIB),
				  .api_oldest = "1.12",
				  .api_newest = "1.41",
				  .listed = true,
				  .next_port = 32768 };
	snprintf(address, sizeof(address), "10.0.%zu.%zu:2375", s->engines.n / 200,
		 s->engines.n % 200 + 1);
	set_addr(e, address);
	for (const struct sim_option *o = options; o->kind != OPTION_END; o++) {
		apply(e, o, &has_image);
		down |= o->kind == OPTION_DOWN;
	}
	if (!has_image)
		add_image(e, "busybox:latest", false);
	strbuf_addf(&e->common_headers,
		    "Api-Version: %s\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
		    "Server: Docker/20.10.24 (linux)\r\n",
		    e->api_newest);
	fake_networks_init(e);
	vec_push(&s->engines, e);
	if (!down)
		come_up(e);
	return e;
}

struct sim_engine *sim_find_engine(const struct sim *s, const char *name)
{
	for (size_t i = 0; i < s->engines.n; i++) {
		struct sim_engine *e = s->engines.v[i];

		if (strcmp(e->name, name) == 0)
			return e;
	}
	fail_msg("there is no engine %s", name);
	return NULL;
}

struct sim_engine *sim_engine_at(const struct sim *s, const struct addr *a)
{
	for (size_t i = 0; i < s->engines.n; i++) {
		struct sim_engine *e = s->engines.v[i];

		if (strcmp(e->addr.host, a->host) == 0 && e->addr.port == a->port)
			return e;
	}
	return NULL;
}

void sim_cut(struct sim_engine *e)
{
	e->cut = true;
	waitq_wake_all(&e->line);
}

void sim_heal(struct sim_engine *e)
{
	e->cut = false;
	waitq_wake_all(&e->line);
}

may_suspend void sim_stop(struct sim_engine *e)
{
	if (!e->up)
		return;
	e->up = false;
	for (size_t i = 0; i < e->containers.n; i++)
		fake_container_stop_at_once(e->containers.v[i], 137);
	http_server_stop(e->server, 0);
	http_server_free(take(e->server));
	e->listener = NULL;
	group_finish(&e->processes);
	e->processes = (struct group)GROUP_INIT;
}

may_suspend void sim_start(struct sim_engine *e)
{
	assert_false(e->up);
	come_up(e);
}

may_suspend void sim_restart(struct sim_engine *e)
{
	sim_stop(e);
	sim_start(e);
}

/* What happens then is of before, to who goes by its times. */
void sim_step_engine_clock(struct sim_engine *e, int64_t by)
{
	e->skew += by;
	e->last_event_time = MIN(e->last_event_time, fake_clock(e));
}

void sim_unlist(struct sim_engine *e)
{
	e->listed = false;
}

void sim_list(struct sim_engine *e)
{
	e->listed = true;
}

static void drop_containers(struct sim_engine *e)
{
	while (e->containers.n)
		fake_container_destroy(e->containers.v[e->containers.n - 1]);
	fake_execs_fini(e);
}

void sim_replace(struct sim_engine *e, const char *id)
{
	assert_false(e->up);
	drop_containers(e);
	fake_volumes_fini(e);
	fake_networks_fini(e);
	fake_networks_init(e);
	free(e->id);
	e->id = mem_strdup(id);
}

void sim_set_resources(struct sim_engine *e, int64_t cpus, int64_t memory)
{
	e->cpus = cpus;
	e->memory = memory;
}

void sim_set_label(struct sim_engine *e, const char *text)
{
	assert_true(e->labels.n > 0);
	free(e->labels.v[0]);
	e->labels.v[0] = str_dup(str_from(text));
}

void sim_engine_free(struct sim_engine *e)
{
	drop_containers(e);
	vec_fini(&e->containers);
	vec_fini(&e->execs);
	vec_fini(&e->builds);
	vec_fini(&e->links);
	fake_images_fini(e);
	fake_volumes_fini(e);
	fake_networks_fini(e);
	fake_forget_events(e);
	for (size_t i = 0; i < e->labels.n; i++)
		free(e->labels.v[i]);
	vec_fini(&e->labels);
	strbuf_fini(&e->common_headers);
	strbuf_fini(&e->requests);
	waitq_fini(&e->news);
	waitq_fini(&e->line);
	free(e->name);
	free(e->id);
	free(e);
}

size_t sim_count_containers(const struct sim_engine *e)
{
	return e->containers.n;
}

bool sim_has_container(const struct sim_engine *e, const char *name_or_id)
{
	return fake_container_find(e, str_from(name_or_id)) != NULL;
}

bool sim_is_running(const struct sim_engine *e, const char *name_or_id)
{
	const struct sim_container *c = fake_container_find(e, str_from(name_or_id));

	return c && c->state == C_RUNNING;
}

size_t sim_running_execs(const struct sim_engine *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->execs.n; i++)
		n += ((const struct sim_exec *)e->execs.v[i])->running;
	return n;
}

bool sim_has_image(const struct sim_engine *e, const char *ref)
{
	return fake_image_find(e, str_from(ref)) != NULL;
}

size_t sim_calls(const struct sim_engine *e, const char *request)
{
	struct str rest = strbuf_str(&e->requests), line;
	size_t n = 0;

	while (str_next(&rest, '\n', &line))
		n += str_starts(line, str_from(request));
	return n;
}

bool sim_called_before(const struct sim_engine *e, const char *first, const char *then)
{
	struct str rest = strbuf_str(&e->requests), line;
	bool seen = false;

	while (str_next(&rest, '\n', &line)) {
		seen |= str_starts(line, str_from(first));
		if (str_starts(line, str_from(then)))
			return seen;
	}
	return false;
}

size_t sim_calls_with(const struct sim_engine *e, const char *request, const char *header)
{
	_cleanup_(strbuf_fini) struct strbuf part = STRBUF_INIT;
	struct str rest = strbuf_str(&e->requests), line;
	size_t n = 0;

	strbuf_addf(&part, "\t%s\t", header);
	while (str_next(&rest, '\n', &line))
		n += str_starts(line, str_from(request)) && str_contains(line, strbuf_str(&part));
	return n;
}

void sim_local_events(struct sim_engine *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fake_event(e, "volume", "mount", "some-volume", NULL, "\"driver\":\"local\"");
}

/* A request from the machine itself: no wire, no faults. */
static may_suspend struct http_result local_request(struct sim_engine *e, const char *method,
						    const char *path, const char *body)
{
	struct stream *stream = listener_connect(e->listener, "local");
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct arena *arena = &e->sim->arena;
	struct http_result r = { 0 };
	size_t scanned = 0, head, n = 1;

	strbuf_addf(&text, "%s /v1.41%s HTTP/1.1\r\nHost: local\r\nConnection: close\r\n", method,
		    path);
	strbuf_addf(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		    body ? strlen(body) : 0, body ? body : "");
	assert_ok(stream_write(stream, strbuf_str(&text)));
	strbuf_reset(&text);
	while (n > 0) {
		strbuf_reserve(&text, 16 * KIB);
		assert_ok(stream_read(stream, text.p + text.n, 16 * KIB, &n));
		strbuf_extend(&text, n);
	}
	stream_close(stream);
	head = http_head_end(strbuf_str(&text), &scanned);
	assert_ok(http_parse_response(arena_dup(arena, str_first(strbuf_str(&text), head)),
				      str_from(method), arena, &r.head));
	r.body = arena_dup(arena, str_skip(strbuf_str(&text), head));
	return r;
}

may_suspend void sim_local(struct sim_engine *e, int status, const char *method, const char *path)
{
	struct http_result r = local_request(e, method, path, NULL);

	if (r.head.status != status)
		fail_msg("%s %s at %s: %d %.*s", method, path, e->name, r.head.status,
			 STR_ARG(r.body));
}

may_suspend const char *sim_local_create(struct sim_engine *e, const char *name, const char *body)
{
	struct http_result r =
		local_request(e, "POST", sim_text(e->sim, "/containers/create?name=%s", name),
			      body ? body : "{\"Image\":\"busybox\"}");
	struct json answer;

	if (r.head.status != 201)
		fail_msg("creating %s at %s: %d %.*s", name, e->name, r.head.status,
			 STR_ARG(r.body));
	assert_ok(json_parse(r.body, &e->sim->arena, &answer));
	return arena_cstr(&e->sim->arena, json_get_str(answer, "Id"));
}

void sim_copy_containers(const struct sim_engine *from, struct sim_engine *to)
{
	for (size_t i = 0; i < from->containers.n; i++) {
		const struct sim_container *c = from->containers.v[i];
		struct sim_container *copy;

		assert_ok(fake_container_make(to, str_from(c->name), json_raw(c->config), &copy));
		free(copy->id);
		copy->id = str_dup(str_from(c->id));
	}
}
