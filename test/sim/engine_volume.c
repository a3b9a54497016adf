/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The volumes of an engine. Besides `local` there is the driver "shared", whose volumes are one and
 * the same on all engines (scope global), as those of a network storage are.
 */
#include "sim/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "sim/internal.h"

struct sim_volume *fake_volume_find(const struct sim_engine *e, struct str name)
{
	for (size_t i = 0; i < e->volumes.n; i++) {
		struct sim_volume *v = e->volumes.v[i];

		if (str_eq(str_from(v->name), name))
			return v;
	}
	return NULL;
}

static void volume_free(struct sim_volume *v)
{
	free(v->name);
	free(v->driver);
	free(v->labels);
	free(v);
}

void fake_volumes_fini(struct sim_engine *e)
{
	while (e->volumes.n)
		volume_free(vec_pop(&e->volumes));
	vec_fini(&e->volumes);
}

static void volume_event(struct sim_engine *e, const char *action, const char *name,
			 const char *driver)
{
	fake_event(e, "volume", action, name, NULL, sim_text(e->sim, "\"driver\":\"%s\"", driver));
}

static void add(struct sim_engine *e, struct str name, struct str driver, struct str labels)
{
	struct sim_volume *v = mem_new(struct sim_volume);

	*v = (struct sim_volume){ .name = str_dup(name),
				  .driver = str_dup(driver),
				  .labels = str_dup(str_empty(labels) ? STR("null") : labels),
				  .created = fake_clock(e) / SECOND,
				  .global = str_eq(driver, STR("shared")) };
	vec_push(&e->volumes, v);
}

struct error *fake_volume_make(struct sim_engine *e, struct str name, struct str driver,
			       struct str labels, struct sim_volume **ret)
{
	const struct sim_volume *there = fake_volume_find(e, name);

	if (memchr(name.p, '/', name.n))
		return fake_refuse(400,
				   "create %.*s: \"%.*s\" includes invalid characters for a local "
				   "volume name",
				   STR_ARG(name), STR_ARG(name));
	if (str_empty(driver))
		driver = there ? str_from(there->driver) : STR("local");
	if (there && !str_eq(str_from(there->driver), driver))
		return fake_refuse(409,
				   "create %.*s: conflict: a volume with that name already exists "
				   "with a different driver",
				   STR_ARG(name));
	if (!str_eq(driver, STR("local")) && !str_eq(driver, STR("shared")))
		return fake_refuse(404,
				   "create %.*s: error looking up volume plugin %.*s: plugin "
				   "\"%.*s\" not found",
				   STR_ARG(name), STR_ARG(driver), STR_ARG(driver));
	if (!there) {
		for (size_t i = 0; i < e->sim->engines.n; i++) {
			struct sim_engine *other = e->sim->engines.v[i];

			if (other == e || str_eq(driver, STR("shared")))
				add(other, name, driver, labels);
		}
		volume_event(e, "create", arena_cstr(&e->sim->arena, name),
			     arena_cstr(&e->sim->arena, driver));
	}
	*ret = fake_volume_find(e, name);
	return NULL;
}

static struct error *use(struct sim_container *c, struct str name, struct str driver)
{
	struct sim_volume *v;

	TRY(fake_volume_make(c->engine, name, driver, STR_NONE, &v));
	vec_push(&c->volumes, arena_cstr(&c->arena, name));
	return NULL;
}

/* What a new container names, and what was not there is there now. */
struct error *fake_volumes_use(struct sim_container *c)
{
	struct json host = json_field(c->config, "HostConfig"), item;
	struct json_iter binds = json_iter(json_field(host, "Binds"));
	struct json_iter mounts = json_iter(json_field(host, "Mounts"));
	struct str driver = json_str(json_field(host, "VolumeDriver")), name, path;

	while (json_next(&binds, NULL, &item))
		if (str_cut(json_str(item), ':', &name, &path) && !str_starts(name, STR("/")))
			TRY(use(c, name, driver));
	while (json_next(&mounts, NULL, &item)) {
		name = json_str(json_field(item, "Source"));
		driver = json_str(json_path(item, "VolumeOptions.DriverConfig.Name"));
		if (json_str_eq(json_field(item, "Type"), STR("volume")) && !str_empty(name))
			TRY(use(c, name, driver));
	}
	return NULL;
}

void fake_container_write_mounts(const struct sim_container *c, struct json_out *o)
{
	json_key(o, "Mounts");
	json_begin_array(o);
	for (size_t i = 0; i < c->volumes.n; i++) {
		json_begin_object(o);
		json_put_str(o, "Type", STR("volume"));
		json_put_str(o, "Name", str_from(c->volumes.v[i]));
		json_put_str(o, "Destination", STR("/somewhere"));
		json_end_object(o);
	}
	json_end_array(o);
}

