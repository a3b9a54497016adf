/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "fiber/loop.h"
#include "http/reply.h"
#include "json/build.h"
#include "net/dial.h"

may_suspend void pass(int64_t span)
{
	assert_ok(fiber_sleep(span));
}

static may_suspend struct error *wait_while(struct fake *f, enum fake_mode mode)
{
	while (f->mode == mode)
		TRY(waitq_wait(&f->news, "the fake's mode"));
	return NULL;
}

static may_suspend struct error *fake_dial(const struct addr *a _unused_, void *arg,
					   struct stream **ret)
{
	struct fake *f = arg;

	f->connects++;
	TRY(wait_while(f, FAKE_SILENT));
	if (f->mode == FAKE_REFUSING)
		return error_new(ERR_REFUSED, "connection refused");
	*ret = listener_connect(f->listener, "manager");
	snprintf((*ret)->peer, sizeof((*ret)->peer), "[fd00::1]:2375");
	return NULL;
}

struct str fake_id(const char *name)
{
	static char id[65];

	memset(id, '0', 64);
	memcpy(id, name, strlen(name));
	return str_of(id, 64);
}

struct fake_container *fake_add(struct fake *f, const char *name)
{
	struct fake_container *c = &f->containers[f->n_containers++];

	*c = (struct fake_container){ .state = "running" };
	memcpy(c->id, fake_id(name).p, 64);
	snprintf(c->name, sizeof(c->name), "%s", name);
	return c;
}

struct fake_container *fake_find(struct fake *f, const char *name)
{
	for (size_t i = 0; i < f->n_containers; i++)
		if (!strcmp(f->containers[i].name, name))
			return &f->containers[i];
	return NULL;
}

void fake_remove(struct fake *f, const char *name)
{
	struct fake_container *c = fake_find(f, name);

	*c = f->containers[--f->n_containers];
}

void fake_add_image(struct fake *f, const char *id, const char *tag)
{
	struct fake_image *i = &f->images[f->n_images++];

	snprintf(i->id, sizeof(i->id), "sha256:%s", id);
	snprintf(i->tag, sizeof(i->tag), "%s", tag);
}

void fake_add_object(struct fake *f, enum object_kind kind, const char *key, const char *scope)
{
	struct fake_object *o = &f->objects[kind][f->n_objects[kind]++];

	snprintf(o->key, sizeof(o->key), "%s", key);
	snprintf(o->scope, sizeof(o->scope), "%s", scope);
}

void fake_event(struct fake *f, const char *type, const char *action, const char *actor,
		const char *attributes)
{
	struct strbuf text = STRBUF_INIT;
	int64_t now = clock_wall() + f->skew;

	strbuf_addf(&text,
		    "{\"Type\":\"%s\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\",\"Attributes\":"
		    "{%s}},\"scope\":\"local\",\"time\":%" PRId64 ",\"timeNano\":%" PRId64 "}\n",
		    type, action, actor, attributes, now / SECOND, now);
	vec_push(&f->events, strbuf_take(&text));
	waitq_wake_all(&f->news);
}

void fake_container_event(struct fake *f, const char *action, const char *name,
			  const char *attributes)
{
	char id[65] = { 0 };

	memcpy(id, fake_id(name).p, 64);
	fake_event(f, "container", action, id, attributes);
}

static void forget_events(struct fake *f)
{
	for (size_t i = 0; i < f->events.n; i++)
		free(f->events.v[i]);
	vec_clear(&f->events);
}

static may_suspend struct error *reply(struct http_incoming *in, int status, struct str body)
{
	return http_reply(in, status, "application/json", NULL, 0, body);
}

static may_suspend struct error *reply_info(struct fake *f, struct http_incoming *in)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json_out o = json_out(&b);

	f->infos++;
	json_begin_object(&o);
	json_put_str(&o, "ID", str_from(f->id));
	json_put_str(&o, "Name", str_from(f->name));
	json_put_i64(&o, "NCPU", 4);
	json_put_i64(&o, "MemTotal", 8 * INT64_C(1073741824));
	json_key(&o, "SystemTime");
	_cleanup_(strbuf_fini) struct strbuf now = STRBUF_INIT;
	time_format_rfc3339_nano(clock_wall() + f->skew, &now);
	json_str_value(&o, strbuf_str(&now));
	json_end_object(&o);
	return reply(in, 200, strbuf_str(&b));
}

