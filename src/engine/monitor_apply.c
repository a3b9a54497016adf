/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an event says, done to the tables: the state or name that it tells at once, the rest when
 * that one object has been fetched anew. An event that stands in no table here changes nothing that
 * is kept (exec_*, attach, top, resize and the like).
 */
#include "base/duration.h"
#include "docker/ref.h"
#include "engine/internal.h"

#define TOLD_WITHIN (1 * SECOND) /* of a start its event comes */

static void on_start(struct container_state *s, const struct docker_event *ev,
		     struct str detail _unused_)
{
	s->status = CONTAINER_RUNNING;
	s->started_at = ev->time_nano;
	if (s->health != HEALTH_NONE)
		s->health = HEALTH_STARTING;
}

static void on_die(struct container_state *s, const struct docker_event *ev,
		   struct str detail _unused_)
{
	uint64_t code;

	s->status = CONTAINER_EXITED;
	s->finished_at = ev->time_nano;
	if (str_to_u64(json_get_str(ev->attributes, "exitCode"), &code) && code <= INT32_MAX)
		s->exit_code = (int32_t)code;
}

static void on_pause(struct container_state *s, const struct docker_event *ev _unused_,
		     struct str detail _unused_)
{
	s->status = CONTAINER_PAUSED;
}

static void on_unpause(struct container_state *s, const struct docker_event *ev _unused_,
		       struct str detail _unused_)
{
	s->status = CONTAINER_RUNNING;
}

/* "health_status: healthy" */
static void on_health(struct container_state *s, const struct docker_event *ev _unused_,
		      struct str detail)
{
	for (enum container_health h = HEALTH_STARTING; h <= HEALTH_UNHEALTHY; h++)
		if (str_eq(detail, str_from(container_health_name(h))))
			s->health = h;
}

static const struct container_action {
	struct str name;
	/* NULL: the event does not tell the new state by itself. */
	void (*change)(struct container_state *s, const struct docker_event *ev, struct str detail);
} container_actions[] = {
	{ STR_INIT("create"), NULL },	     { STR_INIT("start"), on_start },
	{ STR_INIT("restart"), NULL },	     { STR_INIT("die"), on_die },
	{ STR_INIT("stop"), NULL },	     { STR_INIT("pause"), on_pause },
	{ STR_INIT("unpause"), on_unpause }, { STR_INIT("update"), NULL },
	{ STR_INIT("rename"), NULL },	     { STR_INIT("health_status"), on_health },
};

static const struct container_action *find_action(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(container_actions); i++)
		if (str_eq(container_actions[i].name, name))
			return &container_actions[i];
	return NULL;
}

/*
 * The start that was read is the one before the stop that was read, though its time is behind that:
 * the clock went back in between.
 */
static bool is_start_before_stop(const struct container_state *s, const struct docker_event *ev)
{
	return !container_status_is_up(s->status) && s->finished_at &&
	       s->finished_at < s->started_at && ev->time_nano - s->started_at < TOLD_WITHIN;
}

/*
 * An event may come later than what it tells was read: after a refresh that somebody waited for,
 * or in a replay. Then it is no news, and to apply it would be a step back.
 */
static bool is_outdated(const struct container_state *s, const struct container_action *action,
			const struct docker_event *ev)
{
	return ev->time_nano < container_state_since(s) ||
	       (action->change == on_start && is_start_before_stop(s, ev));
}

/* While the lists are being read there may be nothing yet to change: the mark is enough. */
static void change_state(struct engine *e, const struct container_action *action,
			 const struct docker_event *ev, struct str detail)
{
	struct container *c = map_get(&e->containers, ev->actor_id);
	struct container_state state;

	if (!c || !action->change || is_outdated(&c->state, action, ev))
		return;
	state = c->state;
	action->change(&state, ev, detail);
	engine_put_container(e, container_with_state(c, &state));
}

/* Where it goes by another name than the old one it was renamed again since. */
static void change_name(struct engine *e, const struct docker_event *ev)
{
	struct container *c = map_get(&e->containers, ev->actor_id);
	struct str name = str_strip_prefix(json_get_str(ev->attributes, "name"), STR("/"));
	struct str before = str_strip_prefix(json_get_str(ev->attributes, "oldName"), STR("/"));

	if (c && !str_empty(name) && str_eq(c->name, before))
		engine_put_container(e, container_with_name(c, name));
}

static void apply_container(struct engine *e, const struct docker_event *ev)
{
	const struct container_action *action;
	struct str name, detail = STR("");

	str_cut(ev->action, ':', &name, &detail);
	if (str_eq(name, STR("destroy"))) {
		engine_forget_container(e, ev->actor_id);
		return;
	}
	/* Engines since 24.0 tell the image itself, too; before, only this does. */
	if (str_eq(name, STR("commit")))
		refresh_mark_image(e, json_get_str(ev->attributes, "imageID"));

	action = find_action(name);
	if (!action)
		return;
	if (str_eq(name, STR("rename")))
		change_name(e, ev);
	else
		change_state(e, action, ev, str_trim(detail));
	refresh_mark_container(e, ev->actor_id);
}

static void apply_image(struct engine *e, const struct docker_event *ev)
{
	static const struct str actions[] = {
		STR_INIT("pull"),   STR_INIT("tag"),  STR_INIT("untag"),  STR_INIT("delete"),
		STR_INIT("import"), STR_INIT("load"), STR_INIT("create"),
	};

	/* A pull of all tags is one event, of the repository alone. */
	if (str_eq(ev->action, STR("pull")) && !image_ref_is_tagged(ev->actor_id)) {
		refresh_mark_images(e);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (str_eq(ev->action, actions[i]))
			refresh_mark_image(e, ev->actor_id);
}

/* A swarm's manager has its networks still when the last container there has left. */
static void network_destroyed(struct engine *e, struct str id)
{
	const struct object *o = map_get(&e->objects[OBJECT_NETWORK], id);

	if (o && o->global)
		refresh_mark_object(e, OBJECT_NETWORK, id);
	else
		engine_forget_object(e, OBJECT_NETWORK, id);
}

/* A container's entry shows its networks, and the addresses that it has in them. */
static void apply_network(struct engine *e, const struct docker_event *ev)
{
	struct str id = json_get_str(ev->attributes, "container");

	if (str_eq(ev->action, STR("connect")) || str_eq(ev->action, STR("disconnect")))
		refresh_mark_container(e, id);
	else if (str_eq(ev->action, STR("destroy")))
		network_destroyed(e, ev->actor_id);
	else if (str_eq(ev->action, STR("create")) || str_eq(ev->action, STR("update")) ||
		 str_eq(ev->action, STR("remove")))
		refresh_mark_object(e, OBJECT_NETWORK, ev->actor_id);
}

static void apply_volume(struct engine *e, const struct docker_event *ev)
{
	if (str_eq(ev->action, STR("destroy")))
		engine_forget_object(e, OBJECT_VOLUME, ev->actor_id);
	else if (str_eq(ev->action, STR("create")))
		refresh_mark_object(e, OBJECT_VOLUME, ev->actor_id);
}

void monitor_apply(struct engine *e, const struct docker_event *ev)
{
	if (str_eq(ev->type, STR("container")))
		apply_container(e, ev);
	else if (str_eq(ev->type, STR("image")))
		apply_image(e, ev);
	else if (str_eq(ev->type, STR("network")))
		apply_network(e, ev);
	else if (str_eq(ev->type, STR("volume")))
		apply_volume(e, ev);
}
