/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's state and tables, and the telling of what changes. When it changes is decided in
 * health.c (is it well), monitor.c (its events), refresh.c and reconcile.c (what is on it).
 */
#include "engine/engine.h"

#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/internal.h"
#include "fiber/clock.h"

/* The diagram is in engine.h. */
static const bool legal_moves[4][4] = {
	[ENGINE_PENDING] = { [ENGINE_HEALTHY] = true, [ENGINE_GONE] = true },
	[ENGINE_HEALTHY] = { [ENGINE_PENDING] = true,
			     [ENGINE_UNHEALTHY] = true,
			     [ENGINE_GONE] = true },
	[ENGINE_UNHEALTHY] = { [ENGINE_PENDING] = true,
			       [ENGINE_HEALTHY] = true,
			       [ENGINE_GONE] = true },
};

static const char *const state_names[] = {
	[ENGINE_PENDING] = "Pending",
	[ENGINE_HEALTHY] = "Healthy",
	[ENGINE_UNHEALTHY] = "Unhealthy",
	[ENGINE_GONE] = "Disconnected",
};

const char *engine_state_name(enum engine_state s)
{
	return state_names[s];
}

static struct str container_key(const void *item)
{
	return ((const struct container *)item)->id;
}

static struct str image_key(const void *item)
{
	return ((const struct image *)item)->id;
}

static struct str object_key(const void *item)
{
	return ((const struct object *)item)->key;
}

struct engine *engine_new(const struct addr *a, const struct engine_config *config)
{
	struct engine *e = mem_new(struct engine);

	assert(config->failure_retry > 0 && config->refresh_min <= config->refresh_max);
	e->refs = 1;
	e->addr = *a;
	addr_format(a, &e->addr_text);
	e->config = *config;
	e->config.kept = config->kept ? config->kept : LIMIT_ENGINE_KEPT;
	e->config.news = config->news ? config->news : LIMIT_ENGINE_NEWS;
	e->http = http_client_new(a, config->tls);
	http_client_set_connect_time(e->http, ENGINE_CALL_TIME);
	http_client_set_fence(e->http, config->fence);
	map_init(&e->containers, container_key);
	map_init(&e->images, image_key);
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		map_init(&e->objects[kind], object_key);
	refresh_init(e);
	return e;
}

struct engine *engine_ref(struct engine *e)
{
	e->refs++;
	return e;
}

void engine_unref(struct engine *e)
{
	if (!e || --e->refs)
		return;
	assert(e->fibers.n == 0 && e->containers.n == 0 && e->images.n == 0);
	refresh_fini(e);
	map_fini(&e->containers);
	map_fini(&e->images);
	for (int kind = 0; kind < OBJECT_KINDS; kind++)
		map_fini(&e->objects[kind]);
	waitq_fini(&e->wake);
	engine_info_unref(e->info);
	http_client_unref(e->http);
	strbuf_fini(&e->error);
	strbuf_fini(&e->addr_text);
	free(e->seen);
	free(e);
}

void engine_start(struct engine *e)
{
	assert(e->state == ENGINE_PENDING && e->fibers.n == 0);
	group_go(&e->fibers, "engine", health_main, e);
}

may_suspend void engine_stop(struct engine *e)
{
	if (e->state == ENGINE_GONE)
		return;
	group_finish(&e->fibers);
	http_client_close_idle(e->http);
	/* A refresh on another's fiber may have told of something since. */
	engine_drop_all(e);
	engine_set_state(e, ENGINE_GONE);
}

enum engine_state engine_state(const struct engine *e)
{
	return e->state;
}

struct str engine_addr(const struct engine *e)
{
	return strbuf_str(&e->addr_text);
}

struct str engine_ip(const struct engine *e)
{
	struct str peer = http_client_peer(e->http);

	return addr_is_numeric(&e->addr) || str_empty(peer) ? str_from(e->addr.host) : peer;
}

struct str engine_name(const struct engine *e)
{
	return e->info ? e->info->name : STR("");
}

