/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The containers of an engine: the table, create, rename, update, remove, commit.
 */
#include "sim/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"
#include "docker/filters.h"
#include "fiber/fiber.h"

struct sim_container *fake_container_find(const struct sim_engine *e, struct str name)
{
	struct sim_container *by_prefix = NULL;

	name = str_strip_prefix(name, STR("/"));
	for (size_t i = 0; i < e->containers.n; i++) {
		struct sim_container *c = e->containers.v[i];

		if (str_eq(str_from(c->id), name) || str_eq(str_from(c->name), name))
			return c;
		if (!str_empty(name) && str_starts(str_from(c->id), name))
			by_prefix = c;
	}
	return by_prefix;
}

struct error *fake_container_get(const struct sim_engine *e, struct str name,
				 struct sim_container **ret)
{
	struct sim_container *c = fake_container_find(e, name);

	if (!c)
		return fake_refuse(404, "No such container: %.*s", STR_ARG(name));
	*ret = fake_container_hold(c);
	return NULL;
}

struct sim_container *fake_container_hold(struct sim_container *c)
{
	c->refs++;
	return c;
}

void fake_container_release(struct sim_container *c)
{
	if (!c || --c->refs)
		return;
	strbuf_fini(&c->output);
	strbuf_fini(&c->input);
	waitq_fini(&c->changed);
	vec_fini(&c->volumes);
	vec_fini(&c->networks);
	for (size_t i = 0; i < c->aliases.n; i++)
		free(c->aliases.v[i]);
	vec_fini(&c->aliases);
	arena_fini(&c->arena);
	free(c->id);
	free(c->name);
	free(c);
}

static void read_command(struct sim_container *c)
{
	struct json command = json_field(c->config, "Cmd"), word;
	struct json_iter it = json_iter(command);

	c->argv = arena_new_array(&c->arena, struct str, json_count(command) + 1);
	while (json_type(command) == JSON_ARRAY && json_next(&it, NULL, &word))
		c->argv[c->n_argv++] = arena_dup(&c->arena, json_str(word));
	if (!c->n_argv)
		c->argv[0] = STR("sh");
}

static void read_config(struct sim_container *c)
{
	struct json host = json_field(c->config, "HostConfig");

	c->image_ref = arena_dup(&c->arena, json_str(json_field(c->config, "Image")));
	c->tty = json_is_true(json_field(c->config, "Tty"));
	c->open_stdin = json_is_true(json_field(c->config, "OpenStdin"));
	c->auto_remove = json_is_true(json_field(host, "AutoRemove"));
	c->memory = json_get_i64(host, "Memory", 0);
	c->nano_cpus = json_get_i64(host, "NanoCpus", 0);
	c->cpu_shares = json_get_i64(host, "CpuShares", 0);
	read_command(c);
}

static bool is_name(struct str name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (size_t i = 0; i < name.n; i++)
		if (!str_has_char(str_from(plain), name.p[i]) &&
		    !(i > 0 && str_has_char(STR("_.-"), name.p[i])))
			return false;
	return true;
}

static struct error *check_name(const struct sim_engine *e, struct str name)
{
	const struct sim_container *c;

	if (!is_name(name))
		return fake_refuse(400,
				   "Invalid container name (%.*s), only [a-zA-Z0-9][a-zA-Z0-9_.-] "
				   "are allowed",
				   STR_ARG(name));
	for (size_t i = 0; i < e->containers.n; i++) {
		c = e->containers.v[i];
		if (str_eq(str_from(c->name), name))
			return fake_refuse(
				409,
				"Conflict. The container name \"/%.*s\" is already in use by "
				"container \"%s\". You have to remove (or rename) that container "
				"to be able to reuse that name.",
				STR_ARG(name), c->id);
	}
	return NULL;
}

static struct error *find_image(struct sim_container *c, struct sim_engine *e)
{
	const struct sim_image *image = fake_image_find(e, c->image_ref);

	if (str_empty(c->image_ref))
		return fake_refuse(400, "no image specified");
	if (!image)
		return fake_refuse(404, "No such image: %.*s",
				   STR_ARG(fake_image_familiar(c->image_ref, &c->arena)));
	c->image_id = arena_dup(&c->arena, str_from(image->id));
	return NULL;
}

