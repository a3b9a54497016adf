/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle connections: a few for each host, and a cap over all hosts beyond which the one that has
 * been idle longest goes. They are streams alone, without buffers. Private to http/.
 */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include "base/list.h"
#include "net/stream.h"

/* One host's idle connections, the newest last. Zero-initialised is valid. */
struct pool_host {
	struct list idle;
	size_t n;
};

/* Takes the stream, over which no message is under way. */
void pool_put(struct pool_host *h, struct stream *s);

/* The one that was idle for the shortest time and can still be used; NULL where there is none. */
struct stream *pool_get(struct pool_host *h);

void pool_close(struct pool_host *h); /* all of them */
size_t pool_idle(void);		      /* how many there are, over all hosts */

#endif