struct str engine_id(const struct engine *e)
{
	return e->info ? e->info->id : STR("");
}

const struct engine_info *engine_info(const struct engine *e)
{
	return e->info;
}

struct str engine_error(const struct engine *e)
{
	return e->error.n ? strbuf_str(&e->error) : STR("");
}

int engine_health(const struct engine *e)
{
	if (e->state == ENGINE_PENDING || e->state == ENGINE_GONE)
		return 0;
	return 100 - (int)(100 * e->failures / e->config.failure_retry);
}

int64_t engine_updated_at(const struct engine *e)
{
	return e->updated_at;
}

int64_t engine_skew(const struct engine *e)
{
	return e->info ? e->info->skew : 0;
}

int64_t engine_now(const struct engine *e)
{
	return clock_wall() + engine_skew(e);
}

int64_t engine_looked_at(const struct engine *e)
{
	return e->looked_at;
}

int64_t engine_heard_at(const struct engine *e)
{
	return e->heard_at;
}

bool engine_is_dead(const struct engine *e)
{
	if (e->state == ENGINE_PENDING)
		return e->failures >= e->config.failure_retry;
	return e->state == ENGINE_UNHEALTHY;
}

bool engine_is_leaving(const struct engine *e)
{
	return e->leaving;
}

void *engine_owner(const struct engine *e)
{
	return e->owner;
}

void engine_set_owner(struct engine *e, void *owner)
{
	e->owner = owner;
}

const struct map *engine_containers(const struct engine *e)
{
	return &e->containers;
}

const struct map *engine_images(const struct engine *e)
{
	return &e->images;
}

const struct map *engine_objects(const struct engine *e, enum object_kind kind)
{
	return &e->objects[kind];
}

const struct map *engine_volumes(const struct engine *e)
{
	return &e->objects[OBJECT_VOLUME];
}

const struct map *engine_networks(const struct engine *e)
{
	return &e->objects[OBJECT_NETWORK];
}

static void log_state(const struct engine *e, enum engine_state before)
{
	if (e->state == ENGINE_HEALTHY)
		log_info("node is healthy", LOG_STR("node", engine_name(e)),
			 LOG_STR("addr", engine_addr(e)),
			 LOG_NUM("containers", (int64_t)e->containers.n));
	else if (e->state == ENGINE_UNHEALTHY)
		log_warn("node is unhealthy", LOG_STR("node", engine_name(e)),
			 LOG_STR("addr", engine_addr(e)), LOG_STR("error", engine_error(e)));
	else if (e->state == ENGINE_PENDING && before != ENGINE_PENDING)
		log_warn("node is pending again: another engine answers at its address",
			 LOG_STR("node", engine_name(e)), LOG_STR("addr", engine_addr(e)));
}

void engine_set_state(struct engine *e, enum engine_state next)
{
	enum engine_state before = e->state;

	assert(legal_moves[before][next]);
	e->state = next;
	e->updated_at = clock_wall();
	if (next == ENGINE_HEALTHY)
		engine_set_error(e, NULL);
	log_state(e, before);
	e->config.observer->state(e->config.observer_arg, e, before);
}

void engine_set_error(struct engine *e, const struct error *err)
{
	strbuf_reset(&e->error);
	strbuf_add(&e->error, str_from(error_message(err)));
}

void engine_tell_health(struct engine *e)
{
	e->config.observer->state(e->config.observer_arg, e, e->state);
}

/* Once for each change, not at each reading. */
static void log_info_news(const struct engine *e, const struct engine_info *before)
{
	struct str warnings = before ? before->warnings : STR("");
	int64_t change = e->info->skew - (before ? before->skew : 0);

	if (!str_empty(e->info->warnings) && !str_eq(warnings, e->info->warnings))
		log_warn("labels of a node are ignored", LOG_STR("node", engine_name(e)),
			 LOG_STR("addr", engine_addr(e)), LOG_STR("why", e->info->warnings));
	if (change >= SECOND || change <= -SECOND)
		log_warn("the clock of a node differs from the manager's",
			 LOG_STR("node", engine_name(e)), LOG_STR("addr", engine_addr(e)),
			 LOG_NUM("ahead_ms", e->info->skew / MILLISECOND));
}

