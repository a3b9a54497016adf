/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with ZooKeeper: its client library runs on our loop, driven by one fiber. The callbacks
 * of the library only record and wake. What is asked in a session is zookeeper_call.h's affair.
 * Private to kv/.
 */
#ifndef KV_ZOOKEEPER_SESSION_H
#define KV_ZOOKEEPER_SESSION_H

#include <zookeeper/zookeeper.h>

#include "fiber/group.h"
#include "fiber/waitq.h"
#include "kv/backend.h"

struct fd;

struct zk_session {
	const struct addr *addrs; /* lent */
	size_t n_addrs;
	int64_t ttl; /* that is asked for */
	bool once;   /* it is a lease: when it has ended, no other begins in its place */

	zhandle_t *handle;   /* NULL: none at the moment */
	int epoll;	     /* whose readiness is that of the library's socket */
	struct fd *ready;    /* takes epoll */
	int socket;	     /* of the library, in epoll; -1 */
	struct group driver; /* the one fiber */
	/* The state is another, an answer came, or something watched changed. */
	struct waitq changed;
	uint64_t news;	   /* counts what the watches told */
	uint64_t epoch;	   /* counts how often the connection was lost */
	unsigned attempts; /* to connect, since it last was */
	int64_t lost_at;   /* clock_now() since when it is not connected */
	int64_t until;	   /* a lease that nobody renews ends here */
	bool ended;	   /* of a lease: for good */
};

/* Nothing connects before the first call. */
void zk_session_init(struct zk_session *s, const struct addr *addrs, size_t n_addrs, int64_t ttl,
		     bool once);
/* Ends the session; shielded; twice is fine. */
may_suspend void zk_session_stop(struct zk_session *s);
void zk_session_fini(struct zk_session *s); /* stopped by then */

/* In some seconds. ERR_REFUSED; ERR_NOT_FOUND: it has ended. */
may_suspend must_check struct error *zk_session_connect(struct zk_session *s);
bool zk_session_connected(const struct zk_session *s);
int64_t zk_session_ttl(const struct zk_session *s); /* as granted; connected by then */
int64_t zk_session_id(const struct zk_session *s);  /* 0: there is none */

/* For zookeeper_call.c: a call was made; the watcher of one; why one has no answer. */
void zk_session_kick(struct zk_session *s);
void zk_session_on_event(zhandle_t *handle, int type, int state, const char *path, void *session);
must_check struct error *zk_session_lost(const struct zk_session *s);

#endif
