/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What builds must remember across requests: which of them have to meet on one node, and which
 * node each client's gRPC went to. State and look-ups; choosing a node is build.c. Private to
 * cluster/.
 */
#ifndef CLUSTER_BUILD_TABLE_H
#define CLUSTER_BUILD_TABLE_H

#include <stdbool.h>

#include "base/list.h"
#include "base/map.h"
#include "engine/engine.h"
#include "fiber/waitq.h"

/* Requests that name one session (or one build) and so belong on one node; gone with the last. */
struct meeting {
	char *key;
	unsigned int users;
	struct engine *engine; /* a reference; NULL: not chosen yet */
	bool attended;	       /* its /session is here: there can be one */
};

/* The node of one client's /grpc and /session: while it is used, and for a while after. */
struct build_pin {
	struct list lapsed; /* linked while nobody uses it */
	char *client;
	unsigned int users;
	struct engine *engine; /* a reference */
	int64_t until;	       /* clock_now(), while nobody uses it */
	bool current;	       /* the client's; false: another took its place */
	uint64_t ended;	       /* so many gRPC connections, each of which may have made images */
	uint64_t seen;	       /* so many of them had ended when the node's images were read */
};

struct build_table {
	struct map meetings;
	struct map pins;
	struct list lapsed; /* of struct build_pin, the longest unused first */
	struct waitq news;  /* a meeting has its node, or a client its pin */
};

void build_table_init(struct build_table *t);
void build_table_clear(struct build_table *t); /* forgets the pins that nobody uses */
void build_table_fini(struct build_table *t);  /* cleared, and nobody uses it */

/* The id of a session and of a build are different things. */
enum meeting_kind { MEETING_SESSION, MEETING_BUILD };
struct meeting *meeting_join(struct build_table *t, enum meeting_kind kind, struct str id);
void meeting_leave(struct build_table *t, struct meeting *m); /* NULL is fine */
/* The first node counts: a later one changes nothing. */
void meeting_set_engine(struct build_table *t, struct meeting *m, struct engine *e);
/* The node of a meeting that somebody takes part in; borrowed, NULL: none. */
struct engine *meeting_find(const struct build_table *t, enum meeting_kind kind, struct str id);

/* Uses the client's pin; NULL where it has none, or its node is not well. */
struct build_pin *build_pin_use(struct build_table *t, struct str client);
/* Makes the client's pin, in place of what it had, and uses it. */
struct build_pin *build_pin_make(struct build_table *t, struct str client, struct engine *e);
void build_pin_leave(struct build_table *t, struct build_pin *p); /* NULL is fine */
/* The client's pin, which this does not use; NULL where it has none. */
struct build_pin *build_pin_find(const struct build_table *t, struct str client);

#endif
