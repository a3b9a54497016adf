/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of engine/ share: the engine, and what each of them does for the others. Private
 * to engine/.
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "base/strbuf.h"
#include "base/vec.h"
#include "engine/client.h"
#include "engine/engine.h"
#include "fiber/deadline.h"
#include "fiber/group.h"
#include "fiber/waitq.h"
#include "http/client.h"

struct dirty;

#define SEEN_EVENTS 64 /* that a broken stream is resumed by */

struct seen_event {
	int64_t time;
	uint64_t digest; /* of its text */
};

struct engine {
	unsigned int refs;
	struct addr addr;
	struct strbuf addr_text;
	struct engine_config config;
	struct http_client *http;
	void *owner;

	enum engine_state state;
	struct engine_info *info;
	struct strbuf error;
	int64_t updated_at;
	struct map containers, images, objects[OBJECT_KINDS];
	size_t kept;	    /* bytes of the containers */
	unsigned int epoch; /* one higher whenever what was known is dropped */
	bool leaving;	    /* it is being dropped now */

	/* health.c */
	struct group fibers; /* the engine's own fiber */
	struct group pings;
	struct waitq wake;
	bool woken;
	bool suspect;  /* ping at once */
	bool answered; /* a ping was, and the engine's fiber has yet to act on it */
	bool replaced; /* another engine answers at the address */
	unsigned int failures;
	unsigned int n_pings; /* under way */
	int64_t pinged_at;    /* when the last ping began */
	int64_t heard_at;     /* when something last came from it; clock_now() */
	int64_t answered_at;  /* when the last ping that was answered began */
	int64_t quiet;	      /* how long nothing may be heard before a ping */
	int64_t reconcile_at;
	int64_t looked_at; /* when the last look at all that is on it began; clock_now() */

	/* monitor.c */
	struct group monitor;
	struct http_exchange *stream; /* NULL: no event stream */
	int64_t stream_at;	      /* when it was opened; clock_now() */
	int64_t stream_from; /* events have been followed since this time of the engine's clock */
	int64_t last_time;   /* of the last event seen; 0: none yet */
	bool replaying;	     /* the stream has yet to show an event that was seen before */
	struct seen_event *seen; /* SEEN_EVENTS of them, from the first event on */
	size_t n_seen;		 /* ever: the last of them are kept */

	/* refresh.c, reconcile.c */
	struct group refreshers;
	struct map dirty;  /* of struct dirty: marked or being fetched */
	struct list queue; /* of struct dirty: marked, the next one due first */
	struct waitq fetched;
	unsigned int n_workers, n_fetches;
	struct list reconciles; /* of struct reconcile: under way, to be told what has news */
	bool inspect_all;	/* the next reconcile inspects what looks the same, too */
	int64_t inspected_at;	/* when the last reconcile of that kind began; clock_now() */
};

/* engine.c: the one place that changes state and tables, and tells the observer. */
void engine_set_state(struct engine *e, enum engine_state next);
void engine_set_error(struct engine *e, const struct error *err); /* NULL: it is well */
void engine_tell_health(struct engine *e); /* the error or the degree is another */
void engine_take_info(struct engine *e, struct engine_info *info); /* takes the reference */
void engine_put_container(struct engine *e, struct container *c);  /* takes the reference */
/* What the container adds to what is kept: it may take another's place. */
int64_t engine_adds(const struct engine *e, const struct container *c);
/* ERR_TOO_LARGE where so many bytes more of containers are more than any engine has. */
must_check struct error *engine_check_kept(const struct engine *e, int64_t more);
void engine_remove_container(struct engine *e, struct str id);
void engine_put_image(struct engine *e, struct image *i); /* takes the reference */
void engine_remove_image(struct engine *e, struct str id);
void engine_put_object(struct engine *e, struct object *o); /* takes the reference */
void engine_remove_object(struct engine *e, enum object_kind kind, struct str key);
void engine_drop_all(struct engine *e); /* all that is on it, told as gone */
/* ERR_UNAVAILABLE: all was dropped since `epoch`, and what was asked for before is nobody's now. */
must_check struct error *engine_check_epoch(const struct engine *e, unsigned int epoch);

