/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONE Docker host: whether it is well, what is on it, and how to talk to it. Knows nothing of other
 * hosts; what it learns goes to its observer.
 *
 *            validated                    failures = retry
 *   PENDING ----------> HEALTHY <------------------------> UNHEALTHY
 *      ^                   |          first success           |
 *      +--- another ID ----+----------------------------------+
 *   any --stop--> GONE
 *
 * A healthy or unhealthy engine has two fibers: health (pings after a failure, reconciles at the
 * refresh interval) and monitor (its event stream, always drained at once). A third refreshes
 * single containers, images, volumes and networks while some are out of date.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/error.h"
#include "base/map.h"
#include "docker/event.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/info.h"
#include "engine/object.h"
#include "net/addr.h"

struct engine;
struct fence;
struct tls_context;

enum engine_state { ENGINE_PENDING, ENGINE_HEALTHY, ENGINE_UNHEALTHY, ENGINE_GONE };
/* "Pending", "Healthy", "Unhealthy", "Disconnected" */
const char *engine_state_name(enum engine_state s);

/*
 * What the engine tells. Called in the order in which things happen, never parks. Before a state of
 * HEALTHY is told for the first time, all that is on it has been.
 */
struct engine_observer {
	/*
	 * The answers of /info and /version are read; a refusal (an ID that another node has)
	 * keeps it pending with that error.
	 */
	struct error *(*validate)(void *arg, struct engine *e, const struct engine_info *info);
	/*
	 * Also with the state that it is in, when its error or health degree changed, and PENDING
	 * after each attempt to admit it that failed.
	 */
	void (*state)(void *arg, struct engine *e, enum engine_state before);
	/* before NULL: new; after NULL: gone; both: news of it. Borrowed. */
	void (*container)(void *arg, struct engine *e, struct container *before,
			  struct container *after);
	void (*image)(void *arg, struct engine *e, struct image *before, struct image *after);
	/* A volume or a network. */
	void (*object)(void *arg, struct engine *e, struct object *before, struct object *after);
	void (*event)(void *arg, struct engine *e, const struct docker_event *ev);
	/* Events of this span of the engine's clock may have been lost (unix ns). */
	void (*events_lost)(void *arg, struct engine *e, int64_t from, int64_t to);
	/* /info was read again: labels, name or resources may differ. */
	void (*info)(void *arg, struct engine *e, const struct engine_info *before);
};

struct engine_config {
	int64_t refresh_min, refresh_max; /* between two full reconciles */
	unsigned int failure_retry;
	size_t kept;		 /* bytes that its containers may take; 0: LIMIT_ENGINE_KEPT */
	size_t news;		 /* that may be told and not read; 0: LIMIT_ENGINE_NEWS */
	struct tls_context *tls; /* NULL: in the clear */
	const struct fence
		*fence; /* what changes anything on it is held to; borrowed, may be NULL */
	const struct engine_observer *observer;
	void *observer_arg;
};

/* The config is copied. Does nothing before engine_start. */
struct engine *engine_new(const struct addr *a, const struct engine_config *config);
struct engine *engine_ref(struct engine *e);
void engine_unref(struct engine *e); /* never parks; stopped, or never started, by then */
void engine_start(struct engine *e);
/* To GONE: joins its fibers; what is on it is told as gone, then its state. */
may_suspend void engine_stop(struct engine *e);

DEFINE_CLEANUP(struct engine *, engine_unref)

/* What it is now. Borrowed texts change at the next park. */
enum engine_state engine_state(const struct engine *e);
struct str engine_addr(const struct engine *e); /* "10.0.0.1:2375", as discovery gave it */
struct str engine_ip(const struct engine *e);	/* numeric, of the connection; else the host part */
struct str engine_name(const struct engine *e); /* "" while pending and never validated */
struct str engine_id(const struct engine *e);
/* NULL before the first validation. */
const struct engine_info *engine_info(const struct engine *e);
struct str engine_error(const struct engine *e);   /* why pending or unhealthy; "" when well */
int engine_health(const struct engine *e);	   /* degree, 0 to 100 */
int64_t engine_updated_at(const struct engine *e); /* last news, unix ns of our clock */
int64_t engine_skew(const struct engine *e);	   /* its clock less ours, ns; 0 below 2 s */
int64_t engine_now(const struct engine *e);	   /* the engine's own clock, unix ns */
/*
 * Every event of its clock's time beyond this is yet to be told to the observer; some before it may
 * be too, within moments of it.
 */
int64_t engine_events_seen(const struct engine *e);
/* When something last came from it; clock_now(). 0: never. */
int64_t engine_heard_at(const struct engine *e);
/* When the last look at all that is on it began that was completed; clock_now(). 0: never. */
int64_t engine_looked_at(const struct engine *e);
/* As many failures in a row as make an engine unhealthy; of one that is pending, too. */
bool engine_is_dead(const struct engine *e);
/*
 * What is told as gone at this moment goes from our tables alone: the engine leaves them, or
 * another one has its address.
 */
bool engine_is_leaving(const struct engine *e);
void *engine_owner(const struct engine *e); /* what engine_set_owner gave: the cluster's member */
void engine_set_owner(struct engine *e, void *owner);

/* Its tables, to look up and to walk inside NO_SUSPEND. */
const struct map *engine_containers(const struct engine *e); /* of struct container, by id */
const struct map *engine_images(const struct engine *e);     /* of struct image, by id */
const struct map *engine_objects(const struct engine *e, enum object_kind kind); /* by key */
const struct map *engine_volumes(const struct engine *e);  /* of struct object, by name */
const struct map *engine_networks(const struct engine *e); /* of struct object, by id */

/*
 * Fetches the container (image, by any name or id; volume; network) anew and returns when the
 * observer has been told what it is now: what a client just did, its next request sees. A transport
 * failure is an error.
 */
may_suspend must_check struct error *engine_refresh_container(struct engine *e, struct str id);
/* The same where what is not read now, the node's events will tell. True: it was. */
may_suspend bool engine_read_back_container(struct engine *e, struct str id);
may_suspend must_check struct error *engine_refresh_image(struct engine *e, struct str name);
may_suspend must_check struct error *engine_refresh_images(struct engine *e); /* all of them */
may_suspend must_check struct error *engine_refresh_object(struct engine *e, enum object_kind kind,
							   struct str key);
may_suspend must_check struct error *engine_refresh_volume(struct engine *e, struct str name);
may_suspend must_check struct error *engine_refresh_network(struct engine *e, struct str id);
/* Everything, as at the refresh interval. */
may_suspend must_check struct error *engine_reconcile(struct engine *e);

/* Removes it from the tables at once: the engine has answered that it is gone. */
void engine_forget_container(struct engine *e, struct str id);
void engine_forget_object(struct engine *e, enum object_kind kind, struct str key);

/*
 * A call to the engine failed at the transport: counts against its health, and is pinged from now
 * on. Frees nothing.
 */
void engine_failed(struct engine *e, const struct error *err);

#endif
