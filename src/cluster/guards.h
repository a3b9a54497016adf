/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The containers that are to be made again when their node fails: a guard for each, which follows
 * the container's latest copy and knows all that it takes. guards.c and guard_follow.c neither park
 * nor act; that is watchdog.c (what is to be done), move.c (one container), copies.c (what is left
 * behind) and guard_save.c (the records). Private to cluster/.
 *
 * Where a container is removed while a node that is down may still have an earlier copy of it, its
 * guard is buried: a guard of another kind, a grave, takes its place and its record, and says of
 * that copy that it is to go (guard_bury.c).
 *
 *              its node is dead, or away          made again
 *     KEPT  ------------------------->  LOST  -------------------> UNFINISHED
 *      ^ ^     <----------------------    ^                          |    |
 *      |            its node is back      +--------------------------+    |
 *      |                                    and that node failed, too     |
 *      +------------------------------------------------------------------+
 *                 in all its networks, and started if it was running
 */
#ifndef CLUSTER_GUARDS_H
#define CLUSTER_GUARDS_H

#include "base/list.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "cluster/records.h"
#include "engine/engine.h"
#include "fiber/group.h"
#include "fiber/waitq.h"

struct cluster;

#define GUARD_KEY_SIZE 33

enum guard_state { GUARD_KEPT, GUARD_LOST, GUARD_UNFINISHED };

/* An earlier copy, until its node has been seen without it. */
struct left {
	struct list link;
	struct guard *of;	/* a grave; NULL: what it is of has not been removed */
	char *container, *name; /* under which it was left */
	char *node_id, *node_name, *node_addr;
};

struct guard {
	unsigned int refs;
	char *name, *swarm_id;
	char key[GUARD_KEY_SIZE]; /* of its record */
	struct list same_name;	  /* others, behind the one in the map */
	enum guard_state state;
	struct list at_todo; /* while it is not KEPT */
	bool dropped;	     /* it is nobody's any more; those at work on it let go */

	/* The copy that it follows. */
	char *container, *node_id, *node_name, *node_addr;
	bool seen;		     /* it was in the tables since this manager began */
	uint32_t copy;		     /* its generation */
	uint32_t generation;	     /* the highest that any copy may have been given */
	bool spent;		     /* a copy may have that generation */
	bool running;		     /* it is meant to run */
	int64_t as_of;		     /* since when, by the node's clock; 0: is not known */
	uint64_t told_in;	     /* in that term a client said so before records were read */
	bool made_again;	     /* the copy was made by a move that is not finished */
	char *from;		     /* the node that it was moved from last; or NULL */
	struct strbuf specification; /* docker/specification.h */
	int64_t stopped_at;	     /* it ended by itself then, and may still be meant to run */
	struct list at_fading;

	/* guard_bury.c */
	struct list left;    /* of struct left */
	bool astray;	     /* an engine was asked for a copy that never was seen */
	struct list at_left; /* while there are any left, and in a grave */
	int64_t removed_at;  /* it is a grave: wall clock; else 0 */
	bool gone;	     /* and so is the copy that it followed */
	bool awaited;	     /* nobody has tried to write that */

	/* watchdog.c */
	bool moving;
	int64_t retry_at, pause;
	struct strbuf trouble; /* why it could not be made again, as it was logged last */

	/* guard_save.c */
	struct list at_dirty;
	bool first; /* it is in dirty_first */
	bool saving;
	unsigned int tries;
	uint64_t saved; /* hash of its record's text; 0: there is none */
};

struct guards {
	struct map by_name;
	size_t n;
	struct list todo, fading;
	struct list dirty, dirty_first; /* records to write; a client waits for the latter */
	struct list removals;		/* of records, by guard_save.c */
	struct waitq saved, changed, loaded;
	struct list left;    /* those that have left copies, and all graves */
	struct map graves;   /* by name, as by_name */
	struct map left_ids; /* of struct left, those of graves */
	size_t n_graves;
	size_t n_awaited; /* graves and removals of records that nobody has tried to write */
	bool store_fails; /* as far as it was asked last */
	bool removes;	  /* a record was removed last, and none was written */
	bool woken, began, is_loaded;
	uint64_t loaded_term; /* in which the records were read */
	int64_t elected_at;   /* when all nodes were to be looked at before that; clock_now() */
	int64_t began_at, remove_at;
	struct group fibers, moves;
	struct map removing; /* of struct removal (copies.c) */
};

/* guards.c */
void guards_init(struct guards *gs);
void guards_fini(struct cluster *c); /* frees all guards; their records stay */

struct guard *guard_ref(struct guard *g);
void guard_unref(struct guard *g);
DEFINE_CLEANUP(struct guard *, guard_unref)

void guards_add(struct cluster *c, struct guard *g); /* takes the reference */
struct guard *guards_find(const struct cluster *c, struct str name, struct str swarm_id);
/* One that is lost and has the name, though no container of the tables may have it now. */
struct guard *guards_lost_named(const struct cluster *c, struct str name);

/* What is known of a guard whose container cannot be seen. */
enum guard_verdict {
	GUARD_WAIT,    /* its node may be back in a moment */
	GUARD_FAILED,  /* its node is dead */
	GUARD_ABSENT,  /* its node left the pool: whether it answers is to be asked */
	GUARD_REMOVED, /* its node is well, and the container is not there */
};
enum guard_verdict guard_judge(const struct cluster *c, const struct guard *g);