/* health.c */
may_suspend void health_main(void *arg);
void health_wake(struct engine *e);
void health_suspect(struct engine *e); /* something is wrong with it: ping at once */
void health_heard(struct engine *e);
/* It answers, but what is on it cannot be read: unhealthy at once, until that can be read again. */
void health_misbehaves(struct engine *e, const struct error *err);

/* client.c: the transport's part of every call of our own. */
struct engine_call {
	const char *method;
	struct str path; /* "/info"; without version */
	bool unversioned;
	bool probe; /* what its outcome means is judged by the caller */
	const struct http_header *headers;
	size_t n_headers;
	struct str body;
	struct api_version version; /* a client's; zero: the newest that both sides know */
	int64_t time;		    /* for all of it */
	size_t max;		    /* bytes of the answer */
};
may_suspend must_check struct error *client_fetch(struct engine *e, const struct engine_call *call,
						  struct arena *arena, struct str *ret);
may_suspend must_check struct error *client_fetch_json(struct engine *e,
						       const struct engine_call *call,
						       struct arena *arena, struct json *ret);
/* GET <kind><name><rest>, the name escaped. */
may_suspend must_check struct error *client_inspect(struct engine *e, struct str kind,
						    struct str name, struct str rest,
						    struct arena *arena, struct json *ret);
/* Not judged. */
may_suspend must_check struct error *client_begin(struct engine *e, const struct engine_call *call,
						  struct http_exchange **ret);
/* Appends what has come; 0: the body is over. */
may_suspend must_check struct error *client_read(struct http_exchange *x, struct strbuf *in,
						 size_t *ret_n);
/* Something that this program has no more of: it tells nothing of the engine. */
bool client_is_our_want(const struct error *err);
/* Counts what a call's outcome says of the engine's health; answers err. */
must_check struct error *client_judge(struct engine *e, struct error *err);

/* monitor.c */
may_suspend must_check struct error *monitor_open(struct engine *e); /* since the last event seen */
may_suspend void monitor_stop(struct engine *e);
void monitor_forget(struct engine *e); /* another engine: there is nothing to resume from */

/* monitor_apply.c: what an event says, done to the tables. */
void monitor_apply(struct engine *e, const struct docker_event *ev);

/* refresh.c */
void refresh_init(struct engine *e);
void refresh_fini(struct engine *e);
void refresh_mark_container(struct engine *e, struct str id);
void refresh_mark_image(struct engine *e, struct str name);
void refresh_mark_images(struct engine *e); /* all of them */
void refresh_mark_object(struct engine *e, enum object_kind kind, struct str key);
/* Takes a mark back. */
void refresh_forget_container(struct engine *e, struct str id);
void refresh_forget_object(struct engine *e, enum object_kind kind, struct str key);
void refresh_kick(struct engine *e);		 /* the engine is well: fetch what is marked */
may_suspend void refresh_stop(struct engine *e); /* joins its fibers, forgets marks */
may_suspend must_check struct error *refresh_everything(struct engine *e);
void refresh_start_reconcile(struct engine *e); /* on a fiber of its own */
void refresh_touch(struct engine *e, struct str id);

/*
 * fetch.c: one of them asked for and put into the tables, or taken out where the engine has none.
 * Nothing is done with the answer where `outdated` has become true meanwhile.
 */
may_suspend must_check struct error *fetch_container(struct engine *e, struct str id,
						     const bool *outdated);
may_suspend must_check struct error *fetch_image(struct engine *e, struct str name,
						 const bool *outdated);
may_suspend must_check struct error *fetch_object(struct engine *e, enum object_kind kind,
						  struct str key, const bool *outdated);

/* reconcile.c */
may_suspend must_check struct error *reconcile(struct engine *e);
may_suspend must_check struct error *reconcile_images_alone(struct engine *e);
may_suspend must_check struct error *reconcile_info(struct engine *e);

#endif
