/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/joining.h"

#include "base/arena.h"
#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "discovery/discovery.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "http/client.h"

#define ASK_TIME    (10 * SECOND)
#define ENTER_TIME  (30 * SECOND)
#define FIRST_PAUSE (1 * SECOND) /* after a failure, doubled up to the heartbeat */

static void client_unrefp(struct http_client **c)
{
	http_client_unref(*c);
}

static may_suspend struct error *ping(const struct joining *j, struct tls_context *tls)
{
	_cleanup_(client_unrefp) struct http_client *http = http_client_new(&j->engine, tls);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(deadline_end) struct deadline patience = deadline_begin(ASK_TIME);
	const struct http_call get = { .method = STR("GET"), .target = STR("/_ping") };
	struct http_result answer;
	struct error *err = http_fetch(http, &get, LIMIT_ENGINE_OBJECT, &arena, &answer);

	http_client_close_idle(http);
	if (error_is(err, ERR_TIMEOUT) && deadline_passed(&patience)) {
		error_free(err);
		return error_new(ERR_UNAVAILABLE, "no answer in %d s", (int)(ASK_TIME / SECOND));
	}
	TRY(err);
	/* 400 is what a server with TLS says in the clear. */
	if (answer.head.status != 200 && answer.head.status != 400)
		return error_new(ERR_UNAVAILABLE, "it answered %d", answer.head.status);
	return NULL;
}

may_suspend struct error *joining_ask_engine(const struct joining *j)
{
	struct error *err;

	if (!j->tls)
		return ping(j, NULL);
	err = ping(j, j->tls);
	if (!error_is(err, ERR_TLS))
		return err;
	/* What is wrong with its certificates is for managers to say, who use them. */
	error_free(err);
	return ping(j, NULL);
}

/* How things stand, so that what is well again is told once; what is not, at each try. */
struct standing {
	bool registered, engine_away, discovery_away;
};

static void note_engine(const struct joining *j, struct standing *s, const struct error *err)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

	addr_format(&j->engine, &name);
	if (err)
		log_warn(s->registered ? "the engine does not answer; its entry is not renewed"
				       : "the engine does not answer; it is not registered yet",
			 LOG_STR("engine", strbuf_str(&name)), LOG_ERR(err));
	else if (s->engine_away)
		log_info("the engine answers again", LOG_STR("engine", strbuf_str(&name)));
	s->engine_away = err != NULL;
}

static void note_discovery(const struct joining *j, struct standing *s, const struct error *err)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

	addr_format(&j->engine, &name);
	if (err)
		log_warn("the discovery cannot be written; trying again",
			 LOG_CSTR("discovery", discovery_scheme(j->discovery)), LOG_ERR(err));
	else if (!s->registered)
		log_info("registered", LOG_CSTR("discovery", discovery_scheme(j->discovery)),
			 LOG_STR("engine", strbuf_str(&name)));
	else if (s->discovery_away)
		log_info("registered again", LOG_CSTR("discovery", discovery_scheme(j->discovery)),
			 LOG_STR("engine", strbuf_str(&name)));
	else
		log_debug("renewed", LOG_STR("engine", strbuf_str(&name)));
	s->discovery_away = err != NULL;
	s->registered |= !err;
}

static may_suspend struct error *enter(const struct joining *j)
{
	_cleanup_(deadline_end) struct deadline patience = deadline_begin(ENTER_TIME);
	struct error *err = discovery_register(j->discovery, &j->engine, j->ttl);

	if (error_is(err, ERR_TIMEOUT) && deadline_passed(&patience)) {
		error_free(err);
		return error_new(ERR_UNAVAILABLE, "no answer in %d s", (int)(ENTER_TIME / SECOND));
	}
	return err;
}

/* Trying again would not help: the discovery will never take it, or there is no such cluster. */
static bool is_final(const struct standing *s, const struct error *err)
{
	return !s->registered && (error_is(err, ERR_INVALID) || error_is(err, ERR_NOT_FOUND));
}

/* One heartbeat. *ret_well: both sides answered. */
static may_suspend struct error *beat(struct joining *j, struct standing *s, bool *ret_well)
{
	_cleanup_(error_freep) struct error *err = joining_ask_engine(j);

	*ret_well = false;
	if (error_is(err, ERR_CANCELLED))
		return take(err);
	note_engine(j, s, err);
	if (err)
		return NULL;
	j->tried = true;
	err = enter(j);
	if (error_is(err, ERR_CANCELLED) || is_final(s, err))
		return take(err);
	note_discovery(j, s, err);
	*ret_well = !err;
	return NULL;
}

may_suspend struct error *joining_run(struct joining *j)
{
	struct standing s = { 0 };
	int64_t pause = FIRST_PAUSE;
	bool well;

	for (;;) {
		TRY(beat(j, &s, &well));
		pause = well ? j->heartbeat : pause;
		TRY(fiber_sleep(MIN(pause, j->heartbeat)));
		pause = well ? FIRST_PAUSE : MIN(2 * pause, j->heartbeat);
	}
}
