/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams in memory. Each direction is a channel; what one end does to it shows at the other as a
 * socket would show it: an end of the stream behind the last byte, a reset behind what had come,
 * ERR_CLOSED for a write to a peer that is gone, a reset for a peer that left bytes unread.
 */
#include "net/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "fiber/waitq.h"

struct channel {
	struct strbuf bytes;
	size_t taken; /* bytes at the front that were read */
	bool ended;   /* the writer sends no more */
	bool reset;   /* ... and says so rudely */
	bool unread;  /* the reader has gone */
	struct waitq readers, writers;
	struct fiber *dependent; /* of the reader: cancelled when the writer ends */
	bool when_gone;		 /* ... or only when it closes */
};

struct memory_pair;

struct memory_end {
	struct stream base;
	struct memory_pair *pair;
	struct channel *in, *out;
	bool closed;
};

struct memory_pair {
	size_t capacity;
	struct channel channels[2];
	struct memory_end ends[2];
};

static struct memory_end *memory(struct stream *s)
{
	struct memory_end *e = container_of(s, struct memory_end, base);

	assert(!e->closed);
	return e;
}

static size_t channel_held(const struct channel *c)
{
	return c->bytes.n - c->taken;
}

static bool channel_speaks(const struct channel *c)
{
	return channel_held(c) > 0 || c->ended;
}

static void channel_take(struct channel *c, void *buf, size_t n)
{
	memcpy(buf, c->bytes.p + c->taken, n);
	c->taken += n;
	/* Moving what is left only when it is the lesser part keeps the cost of a byte constant. */
	if (c->taken >= channel_held(c)) {
		strbuf_consume(&c->bytes, c->taken);
		c->taken = 0;
	}
	waitq_wake_all(&c->writers);
}

/* The writer's last word, and whether it has gone with it. */
static void channel_end(struct channel *c, bool gone, bool reset)
{
	struct fiber *dependent = gone || !c->when_gone ? c->dependent : NULL;

	c->ended = true;
	c->reset |= reset;
	if (dependent)
		c->dependent = NULL;
	waitq_wake_all(&c->readers);
	if (dependent)
		fiber_cancel(dependent);
}

static must_check struct error *reset_error(const struct stream *s, const char *verb)
{
	return error_new(ERR_CLOSED, "cannot %s %s: Connection reset by peer", verb, s->peer);
}

static may_suspend struct error *memory_wait_readable(struct stream *s)
{
	struct channel *c = memory(s)->in;

	while (!channel_speaks(c))
		TRY(waitq_wait(&c->readers, "something to read"));
	return NULL;
}

static may_suspend struct error *memory_read(struct stream *s, void *buf, size_t cap, size_t *ret_n)
{
	struct channel *c = memory(s)->in;

	TRY(memory_wait_readable(s));

	size_t n = MIN(cap, channel_held(c));

	if (n == 0 && c->reset)
		return reset_error(s, "read from");
	if (n > 0)
		channel_take(c, buf, n);
	*ret_n = n;
	return NULL;
}

static may_suspend struct error *write_part(struct stream *s, struct str part)
{
	struct memory_end *e = memory(s);
	struct channel *c = e->out;

	while (part.n > 0) {
		if (e->in->reset)
			return reset_error(s, "write to");
		if (c->unread || c->ended)
			return error_new(ERR_CLOSED, "cannot write to %s: Broken pipe", s->peer);
		TRY(fence_check(s->fence));

		size_t n = MIN(part.n, e->pair->capacity - channel_held(c));

		if (n == 0) {
			TRY(waitq_wait(&c->writers, "room to write"));
			continue;
		}
		strbuf_add(&c->bytes, str_first(part, n));
		s->bytes_written += n;
		part = str_skip(part, n);
		waitq_wake_all(&c->readers);
	}
	return NULL;
}

static may_suspend struct error *memory_write(struct stream *s, const struct str *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TRY(write_part(s, parts[i]));
	return NULL;
}

static may_suspend struct error *memory_shutdown(struct stream *s)
{
	struct memory_end *e = memory(s);

	if (e->in->reset)
		return reset_error(s, "end the stream to");
	if (!e->out->ended)
		channel_end(e->out, false, false);
	return NULL;
}

static void memory_cancel_on_hangup(struct stream *s, struct fiber *f)
{
	struct channel *c = memory(s)->in;

	c->when_gone = false;
	c->dependent = c->ended ? NULL : f;
	if (f && c->ended)
		fiber_cancel(f);
}

static void memory_cancel_when_gone(struct stream *s, struct fiber *f)
{
	struct memory_end *e = memory(s);
	bool gone = e->out->unread;

	e->in->when_gone = true;
	e->in->dependent = gone ? NULL : f;
	if (f && gone)
		fiber_cancel(f);
}

static bool memory_quiet(struct stream *s)
{
	return !channel_speaks(memory(s)->in);
}

static void channel_fini(struct channel *c)
{
	waitq_fini(&c->readers);
	waitq_fini(&c->writers);
	strbuf_fini(&c->bytes);
}

static void memory_close(struct stream *s, bool abort)
{
	struct memory_end *e = memory(s);
	struct memory_pair *pair = e->pair;
	bool reset = abort || channel_held(e->in) > 0;

	assert(waitq_empty(&e->in->readers) && waitq_empty(&e->out->writers));
	e->closed = true;
	e->in->unread = true;
	e->in->dependent = NULL;
	channel_end(e->out, true, reset);
	waitq_wake_all(&e->in->writers);
	if (!pair->ends[0].closed || !pair->ends[1].closed)
		return;
	channel_fini(&pair->channels[0]);
	channel_fini(&pair->channels[1]);
	free(pair);
}

static const struct stream_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
	.shutdown = memory_shutdown,
	.wait_readable = memory_wait_readable,
	.cancel_on_hangup = memory_cancel_on_hangup,
	.cancel_when_gone = memory_cancel_when_gone,
	.quiet = memory_quiet,
	.close = memory_close,
};

static void end_init(struct memory_pair *pair, int i, const char *peer)
{
	struct memory_end *e = &pair->ends[i];

	e->base.ops = &memory_ops;
	e->pair = pair;
	e->in = &pair->channels[i];
	e->out = &pair->channels[!i];
	snprintf(e->base.peer, sizeof(e->base.peer), "%s", peer);
}

void memory_pair(size_t capacity, const char *name_a, const char *name_b, struct stream **ret_a,
		 struct stream **ret_b)
{
	struct memory_pair *pair = mem_new(struct memory_pair);

	assert(capacity > 0);
	pair->capacity = capacity;
	end_init(pair, 0, name_b);
	end_init(pair, 1, name_a);
	*ret_a = &pair->ends[0].base;
	*ret_b = &pair->ends[1].base;
}
