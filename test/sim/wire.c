/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network between the manager and an engine: a pair of streams at each side and a relay
 * between them, which delays what it passes on, and is where faults happen. Each connection has a
 * fiber for each direction and one that outlives both.
 */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "net/dial.h"
#include "net/listener.h"
#include "net/memory.h"
#include "sim/engine.h"

#define PIECE	     (16 * KIB)
#define SOCKET_SPACE (64 * KIB)
#define SLOW_RATE    100 /* bytes a second */

/* TCP_USER_TIMEOUT with something unacknowledged; the keep-alive's 30 s before it otherwise. */
#define UNACKNOWLEDGED (30 * SECOND)
#define KEEP_ALIVE     (60 * SECOND)

const char *const fault_names[FAULT_KINDS] = { "none",	  "refuse", "reset", "stall",
					       "garbage", "cut",    "slow",  "hangup" };

struct wire {
	struct sim *sim;
	struct sim_engine *engine;
	struct stream *near, *far; /* to the manager, to the engine */
	char request[128];	   /* that it carries: "POST /containers/create" */
	enum fault_kind next;	   /* what becomes of what the engine says next */
	bool mute, slow;
	int64_t latency;
	bool broken; /* reset both ends */
	bool lost;   /* the manager's side gave up; the engine's knows nothing yet */
	struct group directions;
	struct waitq never;
};

void sim_fault(struct sim *s, struct sim_engine *e, enum fault_kind kind, const char *request,
	       unsigned int nth)
{
	s->fault = (struct sim_fault){ .kind = kind, .engine = e, .request = request, .left = nth };
}

bool sim_fault_fired(const struct sim *s)
{
	return s->fault.fired;
}

enum fault_kind sim_fault_kind(const struct sim *s)
{
	return s->fault.kind;
}

void sim_fault_clear(struct sim *s)
{
	s->fault.over = true;
}

void sim_on_hangup(struct sim *s, void (*fn)(void *arg), void *arg)
{
	s->on_hangup = fn;
	s->hangup_arg = arg;
}

/* The fault that this step meets. `request` NULL: a connection is being made. */
static enum fault_kind meet(struct sim *s, const struct sim_engine *e, const char *request)
{
	struct sim_fault *f = &s->fault;

	if (f->kind == FAULT_NONE || f->fired || f->over || (f->engine && f->engine != e))
		return FAULT_NONE;
	if (f->request && (!request || !str_starts(str_from(request), str_from(f->request))))
		return FAULT_NONE;
	if (f->left-- > 0)
		return FAULT_NONE;
	f->fired = true;
	return f->kind;
}

/* Lets the manager notice before anything else happens. */
static may_suspend struct error *hang_up(struct sim *s)
{
	if (s->on_hangup)
		s->on_hangup(s->hangup_arg);
	return fiber_sleep(MILLISECOND);
}

void sim_set_latency(struct sim *s, int64_t most)
{
	s->latency = most;
}

static int64_t draw_latency(const struct sim *s)
{
	return s->latency ? rand_between(0, s->latency) : 0;
}

/* `latency` on average, besides what each way takes. */
static may_suspend struct error *delay(int64_t latency)
{
	int64_t span = rand_between(20 * MICROSECOND, 400 * MICROSECOND);

	return fiber_sleep(span + (latency ? rand_between(0, 2 * latency) : 0));
}

/* "POST /v1.41/containers/create?name=x HTTP/1.1": which request begins here, if one does. */
static void note_request(struct wire *w, struct str piece)
{
	static const char *const methods[] = { "GET /", "POST /", "PUT /", "DELETE /", "HEAD /" };
	struct str line, method, target, rest;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (!str_starts(piece, str_from(methods[i])))
			continue;
		str_cut(str_first(piece, 4096), '\r', &line, &rest);
		str_cut(line, ' ', &method, &target);
		str_cut(target, ' ', &target, &rest);
		if (str_starts(target, STR("/v1.")))
			target = str_skip(target,
					  (size_t)str_find_char(str_skip(target, 1), '/') + 1);
		snprintf(w->request, sizeof(w->request), "%.*s %.*s", STR_ARG(method),
			 STR_ARG(target));
		return;
	}
}

/* While the line is cut nothing arrives; after a while the manager's kernel gives up. */
static may_suspend struct error *await_line(struct wire *w, int64_t patience)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(patience);

	while (w->engine->cut) {
		struct error *err = waitq_wait(&w->engine->line, "the line to be mended");

		if (error_is(err, ERR_TIMEOUT))
			w->lost = true;
		if (err)
			return err;
	}
	return NULL;
}