static const struct sim_container *user_of(const struct sim_engine *e, const struct sim_volume *v)
{
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		for (size_t k = 0; k < c->volumes.n; k++)
			if (strcmp(c->volumes.v[k], v->name) == 0)
				return c;
	}
	return NULL;
}

static void write_volume(const struct sim_volume *v, struct json_out *o)
{
	_cleanup_(strbuf_fini) struct strbuf created = STRBUF_INIT, path = STRBUF_INIT;

	time_format_rfc3339(v->created * SECOND, &created);
	strbuf_addf(&path, "/var/lib/docker/volumes/%s/_data", v->name);
	json_begin_object(o);
	json_put_str(o, "CreatedAt", strbuf_str(&created));
	json_put_str(o, "Driver", str_from(v->driver));
	json_put_raw(o, "Labels", str_from(v->labels));
	json_put_str(o, "Mountpoint", strbuf_str(&path));
	json_put_str(o, "Name", str_from(v->name));
	json_put_raw(o, "Options", STR("null"));
	json_put_str(o, "Scope", v->global ? STR("global") : STR("local"));
	json_end_object(o);
}

may_suspend struct error *serve_volume_list(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	TRY(fake_work(call, MILLISECOND));
	json_begin_object(&o);
	json_key(&o, "Volumes");
	json_begin_array(&o);
	for (size_t i = 0; i < call->e->volumes.n; i++)
		write_volume(call->e->volumes.v[i], &o);
	json_end_array(&o);
	json_put_raw(&o, "Warnings", STR("null"));
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

static may_suspend struct error *reply_volume(struct sim_call *call, int status,
					      const struct sim_volume *v)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	write_volume(v, &o);
	return fake_reply(call, status, &text);
}

may_suspend struct error *serve_volume_create(struct sim_call *call)
{
	struct json body, labels;
	struct sim_volume *v;
	struct str name;

	TRY(fake_read_json(call, &body));
	TRY(fake_work(call, 5 * MILLISECOND));
	name = json_str(json_field(body, "Name"));
	if (str_empty(name)) {
		_cleanup_(mem_freep) char *id = fake_draw_id();

		name = arena_dup(call->arena, str_from(id));
	}
	labels = json_field(body, "Labels");
	TRY(fake_volume_make(call->e, name, json_str(json_field(body, "Driver")),
			     json_exists(labels) ? json_raw(labels) : STR_NONE, &v));
	TRY(reply_volume(call, 201, v));
	return NULL;
}

static struct error *get_volume(const struct sim_call *call, struct sim_volume **ret)
{
	*ret = fake_volume_find(call->e, call->name);
	return *ret ? NULL : fake_refuse(404, "get %.*s: no such volume", STR_ARG(call->name));
}

may_suspend struct error *serve_volume_inspect(struct sim_call *call)
{
	struct sim_volume *v;

	TRY(fake_work(call, MILLISECOND));
	TRY(get_volume(call, &v));
	return reply_volume(call, 200, v);
}

static void destroy(struct sim_engine *e, struct sim_volume *v)
{
	const char *name = sim_text(e->sim, "%s", v->name);
	bool global = v->global;

	volume_event(e, "destroy", name, v->driver);
	for (size_t i = 0; i < e->sim->engines.n; i++) {
		struct sim_engine *other = e->sim->engines.v[i];
		struct sim_volume *copy = fake_volume_find(other, str_from(name));

		if (copy && (other == e || global)) {
			vec_remove(&other->volumes, copy);
			volume_free(copy);
		}
	}
}

may_suspend struct error *serve_volume_remove(struct sim_call *call)
{
	const struct sim_container *user;
	struct sim_volume *v;

	TRY(fake_work(call, 2 * MILLISECOND));
	TRY(get_volume(call, &v));
	user = user_of(call->e, v);
	if (user)
		return fake_refuse(409, "remove %s: volume is in use - [%s]", v->name, user->id);
	destroy(call->e, v);
	return fake_reply_empty(call, 204);
}

may_suspend struct error *serve_volume_prune(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct sim_engine *e = call->e;
	struct json_out o = json_out(&text);
	int64_t n = 0;

	TRY(fake_work(call, 5 * MILLISECOND));
	json_begin_object(&o);
	json_key(&o, "VolumesDeleted");
	json_begin_array(&o);
	for (size_t i = e->volumes.n; i-- > 0;) {
		struct sim_volume *v = e->volumes.v[i];

		if (v->global || user_of(e, v))
			continue;
		json_str_value(&o, str_from(v->name));
		destroy(e, v);
		n++;
	}
	json_end_array(&o);
	json_put_i64(&o, "SpaceReclaimed", n * 100);
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

bool sim_has_volume(const struct sim_engine *e, const char *name)
{
	return fake_volume_find(e, str_from(name)) != NULL;
}
