/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of `docker ps` for a container's state, as Docker Engine 20.10 puts them together
 * (container/state.go). The engine sends them in its list; the pool words them itself, since it
 * answers lists from memory and the ages in them go on growing.
 */
#include "docker/state.h"

#include "base/attr.h"
#include "base/duration.h"

static const char *const status_names[] = {
	[CONTAINER_CREATED] = "created",   [CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",	   [CONTAINER_RESTARTING] = "restarting",
	[CONTAINER_REMOVING] = "removing", [CONTAINER_EXITED] = "exited",
	[CONTAINER_DEAD] = "dead",
};

static const char *const health_names[] = {
	[HEALTH_NONE] = "none",
	[HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy",
	[HEALTH_UNHEALTHY] = "unhealthy",
};

int64_t container_state_since(const struct container_state *s)
{
	return MAX(s->started_at, s->finished_at);
}

bool container_status_is_up(enum container_status s)
{
	return s == CONTAINER_RUNNING || s == CONTAINER_PAUSED || s == CONTAINER_RESTARTING;
}

const char *container_status_name(enum container_status s)
{
	return status_names[s];
}

const char *container_health_name(enum container_health h)
{
	return health_names[h];
}

/* Engines say "Status" since API 1.21; the flags beside it say the same. */
static enum container_status read_status(struct json state, int64_t started_at)
{
	struct json status = json_get(state, "Status");

	for (size_t i = 0; i < ARRAY_LEN(status_names); i++)
		if (json_str_eq(status, str_from(status_names[i])))
			return (enum container_status)i;

	if (json_get_bool(state, "Paused"))
		return CONTAINER_PAUSED;
	if (json_get_bool(state, "Restarting"))
		return CONTAINER_RESTARTING;
	if (json_get_bool(state, "Running"))
		return CONTAINER_RUNNING;
	if (json_get_bool(state, "Dead"))
		return CONTAINER_DEAD;
	return started_at ? CONTAINER_EXITED : CONTAINER_CREATED;
}

/* No "Health" object: no health check. One with an empty status is unhealthy, to the engine too. */
static enum container_health read_health(struct json health)
{
	struct str status = json_get_str(health, "Status");

	if (json_type(health) != JSON_OBJECT)
		return HEALTH_NONE;
	for (size_t i = 0; i < ARRAY_LEN(health_names); i++)
		if (str_eq(status, str_from(health_names[i])))
			return (enum container_health)i;
	return HEALTH_UNHEALTHY;
}

/* Go's zero time, in the year 1, is how an engine says "never"; no container is older than 1970. */
static int64_t read_time(struct json v)
{
	int64_t t;

	if (!time_parse_rfc3339(json_str(v), &t) || t < 0)
		return 0;
	return t;
}

void container_state_read(struct json state, struct container_state *ret)
{
	int64_t code = json_get_i64(state, "ExitCode", 0);

	ret->started_at = read_time(json_get(state, "StartedAt"));
	ret->finished_at = read_time(json_get(state, "FinishedAt"));
	ret->status = read_status(state, ret->started_at);
	ret->health = read_health(json_get(state, "Health"));
	ret->exit_code = code < INT32_MIN || code > INT32_MAX ? 0 : (int32_t)code;
}

/* The clocks of two machines may disagree by a little; an age is never less than none. */
static void add_age(struct strbuf *out, int64_t since, int64_t now)
{
	duration_format_human(now > since ? now - since : 0, out);
}

static void up_text(const struct container_state *s, int64_t now, struct strbuf *out)
{
	strbuf_add(out, STR("Up "));
	add_age(out, s->started_at, now);

	if (s->status == CONTAINER_PAUSED) {
		strbuf_add(out, STR(" (Paused)"));
		return;
	}
	switch (s->health) {
	case HEALTH_NONE:
		break;
	case HEALTH_STARTING:
		strbuf_add(out, STR(" (health: starting)"));
		break;
	case HEALTH_HEALTHY:
		strbuf_add(out, STR(" (healthy)"));
		break;
	case HEALTH_UNHEALTHY:
		strbuf_add(out, STR(" (unhealthy)"));
		break;
	}
}

void container_status_text(const struct container_state *s, int64_t now, struct strbuf *out)
{
	switch (s->status) {
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		up_text(s, now, out);
		break;
	case CONTAINER_RESTARTING:
		strbuf_addf(out, "Restarting (%d) ", s->exit_code);
		add_age(out, s->finished_at, now);
		strbuf_add(out, STR(" ago"));
		break;
	case CONTAINER_REMOVING:
		strbuf_add(out, STR("Removal In Progress"));
		break;
	case CONTAINER_DEAD:
		strbuf_add(out, STR("Dead"));
		break;
	case CONTAINER_CREATED:
		strbuf_add(out, STR("Created"));
		break;
	case CONTAINER_EXITED:
		/* Started once and the end not known: the engine has no word for it. Kept. */
		if (!s->finished_at)
			break;
		strbuf_addf(out, "Exited (%d) ", s->exit_code);
		add_age(out, s->finished_at, now);
		strbuf_add(out, STR(" ago"));
		break;
	}
}