static may_suspend struct error *reply_version(struct fake *f, struct http_incoming *in)
{
	struct str text =
		arena_printf(in->arena, "{\"ApiVersion\":\"%s\",\"MinAPIVersion\":\"%s\"}", f->api,
			     f->oldest_api);

	return reply(in, 200, text);
}

static void put_entry(struct json_out *o, const struct fake_container *c)
{
	json_begin_object(o);
	json_put_str(o, "Id", str_from(c->id));
	json_key(o, "Names");
	json_begin_array(o);
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	strbuf_addf(&name, "/%s", c->name);
	json_str_value(o, strbuf_str(&name));
	json_end_array(o);
	json_put_str(o, "Image", STR("busybox"));
	json_put_str(o, "State", str_from(c->state));
	json_put_str(o, "Status", STR("Up 1 second"));
	json_key(o, "Labels");
	json_begin_object(o);
	json_put_i64(o, "revision", c->revision);
	json_end_object(o);
	json_end_object(o);
}

static may_suspend struct error *reply_list(struct fake *f, struct http_incoming *in)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json_out o = json_out(&b);
	struct str filters = http_param(&in->url, "filters");

	if (str_empty(filters))
		f->lists++;
	else
		f->single_lists++;
	json_begin_array(&o);
	for (size_t i = 0; i < f->n_containers; i++)
		if (str_empty(filters) || str_contains(filters, str_from(f->containers[i].id)))
			put_entry(&o, &f->containers[i]);
	json_end_array(&o);
	return reply(in, 200, strbuf_str(&b));
}

static may_suspend struct error *reply_inspect(struct fake *f, struct http_incoming *in,
					       struct str path)
{
	struct str id = str_of(path.p + strlen("/containers/"), 64);

	f->inspects++;
	for (size_t i = 0; i < f->n_containers; i++)
		if (str_eq(id, str_from(f->containers[i].id)))
			return reply(
				in, 200,
				arena_printf(in->arena,
					     "{\"Name\":\"/%s\",\"State\":{\"Status\":\"%s\"}}",
					     f->containers[i].name, f->containers[i].state));
	return reply(in, 404, STR("{\"message\":\"No such container\"}"));
}

static struct str image_text(const struct fake_image *i, struct arena *arena)
{
	return arena_printf(arena, "{\"Id\":\"%s\",\"RepoTags\":[%s%s%s]}", i->id,
			    *i->tag ? "\"" : "", i->tag, *i->tag ? "\"" : "");
}

static may_suspend struct error *reply_images(struct fake *f, struct http_incoming *in)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json_out o = json_out(&b);

	f->image_lists++;
	json_begin_array(&o);
	for (size_t i = 0; i < f->n_images; i++)
		json_raw_value(&o, image_text(&f->images[i], in->arena));
	json_end_array(&o);
	return reply(in, 200, strbuf_str(&b));
}

static may_suspend struct error *reply_image(struct fake *f, struct http_incoming *in,
					     struct str path)
{
	struct str name = str_skip(path, strlen("/images/"));

	f->image_inspects++;
	name.n -= strlen("/json");
	for (size_t i = 0; i < f->n_images; i++)
		if (str_eq(name, str_from(f->images[i].id)) ||
		    str_eq(name, str_from(f->images[i].tag)))
			return reply(in, 200, image_text(&f->images[i], in->arena));
	return reply(in, 404, STR("{\"message\":\"No such image\"}"));
}

static struct str object_text(enum object_kind kind, const struct fake_object *o,
			      struct arena *arena)
{
	if (kind == OBJECT_VOLUME)
		return arena_printf(arena,
				    "{\"Driver\":\"local\",\"Name\":\"%s\",\"Scope\":\"%s\"}",
				    o->key, o->scope);
	return arena_printf(arena,
			    "{\"Name\":\"net-%s\",\"Id\":\"%s\",\"Scope\":\"%s\","
			    "\"Driver\":\"bridge\"}",
			    o->key, o->key, o->scope);
}