/* The connection stays as it is until the manager lets go of it. */
static may_suspend struct error *mute_for_ever(struct wire *w, const struct stream *to)
{
	struct error *err = NULL;

	w->mute = true;
	if (to == w->far)
		stream_cancel_on_hangup(w->near, fiber_self());
	while (!err)
		err = waitq_wait(&w->never, "nothing");
	if (to == w->far)
		stream_cancel_on_hangup(w->near, NULL);
	return err;
}

/* A direction's end: the other goes on, unless the connection is broken. */
static void end_direction(struct wire *w, struct error *err)
{
	if (w->mute || (err && !error_is(err, ERR_CANCELLED))) {
		w->broken = true;
		group_cancel(&w->directions);
	}
	error_free(err);
}

static may_suspend struct error *broken(struct wire *w)
{
	w->broken = true;
	return error_new(ERR_CLOSED, "reset by a fault");
}

static may_suspend struct error *pass(struct wire *w, struct stream *to, struct str piece)
{
	if (w->slow)
		TRY(fiber_sleep((int64_t)piece.n * SECOND / SLOW_RATE));
	return stream_write(to, piece);
}

static may_suspend struct error *pass_garbage(struct stream *to)
{
	_cleanup_(strbuf_fini) struct strbuf garbage = STRBUF_INIT;
	size_t n = 1 + (size_t)rand_below(300);

	while (garbage.n < n)
		strbuf_addc(&garbage, (char)rand_below(256));
	TRY(stream_write(to, strbuf_str(&garbage)));
	return stream_shutdown(to);
}

/* What the fault makes of a piece: NULL where it is passed on as it is. */
static may_suspend struct error *suffer(struct wire *w, enum fault_kind kind, struct stream *to,
					struct str piece, bool *ret_done)
{
	bool down = to == w->near;

	*ret_done = false;
	switch (kind) {
	case FAULT_REFUSE:
	case FAULT_RESET:
		TRY(stream_write(to, str_first(piece, (size_t)rand_below(piece.n + 1))));
		return broken(w);
	case FAULT_STALL:
		return mute_for_ever(w, to);
	case FAULT_GARBAGE:
	case FAULT_CUT:
		if (!down) {
			w->next = kind;
			return NULL;
		}
		*ret_done = true;
		if (kind == FAULT_GARBAGE)
			return pass_garbage(to);
		TRY(stream_write(to, str_first(piece, piece.n / 2)));
		return stream_shutdown(to);
	case FAULT_SLOW:
		w->slow = true;
		return NULL;
	case FAULT_HANGUP:
		return hang_up(w->sim);
	default:
		return NULL;
	}
}

void sim_lie(struct sim_engine *e, const char *request, struct str first, struct str more)
{
	e->lie = (struct sim_lie){ request, first, more };
}

size_t sim_most_lied(const struct sim_engine *e)
{
	return e->most_lied;
}

/* Answers in the engine's place, until the manager has had enough. */
static may_suspend struct error *lie(struct wire *w)
{
	const struct sim_lie lie = w->engine->lie;
	size_t told = lie.first.n;

	TRY(delay(MIN(w->latency, w->sim->latency)));
	TRY(stream_write(w->near, lie.first));
	while (lie.more.n > 0) {
		TRY(stream_write(w->near, lie.more));
		told += lie.more.n;
		w->engine->most_lied = MAX(w->engine->most_lied, told);
	}
	return mute_for_ever(w, w->far);
}

static bool is_lied_to(const struct wire *w)
{
	const char *request = w->engine->lie.request;

	return request && str_starts(str_from(w->request), str_from(request));
}

static may_suspend struct error *relay_piece(struct wire *w, struct stream *to, struct str piece)
{
	enum fault_kind kind;
	bool done;

	if (to == w->far)
		note_request(w, piece);
	TRY(await_line(w, UNACKNOWLEDGED));
	if (to == w->far && is_lied_to(w))
		return lie(w);
	TRY(delay(MIN(w->latency, w->sim->latency)));
	kind = meet(w->sim, w->engine, w->request);
	if (kind == FAULT_NONE && to == w->near) {
		kind = w->next;
		w->next = FAULT_NONE;
	}
	TRY(suffer(w, kind, to, piece, &done));
	/* After its last word the engine may talk on, and nobody hears. */
	return done || w->mute ? mute_for_ever(w, to) : pass(w, to, piece);
}