/* What a new container calls others: "store:db". They get "/web/db" as a name more. */
static struct error *make_links(const struct sim_container *c)
{
	struct json_iter it = json_iter(json_path(c->config, "HostConfig.Links"));
	struct json link;

	while (json_next(&it, NULL, &link)) {
		struct strbuf alias = STRBUF_INIT;
		struct sim_container *other;
		struct str ref, name;

		if (!str_cut(json_str(link), ':', &ref, &name))
			name = ref;
		TRY(fake_container_get(c->engine, ref, &other));
		strbuf_addf(&alias, "/%s/%.*s", c->name, STR_ARG(name));
		vec_push(&other->aliases, strbuf_take(&alias));
		fake_container_release(other);
	}
	return NULL;
}

/* The path's name is that of the link, under the name of the container that it leads from. */
static may_suspend struct error *remove_link(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf alias = STRBUF_INIT;

	if (!str_has_char(call->name, '/'))
		return fake_refuse(500, "Conflict, cannot remove the default name of the "
					"container");
	strbuf_addf(&alias, "/%.*s", STR_ARG(call->name));
	for (size_t i = 0; i < call->e->containers.n; i++) {
		struct sim_container *c = call->e->containers.v[i];

		for (size_t k = 0; k < c->aliases.n; k++) {
			char *name = c->aliases.v[k];

			if (!str_eq(str_from(name), strbuf_str(&alias)))
				continue;
			vec_remove(&c->aliases, name);
			free(name);
			return fake_reply_empty(call, 204);
		}
	}
	return fake_refuse(404, "No such container: %.*s", STR_ARG(call->name));
}

static char *draw_name(void)
{
	struct strbuf name = STRBUF_INIT;

	strbuf_add(&name, STR("eager_"));
	rand_hex(&name, 8);
	return strbuf_take(&name);
}

struct error *fake_container_make(struct sim_engine *e, struct str name, struct str body,
				  struct sim_container **ret)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = mem_new(struct sim_container);
	struct error *err;

	c->refs = 1;
	c->engine = e;
	err = json_parse(arena_dup(&c->arena, body), &c->arena, &c->config);
	if (err || json_type(c->config) != JSON_OBJECT) {
		error_free(err);
		return fake_refuse(400, "invalid JSON");
	}
	read_config(c);
	TRY(find_image(c, e));
	c->name = str_empty(name) ? draw_name() : str_dup(name);
	TRY(check_name(e, str_from(c->name)));
	TRY(make_links(c));
	TRY(fake_volumes_use(c));
	fake_networks_join(c);
	c->id = fake_draw_id();
	c->created = fake_clock(e);
	vec_push(&e->containers, c);
	fake_container_event(c, "create", NULL);
	*ret = take(c);
	return NULL;
}

static may_suspend struct error *work_at_create(struct sim_call *call)
{
	struct sim_engine *e = call->e;
	struct error *err;

	e->creating++;
	e->most_creating = MAX(e->most_creating, e->creating);
	err = fake_work(call, 5 * MILLISECOND);
	e->creating--;
	return err;
}

void sim_refuse_creates(struct sim_engine *e, const char *text)
{
	e->refusal = text;
}

unsigned int sim_most_creates_at_once(const struct sim_engine *e)
{
	return e->most_creating;
}

may_suspend struct error *serve_container_create(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str name = str_strip_prefix(http_param(&call->in->url, "name"), STR("/"));
	struct json_out o = json_out(&text);
	struct sim_container *c;
	struct str body;

	if (str_empty(http_header(&call->in->head.headers, "Content-Type")))
		return fake_refuse(400, "Content-Type specified () must be 'application/json'");
	TRY(http_incoming_read_all(call->in, 16 * MIB, &body));
	TRY(work_at_create(call));
	if (call->e->refusal)
		return fake_refuse(500, "%s", call->e->refusal);
	TRY(fake_container_make(call->e, name, body, &c));
	json_begin_object(&o);
	json_put_str(&o, "Id", str_from(c->id));
	json_put_raw(&o, "Warnings", STR("[]"));
	json_end_object(&o);
	/* It is there whether or not anybody hears of it. */
	TRY(fake_work(call, 2 * MILLISECOND));
	return fake_reply(call, 201, &text);
}