void guard_set_state(struct cluster *c, struct guard *g, enum guard_state next);
/* It will not be made again; its record goes. The caller may need a reference. */
void guard_drop(struct cluster *c, struct guard *g);
void guard_let_go(struct cluster *c, struct guard *g); /* the same, but for the record */
/* That it is meant to run, or is not, is known for certain, of a copy that is so `as_of` then. */
void guard_set_running(struct guard *g, bool running, int64_t as_of);
void guard_rename(struct cluster *c, struct guard *g, struct str name);
void guard_set_text(char **slot, struct str text); /* a copy of it */
/* The container that it follows; NULL where that is in no table. */
struct container *guard_container(const struct cluster *c, const struct guard *g);

/* It is left of what was removed, or earlier than the copy that is followed, wherever that is. */
bool guards_know_outlived(const void *cluster, const struct container *ct);

/* guard_follow.c: what the tables are told (members.c), after they were. NULL `after`: gone. */
void guards_container(struct cluster *c, struct engine *e, const struct container *before,
		      const struct container *after);
void guards_engine(struct cluster *c, struct engine *e);
/* Its move is over; `read`: as the copy is now, or NULL where that could not be read. */
void guard_finished(struct cluster *c, struct guard *g, const struct container *read);
/* Out of a record: unless what the tables tell is newer. Takes the reference. */
void guards_take_record(struct cluster *c, struct guard *record, struct str key, struct str text);
/*
 * Forgets that those were meant to run which ended while their nodes were well; true: others wait.
 */
bool guards_fade(struct cluster *c);

/* guard_bury.c */
struct str left_key(const void *left);
void left_free(struct left *l);
/* The copy that `of` follows (it may be g) is one that g has left; and so is that container. */
void guard_leave_copy(struct cluster *c, struct guard *g, const struct guard *of);
void guard_leave_container(struct cluster *c, struct guard *g, const struct container *ct);
/* What the other one has left, and has astray, is this one's, too. */
void guard_inherit(struct cluster *c, struct guard *g, const struct guard *other);
/* It follows another copy now: that is none that is left, and there is none in its place. */
void guard_settle_in(struct cluster *c, struct guard *g);
/*
 * The container was removed; `gone` false: but for the copy that the guard follows, whose node
 * cannot be asked. Drops the guard, and buries it where anything may be left of the container.
 */
void guard_bury(struct cluster *c, struct guard *g, bool gone);
/* Out of a record. Takes the reference. */
void guards_take_grave(struct cluster *c, struct guard *grave, struct str key, struct str text);
/* The record has become a grave since it was read: what was read is no news. */
bool guards_have_buried(const struct cluster *c, const struct guard *record);
/* The container that the guard follows was removed, as far as this manager knows. */
bool guards_know_removed(const struct cluster *c, const struct guard *g);
/* The container is what is left of one that was removed. */
bool guards_is_remnant(const struct cluster *c, const struct container *ct);
/* A container goes by that name and swarm id: none of them is one gone astray. */
void guards_end_astray(struct cluster *c, struct str name, struct str swarm_id);
/* Forgets the copies that are gone, the graves that are of no use any more. */
void guards_settle_left(struct cluster *c);
bool grave_is_of_pool(const struct cluster *c, const struct guard *grave); /* by its addresses */

/* guard_text.c: the record of a guard, and a guard out of one, in no table yet. */
void guard_write(const struct guard *g, struct strbuf *out);
must_check struct error *guard_read(struct str text, struct guard **ret);

/* guard_save.c */
void guard_dirty(struct cluster *c, struct guard *g);
void guard_dirty_first(struct cluster *c, struct guard *g); /* a client waits for it */
void guard_forget_record(struct cluster *c, const struct guard *g);
/* It was written, or that failed, or need not be: who waits for it goes on. */
void guards_end_wait(struct cluster *c, bool *awaited);
/* Parks until what the guard is now was put, or that failed. */
may_suspend must_check struct error *guard_await_saved(struct cluster *c, struct guard *g);
/*
 * Both park until the record tells what the guard is now, or the records tell of all removals: for
 * a client that is to hear of it. Where that cannot be written, or is not in 10 s, the log says so.
 */
may_suspend void guard_await_remembered(struct cluster *c, struct guard *g);
may_suspend void guards_await_buried(struct cluster *c);
may_suspend void guards_save_main(void *cluster);
may_suspend must_check struct error *guards_load(struct cluster *c);
may_suspend void guards_flush(struct cluster *c); /* a last attempt, at the end */

/* watchdog.c */
void guards_begin(struct cluster *c); /* in a loop; once is enough */
may_suspend void guards_stop(struct cluster *c);
void guards_wake(struct cluster *c);
uint64_t guards_term(const struct cluster *c); /* never 0 */
bool guards_may_act(const struct cluster *c);
must_check struct error *guards_check_acting(const struct cluster *c);
bool guards_are_loaded(const struct cluster *c);
/* Parks until the records were read: before that a name may seem free that is not. */
may_suspend must_check struct error *guards_await_loaded(struct cluster *c);

/* move.c: one step further for a guard that is not KEPT; `arg` is a struct move's. */
struct move;
void move_begin(struct cluster *c, struct guard *g);

/* copies.c */
struct str removal_key(const void *removal);
void copies_begin(struct cluster *c); /* to remove each stale copy whose node is well */
bool copies_are_in_the_way(const struct cluster *c, const struct guard *g); /* one must go first */
/* Parks while a node that is well still has the name, of a container that was removed. */
may_suspend must_check struct error *copies_await_name(struct cluster *c, struct str name);

#endif