static may_suspend struct error *reply_objects(struct fake *f, struct http_incoming *in,
					       enum object_kind kind)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct str filters = http_param(&in->url, "filters");
	const char *sep = "";

	if (str_empty(filters))
		f->object_lists++;
	else
		f->object_inspects++;
	strbuf_add(&b, str_from(kind == OBJECT_VOLUME ? "{\"Volumes\":[" : "["));
	for (size_t i = 0; i < f->n_objects[kind]; i++) {
		const struct fake_object *o = &f->objects[kind][i];

		if (!str_empty(filters) && !str_contains(filters, str_from(o->key)))
			continue;
		strbuf_addf(&b, "%s%.*s", sep, STR_ARG(object_text(kind, o, in->arena)));
		sep = ",";
	}
	strbuf_add(&b, str_from(kind == OBJECT_VOLUME ? "],\"Warnings\":null}" : "]"));
	return reply(in, 200, strbuf_str(&b));
}

static may_suspend struct error *reply_volume(struct fake *f, struct http_incoming *in,
					      struct str path)
{
	struct str name = str_skip(path, strlen("/volumes/"));

	f->object_inspects++;
	for (size_t i = 0; i < f->n_objects[OBJECT_VOLUME]; i++) {
		const struct fake_object *o = &f->objects[OBJECT_VOLUME][i];

		if (str_eq(name, str_from(o->key)))
			return reply(in, 200, object_text(OBJECT_VOLUME, o, in->arena));
	}
	return reply(in, 404, STR("{\"message\":\"no such volume\"}"));
}

/* "1795327200.000000001": inclusive, as Docker's. */
static int64_t since_of(struct http_incoming *in)
{
	struct str seconds, nanos = STR("");
	uint64_t s = 0, n = 0;

	str_cut(http_param(&in->url, "since"), '.', &seconds, &nanos);
	if (!str_to_u64(seconds, &s))
		return INT64_MAX;
	str_to_u64(nanos, &n);
	return (int64_t)s * SECOND + (int64_t)n;
}

static int64_t time_of(const char *event)
{
	return strtoll(strstr(event, "\"timeNano\":") + strlen("\"timeNano\":"), NULL, 10);
}

static may_suspend struct error *stream_events(struct fake *f, struct http_incoming *in)
{
	unsigned int epoch = f->epoch;
	int64_t since = since_of(in);
	size_t next = 0;

	f->streams++;
	while (next < f->events.n && time_of(f->events.v[next]) < since)
		next++;
	TRY(http_reply_begin(in, 200, STR(""), NULL, 0, -1));
	while (f->epoch == epoch) {
		if (next < f->events.n && f->mode == FAKE_UP)
			TRY(http_reply_write(in, str_from(f->events.v[next++])));
		else
			TRY(waitq_wait(&f->news, "the fake's events"));
	}
	return http_reply_end(in);
}

static struct str without_version(struct str path)
{
	ptrdiff_t slash =
		str_starts(path, STR("/v1.")) ? str_find_char(str_skip(path, 1), '/') : -1;

	return slash < 0 ? path : str_skip(path, (size_t)slash + 1);
}

static may_suspend struct error *answer(struct fake *f, struct http_incoming *in, struct str path)
{
	if (f->broken_path && str_contains(path, str_from(f->broken_path)))
		return reply(in, f->broken_status, str_from(f->broken_body));
	if (str_eq(path, STR("/info")))
		return reply_info(f, in);
	if (str_eq(path, STR("/version")))
		return reply_version(f, in);
	if (str_eq(path, STR("/events")))
		return stream_events(f, in);
	if (str_eq(path, STR("/containers/json")))
		return reply_list(f, in);
	if (str_starts(path, STR("/containers/")))
		return reply_inspect(f, in, path);
	if (str_eq(path, STR("/images/json")))
		return reply_images(f, in);
	if (str_starts(path, STR("/images/")))
		return reply_image(f, in, path);
	if (str_eq(path, STR("/volumes")))
		return reply_objects(f, in, OBJECT_VOLUME);
	if (str_starts(path, STR("/volumes/")))
		return reply_volume(f, in, path);
	if (str_eq(path, STR("/networks")))
		return reply_objects(f, in, OBJECT_NETWORK);
	return reply(in, 404, STR("{\"message\":\"page not found\"}"));
}