void fake_container_destroy(struct sim_container *c)
{
	vec_remove(&c->engine->containers, c);
	c->removed = true;
	fake_container_event(c, "destroy", NULL);
	waitq_wake_all(&c->changed);
	fake_container_release(c);
}

/* Dies as anything that is killed: its process needs to run once more. */
static may_suspend struct error *kill_and_wait(struct sim_container *c)
{
	fake_container_kill(c, 9);
	while (c->state == C_RUNNING)
		TRY(waitq_wait(&c->changed, "a container's end"));
	return NULL;
}

may_suspend struct error *serve_container_remove(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;

	if (http_param_bool(&call->in->url, "link", false))
		return remove_link(call);
	TRY(fake_container_get(call->e, call->name, &c));
	if (c->removing)
		return fake_refuse(409, "removal of container %.*s is already in progress",
				   STR_ARG(call->name));
	if (c->state == C_RUNNING && !http_param_bool(&call->in->url, "force", false))
		return fake_refuse(409,
				   "You cannot remove a running container %s. Stop the container "
				   "before attempting removal or force remove",
				   c->id);
	c->removing = true;
	if (c->state == C_RUNNING) {
		struct error *err = kill_and_wait(c);

		c->removing = false;
		if (err)
			return err;
	}
	c->removing = false;
	if (!c->removed)
		fake_container_destroy(c);
	TRY(fake_work(call, MILLISECOND));
	return fake_reply_empty(call, 204);
}

may_suspend struct error *serve_container_rename(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	_cleanup_(strbuf_fini) struct strbuf more = STRBUF_INIT;
	struct str name = str_strip_prefix(http_param(&call->in->url, "name"), STR("/"));

	TRY(fake_work(call, MILLISECOND));
	TRY(fake_container_get(call->e, call->name, &c));
	if (str_empty(name))
		return fake_refuse(400, "Neither old nor new names may be empty");
	TRY(check_name(call->e, name));
	strbuf_addf(&more, "\"oldName\":\"/%s\"", c->name);
	free(c->name);
	c->name = str_dup(name);
	fake_container_event(c, "rename", more.p);
	TRY(fake_work(call, MILLISECOND));
	return fake_reply_empty(call, 204);
}

may_suspend struct error *serve_container_update(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json body;

	TRY(fake_container_get(call->e, call->name, &c));
	TRY(fake_read_json(call, &body));
	c->memory = json_get_i64(body, "Memory", 0) ?: c->memory;
	c->nano_cpus = json_get_i64(body, "NanoCpus", 0) ?: c->nano_cpus;
	c->cpu_shares = json_get_i64(body, "CpuShares", 0) ?: c->cpu_shares;
	fake_container_event(c, "update", NULL);
	strbuf_add(&text, STR("{\"Warnings\":[]}"));
	return fake_reply(call, 200, &text);
}

may_suspend struct error *serve_container_commit(struct sim_call *call)
{
	_cleanup_(fake_container_releasep) struct sim_container *c = NULL;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, ref = STRBUF_INIT;
	_cleanup_(mem_freep) char *id = fake_draw_id();
	struct str repo = http_param(&call->in->url, "repo");
	struct str tag = http_param(&call->in->url, "tag");
	struct sim_image *image;
	struct json labels;
	char full[80];

	TRY(fake_container_get(call->e, http_param(&call->in->url, "container"), &c));
	TRY(fake_work(call, 20 * MILLISECOND));
	labels = json_field(c->config, "Labels");
	snprintf(full, sizeof(full), "sha256:%s", id);
	if (!str_empty(repo))
		strbuf_addf(&ref, "%.*s:%.*s", STR_ARG(repo),
			    STR_ARG(str_empty(tag) ? STR("latest") : tag));
	image = fake_image_add(call->e, full, ref.p, NULL);
	if (json_exists(labels))
		image->labels = str_dup(json_raw(labels));
	fake_container_event(c, "commit", NULL);
	strbuf_addf(&text, "{\"Id\":\"%s\"}", full);
	return fake_reply(call, 201, &text);
}