static may_suspend struct error *relay(struct wire *w, struct stream *from, struct stream *to)
{
	_cleanup_(mem_freep) char *piece = mem_alloc(PIECE);
	size_t n;

	for (;;) {
		TRY(stream_read(from, piece, PIECE, &n));
		TRY(await_line(w, UNACKNOWLEDGED));
		if (n == 0)
			break;
		TRY(relay_piece(w, to, str_of(piece, n)));
	}
	return stream_shutdown(to);
}

static may_suspend void relay_up(void *arg)
{
	struct wire *w = arg;

	end_direction(w, relay(w, w->near, w->far));
}

static may_suspend void relay_down(void *arg)
{
	struct wire *w = arg;

	end_direction(w, relay(w, w->far, w->near));
}

static may_suspend struct error *await_cut(struct sim_engine *e)
{
	while (!e->cut)
		TRY(waitq_wait(&e->line, "a cut"));
	return NULL;
}

/* A connection that says nothing dies of a cut too. */
static may_suspend void watch(void *arg)
{
	struct wire *w = arg;
	struct error *err = NULL;

	while (!err) {
		err = await_cut(w->engine);
		if (!err)
			err = await_line(w, KEEP_ALIVE);
	}
	if (w->lost)
		group_cancel(&w->directions);
	error_free(err);
}

static may_suspend void wire_main(void *arg)
{
	struct wire *w = arg;
	_cleanup_(group_finish) struct group watcher = GROUP_INIT;
	struct error *err;

	group_go(&w->directions, "wire up", relay_up, w);
	group_go(&w->directions, "wire down", relay_down, w);
	group_go(&watcher, "wire watch", watch, w);
	err = group_wait(&w->directions);
	group_finish(&w->directions);
	group_finish(&watcher);

	if (err || w->broken || w->lost)
		stream_abort(take(w->near));
	else
		stream_close(take(w->near));
	while (!err && w->engine->cut)
		err = waitq_wait(&w->engine->line, "the line to be mended");
	if (err || w->broken || w->lost)
		stream_abort(take(w->far));
	else
		stream_close(take(w->far));
	error_free(err);
	waitq_fini(&w->never);
	free(w);
}

static struct error *refused(const char *address)
{
	return error_new(ERR_REFUSED, "cannot connect to %s: Connection refused", address);
}

static may_suspend struct error *await_engine(struct sim_engine *e, const char *address,
					      int64_t latency)
{
	TRY(delay(latency));
	while (e && e->cut)
		TRY(waitq_wait(&e->line, "the line to be mended"));
	if (!e || !e->up)
		return refused(address);
	return NULL;
}

static may_suspend struct error *connect_engine(struct sim *s, struct sim_engine *e,
						const char *address, struct stream **ret)
{
	int64_t latency = draw_latency(s);
	enum fault_kind kind;
	struct wire *w;

	TRY(await_engine(e, address, latency));
	kind = meet(s, e, NULL);
	if (kind == FAULT_REFUSE || kind == FAULT_RESET)
		return refused(address);
	if (kind == FAULT_HANGUP)
		TRY(hang_up(s));
	if (kind == FAULT_STALL)
		TRY(fiber_sleep(100 * HOUR));

	w = mem_new(struct wire);
	w->sim = s;
	w->engine = e;
	w->latency = latency;
	w->next = kind == FAULT_GARBAGE || kind == FAULT_CUT ? kind : FAULT_NONE;
	w->slow = kind == FAULT_SLOW;
	memory_pair(SOCKET_SPACE, "manager", address, &w->near, ret);
	w->far = listener_connect(e->listener, "manager");
	group_go(&s->network, "wire", wire_main, w);
	return NULL;
}

static struct error *connect_manager(struct listener *l, const char *address, struct stream **ret)
{
	if (!l)
		return refused(address);
	*ret = listener_connect(l, "replica:40000");
	return NULL;
}

may_suspend struct error *wire_dial(const struct addr *a, void *sim, struct stream **ret)
{
	_cleanup_(strbuf_fini) struct strbuf address = STRBUF_INIT;
	const struct sim *s = sim;
	struct str client = str_strip_prefix(str_from(a->host), STR("client-"));

	if (client.n < strlen(a->host)) {
		*ret = client_connect(sim, client.p);
		return NULL;
	}
	addr_format(a, &address);
	if (strcmp(a->host, sim_primary_addr.host) == 0)
		return connect_manager(s->listener, address.p, ret);
	if (s->manager_at && str_starts(str_from(a->host), STR("10.9.0.")))
		return connect_manager(s->manager_at(a), address.p, ret);
	return connect_engine(sim, sim_engine_at(sim, a), address.p, ret);
}
