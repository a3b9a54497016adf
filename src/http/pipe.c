/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two fibers, one for each direction, and their caller, who sees to it that the end of one is
 * the end of the other where it has to be.
 */
#include "http/pipe.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/waitq.h"

/* How long a side may take to read the last words of one that is gone, and to end in turn. */
#define PIPE_LINGER (5 * SECOND)
/* How long the engine may take nothing at all of what is sent to it once it has ended its side. */
#define PIPE_STUCK (10 * SECOND)

enum { BUFFER = 64 * 1024 };

struct way {
	struct stream *from, *to;
	struct str early;
	struct pipe *pipe;
	struct way *back; /* the other direction */
	char *buf;	  /* only while bytes are moving */
	bool sending;	  /* in a write to `to`, which may be stuck there */
	bool dropping;	  /* `to` takes no more */
	bool over;
};

struct pipe {
	struct way ways[2];
	struct waitq changed;
	struct error *gone; /* why a side is */
	bool cut;	    /* nothing more can be carried either way */
};

/*
 * `to` takes no more. What it sent before may still be on its way back: the last words of a
 * container that never reads its input. So this way goes on, and drops what it reads.
 */
static struct error *to_is_gone(struct way *w, struct error *err)
{
	if (!error_is(err, ERR_CLOSED))
		return err;
	w->dropping = true;
	error_keep(&w->pipe->gone, err);
	waitq_wake_all(&w->pipe->changed);
	return NULL;
}

static may_suspend struct error *send_on(struct way *w, struct str data)
{
	struct error *err;

	if (w->dropping)
		return NULL;
	w->sending = true;
	err = stream_write(w->to, data);
	w->sending = false;
	return to_is_gone(w, err);
}

static may_suspend struct error *send_end(struct way *w)
{
	return w->dropping ? NULL : to_is_gone(w, stream_shutdown(w->to));
}

/*
 * Copies until the end of `from`. A read that came back short has taken all there was, so the
 * next one would have to wait: without a buffer then.
 */
static may_suspend struct error *copy(struct way *w)
{
	size_t n = 0;

	if (w->early.n > 0)
		TRY(send_on(w, w->early));
	for (;;) {
		if (n < BUFFER) {
			free(take(w->buf));
			TRY(stream_wait_readable(w->from));
			w->buf = mem_alloc(BUFFER);
		}
		TRY(stream_read(w->from, w->buf, BUFFER, &n));
		if (n == 0)
			return send_end(w);
		TRY(send_on(w, str_of(w->buf, n)));
	}
}

static may_suspend struct error *await_change(const struct way *w)
{
	return waitq_wait(&w->pipe->changed, "the end of a stream's other way");
}

/* The same, or until a write to the engine, which has ended its side, does not end: ret_stuck. */
static may_suspend struct error *await_engine(const struct way *w, bool *ret_stuck)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(PIPE_STUCK);
	bool was_sending = w->back->sending;
	uint64_t written = w->from->bytes_written;
	struct error *err = await_change(w);

	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	*ret_stuck = was_sending && w->back->sending && w->from->bytes_written == written;
	return NULL;
}

/*
 * This way is over: who was heard only listens now. Nothing that it says would tell that it has
 * gone, and while the other side is silent no write would either, so that is watched for.
 *
 * An engine that is through with a container ends its side, and leaves what comes unread until its
 * client closes; a client that died while its input was stuck here is not seen to. A client that
 * takes nothing may be one that was paused.
 */
static may_suspend void watch_listener(struct way *w)
{
	_cleanup_(error_freep) struct error *err = NULL;
	struct pipe *p = w->pipe;
	bool is_engine = w == &p->ways[1], stuck = false;

	stream_cancel_when_gone(w->from, fiber_self());
	while (!w->back->over && !err && !stuck)
		err = is_engine ? await_engine(w, &stuck) : await_change(w);
	stream_cancel_when_gone(w->from, NULL);
	if (w->back->over)
		return;
	w->back->dropping = true;
	p->cut |= stuck;
	error_keep(&p->gone, error_new(ERR_CLOSED, "%s %s", w->from->peer,
				       stuck ? "takes nothing more" : "is gone"));
	waitq_wake_all(&p->changed);
}

static may_suspend void run_way(void *arg)
{
	struct way *w = arg;
	struct pipe *p = w->pipe;
	struct error *err = copy(w);

	free(take(w->buf));
	/*
	 * A side that was reset is no longer there to talk to. Only where we were sending to it
	 * may that be its way to say that it has heard enough, as a socket does that is closed
	 * with input unread; then what it said before is carried to its end.
	 */
	if (error_is(err, ERR_CLOSED) && (w->back->sending || w->back->dropping)) {
		error_keep(&p->gone, err);
		err = send_end(w);
	}
	p->cut |= err != NULL;
	error_keep(&p->gone, err);
	w->over = true;
	waitq_wake_all(&p->changed);
	if (!p->gone)
		watch_listener(w);
}

/* All is carried, or one side is gone and what came from it was carried. */
static bool is_over(const struct pipe *p)
{
	if (p->cut || (p->ways[0].over && p->ways[1].over))
		return true;
	return p->gone && (p->ways[0].over || p->ways[1].over);
}

static may_suspend struct error *await_end(struct pipe *p)
{
	while (!is_over(p))
		TRY(waitq_wait(&p->changed, "a joined stream"));
	return NULL;
}

/* The other side may read on for a while; what it says goes nowhere. */
static may_suspend struct error *await_linger(struct pipe *p)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(PIPE_LINGER);

	while (!p->cut && !(p->ways[0].over && p->ways[1].over))
		TRY(waitq_wait(&p->changed, "the rest of a joined stream"));
	return NULL;
}

static may_suspend struct error *run(struct pipe *p)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "pipe there", run_way, &p->ways[0]);
	group_go(&g, "pipe back", run_way, &p->ways[1]);
	TRY(await_end(p));
	return await_linger(p);
}

may_suspend struct error *pipe_join(struct stream *a, struct str early_a, struct stream *b,
				    struct str early_b)
{
	struct pipe p = { .ways = { { .from = a, .to = b, .early = early_a },
				    { .from = b, .to = a, .early = early_b } } };
	_cleanup_(error_freep) struct error *err = NULL;

	for (int i = 0; i < 2; i++) {
		p.ways[i].pipe = &p;
		p.ways[i].back = &p.ways[!i];
	}
	err = run(&p);
	if (!p.gone || error_is(err, ERR_CANCELLED)) {
		error_free(p.gone);
		return take(err);
	}
	return p.gone;
}