/* A request about one container that takes its time. */
static may_suspend struct error *dawdle(struct fake *f, struct str target)
{
	bool single =
		str_contains(target, STR("/containers/")) && !str_ends(target, STR("/json?all=1"));
	struct error *err;

	f->busy += single;
	f->most_busy = MAX(f->most_busy, f->busy);
	err = f->latency ? fiber_sleep(f->latency) : NULL;
	f->busy -= single;
	return err;
}

static may_suspend struct error *handle(struct fake *f, struct http_incoming *in)
{
	struct str path = without_version(in->url.path), body;
	bool slow = !f->slow_path || str_contains(path, str_from(f->slow_path));

	TRY(wait_while(f, FAKE_SILENT));
	TRY(wait_while(f, FAKE_MUTE));
	if (str_eq(path, STR("/_ping"))) {
		f->pings++;
		return http_reply(in, 200, "text/plain", NULL, 0, STR("OK"));
	}
	strbuf_addf(&f->requests, "%.*s %.*s\n", STR_ARG(in->head.method),
		    STR_ARG(in->head.target));
	TRY(http_incoming_read_all(in, MIB, &body));
	if (body.n) {
		strbuf_reset(&f->body);
		strbuf_add(&f->body, body);
	}
	if (slow)
		TRY(dawdle(f, in->head.target));
	return answer(f, in, path);
}

static may_suspend void handler(struct http_incoming *in, void *arg)
{
	error_free(handle(arg, in));
}

void fake_break_streams(struct fake *f)
{
	f->epoch++;
	waitq_wake_all(&f->news);
}

static void serve(struct fake *f)
{
	f->server = http_server_new(&(struct http_server_config){ .handler = handler, .arg = f });
	f->listener = listener_memory();
	http_server_listen(f->server, f->listener);
}

static may_suspend void stop_serving(struct fake *f)
{
	if (!f->server)
		return;
	http_server_stop(f->server, 0);
	http_server_free(f->server);
	f->server = NULL;
}

may_suspend void fake_crash(struct fake *f)
{
	f->mode = FAKE_REFUSING;
	stop_serving(f);
}

void fake_start(struct fake *f)
{
	forget_events(f);
	f->mode = FAKE_UP;
	if (!f->server)
		serve(f);
	waitq_wake_all(&f->news);
}

struct telling {
	fake_story *story;
};

static may_suspend void tell(void *arg)
{
	struct telling *t = arg;
	struct fake f = { .id = "E1", .name = "n1", .api = "1.41", .oldest_api = "1.12" };

	dial_set_hook(fake_dial, &f);
	serve(&f);
	t->story(&f);
	stop_serving(&f);
	dial_set_hook(NULL, NULL);
	forget_events(&f);
	vec_fini(&f.events);
	strbuf_fini(&f.requests);
	strbuf_fini(&f.body);
	waitq_fini(&f.news);
}

void fake_tell(fake_story *story)
{
	struct telling t = { story };

	rand_seed(7);
	loop_run(LOOP_VIRTUAL, tell, &t);
}

static struct error *hear_validate(void *arg, struct engine *e _unused_,
				   const struct engine_info *info _unused_)
{
	const struct ear *ear = arg;

	return ear->refusal ? error_new(ERR_CONFLICT, "%s", ear->refusal) : NULL;
}

static void hear_state(void *arg, struct engine *e, enum engine_state before)
{
	struct ear *ear = arg;

	if (before != engine_state(e))
		strbuf_addf(&ear->heard, "state %s\n", engine_state_name(engine_state(e)));
	else
		strbuf_addf(&ear->heard, "health %d\n", engine_health(e));
}

