/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to ZooKeeper in a session: they look like any other that parks. What they mean for a
 * key-value store is zookeeper.c's affair. Private to kv/.
 */
#ifndef KV_ZOOKEEPER_CALL_H
#define KV_ZOOKEEPER_CALL_H

#include "base/str.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "kv/zookeeper_session.h"

struct fence;

#define ZK_ANY_VERSION (-1)

enum zk_kind { ZK_GET, ZK_EXISTS, ZK_CHILDREN, ZK_CREATE, ZK_SET, ZK_DELETE };

struct zk_request {
	enum zk_kind kind;
	const char *path;
	struct str value;	   /* of CREATE and SET */
	int flags;		   /* of CREATE */
	int version;		   /* of DELETE: what it has to be; ZK_ANY_VERSION */
	bool watch;		   /* of EXISTS and CHILDREN: `news` counts on when it changes */
	const struct fence *fence; /* asked before the library gets it; NULL: none */
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
 * ZNODEEXISTS, ZNOTEMPTY, ZBADVERSION) are answers; all else is an error.
 */
may_suspend must_check struct error *zk_ask(struct zk_session *s, const struct zk_request *request,
					    struct zk_answer *ret);

/* The same in two steps, so that several can be under way. zk_finish takes the call. */
struct zk_call;
must_check struct error *zk_begin(struct zk_session *s, const struct zk_request *request,
				  struct zk_call **ret);
may_suspend must_check struct error *zk_finish(struct zk_call *call, struct zk_answer *ret);

#endif
