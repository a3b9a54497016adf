/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cap is over all hosts because descriptors are: a manager of ten thousand engines cannot keep
 * one open to each.
 */
#include "http/pool.h"

#include "base/limits.h"
#include "base/mem.h"

struct idle {
	struct list of_host, of_all;
	struct pool_host *host;
	struct stream *stream;
};

/* All idle connections, the longest idle first. */
static struct list all = LIST_INIT(all);
static size_t n_all;

/* Out of the pool; the caller has the stream. */
static struct stream *take_out(struct idle *i)
{
	struct stream *s = i->stream;

	list_remove(&i->of_host);
	list_remove(&i->of_all);
	i->host->n--;
	n_all--;
	free(i);
	return s;
}

static void close_oldest(struct pool_host *h)
{
	stream_close(take_out(list_item(h->idle.next, struct idle, of_host)));
}

void pool_put(struct pool_host *h, struct stream *s)
{
	struct idle *i = mem_new(struct idle);

	if (!h->idle.next)
		list_init(&h->idle);
	i->host = h;
	i->stream = s;
	list_append(&h->idle, &i->of_host);
	list_append(&all, &i->of_all);
	h->n++;
	n_all++;
	if (h->n > LIMIT_IDLE_PER_HOST)
		close_oldest(h);
	if (n_all > LIMIT_IDLE_POOLED)
		stream_close(take_out(list_item(all.next, struct idle, of_all)));
}

struct stream *pool_get(struct pool_host *h)
{
	while (h->n > 0) {
		struct stream *s = take_out(list_item(h->idle.prev, struct idle, of_host));

		if (stream_quiet(s))
			return s;
		stream_close(s);
	}
	return NULL;
}

void pool_close(struct pool_host *h)
{
	while (h->n > 0)
		close_oldest(h);
}

size_t pool_idle(void)
{
	return n_all;
}