static void hear_container(void *arg, struct engine *e _unused_, struct container *before,
			   struct container *after)
{
	const struct container *c = after ? after : before;
	struct ear *ear = arg;

	strbuf_addf(&ear->heard, "%s%.*s %s\n",
		    !before ? "+"
		    : after ? "~"
			    : "-",
		    STR_ARG(c->name), container_status_name(c->state.status));
}

static void hear_image(void *arg, struct engine *e _unused_, struct image *before,
		       struct image *after)
{
	const struct image *i = after ? after : before;
	struct ear *ear = arg;

	strbuf_addf(&ear->heard, "%simage %.*s %.*s\n",
		    !before ? "+"
		    : after ? "~"
			    : "-",
		    STR_ARG(str_skip(i->id, strlen("sha256:"))),
		    STR_ARG(i->n_tags ? i->tags[0] : STR("-")));
}

static void hear_object(void *arg, struct engine *e _unused_, struct object *before,
			struct object *after)
{
	const struct object *o = after ? after : before;
	struct ear *ear = arg;

	strbuf_addf(&ear->heard, "%s%s %.*s %.*s\n",
		    !before ? "+"
		    : after ? "~"
			    : "-",
		    object_kind_name(o->kind), STR_ARG(o->key), STR_ARG(o->scope));
}

static void hear_event(void *arg, struct engine *e _unused_, const struct docker_event *ev)
{
	struct ear *ear = arg;

	strbuf_addf(&ear->heard, "event %.*s %.*s\n", STR_ARG(ev->type), STR_ARG(ev->action));
}

static void hear_lost(void *arg, struct engine *e _unused_, int64_t from, int64_t to)
{
	struct ear *ear = arg;

	assert_true(from > 0 && from <= to);
	ear->lost_from = from;
	ear->lost_to = to;
	strbuf_add(&ear->heard, STR("lost\n"));
}

static void hear_info(void *arg, struct engine *e _unused_,
		      const struct engine_info *before _unused_)
{
	struct ear *ear = arg;

	strbuf_add(&ear->heard, STR("info\n"));
}

void node_start(struct node *n)
{
	static const struct engine_observer observer = {
		.validate = hear_validate,
		.state = hear_state,
		.container = hear_container,
		.image = hear_image,
		.object = hear_object,
		.event = hear_event,
		.events_lost = hear_lost,
		.info = hear_info,
	};
	struct engine_config config = {
		.refresh_min = 30 * SECOND,
		.refresh_max = 60 * SECOND,
		.failure_retry = 3,
		.observer = &observer,
		.observer_arg = &n->ear,
	};
	struct addr a;

	assert_ok(addr_parse_host_port(str_from(n->addr ? n->addr : "10.0.0.1:2375"), &a));
	strbuf_add(&n->ear.heard, STR(""));
	n->e = engine_new(&a, &config);
	engine_start(n->e);
}

may_suspend void node_stop(struct node *n)
{
	engine_stop(n->e);
	assert_int_equal(engine_state(n->e), ENGINE_GONE);
	engine_unref(n->e);
	strbuf_fini(&n->ear.heard);
}

bool is(const struct node *n, enum engine_state s)
{
	return engine_state(n->e) == s;
}

may_suspend void node_up(struct node *n)
{
	node_start(n);
	until(is(n, ENGINE_HEALTHY), SECOND);
	ear_forget(&n->ear);
}

bool ear_heard(const struct ear *ear, const char *part)
{
	return ear_count(ear, part) > 0;
}

unsigned int ear_count(const struct ear *ear, const char *part)
{
	struct str rest = strbuf_str(&ear->heard);
	unsigned int n = 0;
	ptrdiff_t at;

	while ((at = str_find(rest, str_from(part))) >= 0) {
		rest = str_skip(rest, (size_t)at + 1);
		n++;
	}
	return n;
}

void ear_forget(struct ear *ear)
{
	strbuf_reset(&ear->heard);
}
