/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session with ZooKeeper: its client library runs on our loop, driven by one fiber, and its calls
 * look like any other that parks. The callbacks of the library only record and wake. What the calls
 * mean for a key-value store is zookeeper.c's affair. Private to kv/.
 */
#ifndef KV_ZOOKEEPER_SESSION_H
#define KV_ZOOKEEPER_SESSION_H

#include <zookeeper/zookeeper.h>

#include "base/vec.h"
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
	struct waitq
		changed;   /* the state is another, an answer came, or something watched changed */
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
may_suspend void zk_session_stop(
	struct zk_session *s);		    /* ends the session; shielded; twice is fine */
void zk_session_fini(struct zk_session *s); /* stopped by then */

/* In some seconds. ERR_REFUSED; ERR_NOT_FOUND: it has ended. */
may_suspend must_check struct error *zk_session_connect(struct zk_session *s);
bool zk_session_connected(const struct zk_session *s);
int64_t zk_session_ttl(const struct zk_session *s); /* as granted; connected by then */
int64_t zk_session_id(const struct zk_session *s);

enum zk_kind { ZK_GET, ZK_EXISTS, ZK_CHILDREN, ZK_CREATE, ZK_SET, ZK_DELETE };

struct zk_request {
	enum zk_kind kind;
	const char *path;
	struct str value; /* of CREATE and SET */
	int flags;	  /* of CREATE */
	bool watch;	  /* of EXISTS and CHILDREN: `news` counts on when it changes */
};

/* What the library said: a code, and what belongs to it. */
struct zk_answer {
	int code;
	struct Stat stat;
	struct strbuf value;
	struct vec names; /* of char * */
};
void zk_answer_fini(struct zk_answer *a);

/*
 * Asks, and waits some seconds for the answer. Codes that say something of the node (ZNONODE,
 * ZNODEEXISTS, ZNOTEMPTY) are answers; all else is an error.
 */
may_suspend must_check struct error *zk_ask(struct zk_session *s, const struct zk_request *request,
					    struct zk_answer *ret);

/* The same in two steps, so that several can be under way. zk_finish takes the call. */
struct zk_call;
must_check struct error *zk_begin(struct zk_session *s, const struct zk_request *request,
				  struct zk_call **ret);
may_suspend must_check struct error *zk_finish(struct zk_call *call, struct zk_answer *ret);

#endif