void engine_take_info(struct engine *e, struct engine_info *info)
{
	_cleanup_(engine_info_unrefp) struct engine_info *before = e->info;

	e->info = info;
	e->updated_at = clock_wall();
	log_info_news(e, before);
	if (before)
		e->config.observer->info(e->config.observer_arg, e, before);
}

int64_t engine_adds(const struct engine *e, const struct container *c)
{
	const struct container *before = map_get(&e->containers, c->id);

	return (int64_t)c->size - (before ? before->size : 0);
}

struct error *engine_check_kept(const struct engine *e, int64_t more)
{
	if ((int64_t)e->kept + more <= (int64_t)e->config.kept)
		return NULL;
	return error_new(ERR_TOO_LARGE, "the containers of %.*s take more than %zu bytes",
			 STR_ARG(engine_addr(e)), e->config.kept);
}

static void tell_container(struct engine *e, struct container *before, struct container *after)
{
	e->updated_at = clock_wall();
	e->kept += after ? after->size : 0;
	e->kept -= before ? before->size : 0;
	e->config.observer->container(e->config.observer_arg, e, before, after);
	container_unref(before);
}

void engine_put_container(struct engine *e, struct container *c)
{
	tell_container(e, map_put(&e->containers, c), c);
}

void engine_remove_container(struct engine *e, struct str id)
{
	struct container *before = map_del(&e->containers, id);

	if (before)
		tell_container(e, before, NULL);
}

void engine_forget_container(struct engine *e, struct str id)
{
	refresh_forget_container(e, id);
	engine_remove_container(e, id);
}

static void tell_image(struct engine *e, struct image *before, struct image *after)
{
	e->updated_at = clock_wall();
	e->config.observer->image(e->config.observer_arg, e, before, after);
	image_unref(before);
}

void engine_put_image(struct engine *e, struct image *i)
{
	tell_image(e, map_put(&e->images, i), i);
}

void engine_remove_image(struct engine *e, struct str id)
{
	struct image *before = map_del(&e->images, id);

	if (before)
		tell_image(e, before, NULL);
}

static void tell_object(struct engine *e, struct object *before, struct object *after)
{
	e->updated_at = clock_wall();
	e->config.observer->object(e->config.observer_arg, e, before, after);
	object_unref(before);
}

void engine_put_object(struct engine *e, struct object *o)
{
	tell_object(e, map_put(&e->objects[o->kind], o), o);
}

void engine_remove_object(struct engine *e, enum object_kind kind, struct str key)
{
	struct object *before = map_del(&e->objects[kind], key);

	if (before)
		tell_object(e, before, NULL);
}

void engine_forget_object(struct engine *e, enum object_kind kind, struct str key)
{
	refresh_forget_object(e, kind, key);
	engine_remove_object(e, kind, key);
}

static void drop_objects(struct engine *e, enum object_kind kind)
{
	struct object *o;

	for (size_t at = 0; (o = map_next(&e->objects[kind], &at));)
		engine_remove_object(e, kind, o->key);
}

struct error *engine_check_epoch(const struct engine *e, unsigned int epoch)
{
	if (e->epoch == epoch)
		return NULL;
	return error_new(ERR_UNAVAILABLE, "node %.*s left the pool", STR_ARG(engine_addr(e)));
}

void engine_drop_all(struct engine *e)
{
	struct container *c;
	struct image *i;

	e->epoch++;
	e->leaving = true;
	for (size_t at = 0; (c = map_next(&e->containers, &at));)
		engine_remove_container(e, c->id);
	for (size_t at = 0; (i = map_next(&e->images, &at));)
		engine_remove_image(e, i->id);
	drop_objects(e, OBJECT_VOLUME);
	drop_objects(e, OBJECT_NETWORK);
	e->leaving = false;
}
