/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real cluster, api, engine and scheduler over Docker Engines in memory, on a virtual clock.
 * A story is a short function on a fiber:
 *
 *	static may_suspend void finds_it_by_name(struct sim *s)
 *	{
 *		sim_engine(s, "n1", CPUS(4), MEMORY(8 * GIB), LABEL("storage", "ssd"));
 *		sim_up(s);
 *		sim_create(s, "web", "{\"Image\":\"busybox\"}");
 *		assert_int_equal(sim_get(s, "/containers/web/json").status, 200);
 *	}
 *
 * Each runs in a process of its own, once for each seed. What is random (ids, placement, the
 * network's delays, where a fault cuts) comes out of the seed: SIM_SEED=7 runs that one alone,
 * SIM_SEEDS=20 the first twenty, SIM_LOG=1 shows the manager's log, SIM_STORY=finds* tells those
 * stories alone.
 *
 * Everything that a story gets (replies, ids, texts) lives until its end.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "unit/testing.h"

#include "api/api.h"
#include "base/arena.h"
#include "base/duration.h"
#include "base/limits.h"
#include "cluster/cluster.h"
#include "fiber/loop.h"
#include "http/client.h"
#include "json/json.h"
#include "net/stream.h"

#define GIB (1024 * MIB)

struct fence;
struct sim;
struct sim_engine;

typedef may_suspend void story_fn(struct sim *s);

struct story {
	const char *name;
	story_fn *run;
};

void sim_tell(void **state); /* a cmocka test: its initial state is a struct story */
/* The same for so many seeds, where the environment does not say. */
void sim_tell_seeds(const struct story *story, uint64_t seeds);
void sim_tell_seed(const struct story *story, uint64_t seed); /* that one alone */

/*
 * An operation that is told again and again, with every kind of fault at its first step, at its
 * second, and so on until it has no more steps; each time the pool must be in order afterwards.
 * SIM_FAULT=reset and SIM_STEP=12 tell one of them.
 */
struct fault_story {
	const char *name;
	story_fn *prepare; /* the pool, in order */
	/*
	 * The operation: on a fiber of sim_go's, which FAULT_HANGUP cancels. Returns when it is
	 * over.
	 */
	story_fn *act;
	story_fn *after; /* what must be true then, all lines being well again */
};
/*
 * $SIM_STRIDE, or 1: only every so many'th seed is told, from $SIM_FIRST on, and of what is told again
 * and again with one fault each, only every so many'th fault: for who has less time, or runs under
 * valgrind.
 */
unsigned int sim_stride(void);
void sim_tell_faults(void **state); /* a cmocka test: its initial state is a struct fault_story */

/* A row of a cmocka table: op_act and op_after, in a pool such as `from` makes. */
#define FAULT_STORY(op, from)                                                                     \
	{                                                                                         \
		.name = #op, .test_func = sim_tell_faults, .initial_state = &(struct fault_story) \
		{                                                                                 \
			.name = #op, .prepare = (from), .act = op##_act, .after = op##_after      \
		}                                                                                 \
	}

/* Tells it once: the manager's log, and every request that each engine got, with their times. */
void sim_trace(const struct story *story, uint64_t seed, struct strbuf *ret);

/* A row of a cmocka table. */
#define STORY(fn)                                                                    \
	{                                                                            \
		.name = #fn, .test_func = sim_tell, .initial_state = &(struct story) \
		{                                                                    \
			.name = #fn, .run = (fn)                                     \
		}                                                                    \
	}

/* Before sim_up; begins as cluster_config_default has it. */
struct cluster_config *sim_config(struct sim *s);
void sim_allow_cors(struct sim *s); /* before sim_up */

/*
 * Before sim_up: clients talk to a replica, which passes on to the manager that everything else
 * here is about. SIM_REPLICA=1 tells every story so. The fence is the manager's; it begins open for
 * ever.
 */
void sim_replicate(struct sim *s);
struct fence *sim_fence(struct sim *s);
struct api *sim_replica(const struct sim *s);
struct api *sim_api(const struct sim *s); /* the manager's */
/* Where the replica reaches the manager. */
extern const struct addr sim_primary_addr;

/* Starts the manager over all engines that there are, and waits until none is new to it. */
may_suspend void sim_up(struct sim *s);
/* The engines that discovery lists from now on: all that are there and not sim_unlist'ed. */
may_suspend void sim_discover(struct sim *s);
/* Ends the manager; nobody may ask anything until sim_up. */
may_suspend void sim_stop_manager(struct sim *s);
/* Ends the manager, and begins another over the same engines. */
may_suspend void sim_restart_manager(struct sim *s);

uint64_t sim_seed(const struct sim *s);
struct cluster *sim_cluster(const struct sim *s);
struct arena *sim_arena(struct sim *s);
const char *sim_text(struct sim *s, const char *fmt, ...) printf_like(2, 3);

/* Virtual time passes. */
may_suspend void sim_run(struct sim *s, int64_t span);

/* Lets time pass until the condition holds; fails where it does not within ten minutes. */
#define sim_wait(s, condition)                                     \
	do {                                                       \
		for (int _i = 0; !(condition); _i++) {             \
			if (_i == 60000)                           \
				fail_msg("never: %s", #condition); \
			sim_run(s, 10 * MILLISECOND);              \
		}                                                  \
	} while (0)

/* Fibers of the story's own, joined at its end. */
void sim_go(struct sim *s, const char *name, fiber_fn *fn, void *arg);
may_suspend void sim_join(struct sim *s); /* until all have returned */
/* The same for so long at most: then their clients go away. False where that was needed. */
may_suspend bool sim_join_within(struct sim *s, int64_t span);

/* What the manager has logged so far. */
struct str sim_log(const struct sim *s);
bool sim_logged(const struct sim *s, const char *part);

struct sim_option {
	enum {
		OPTION_END,
		OPTION_CPUS,
		OPTION_MEMORY,
		OPTION_LABEL,
		OPTION_IMAGE,
		OPTION_ID,
		OPTION_ADDR,
		OPTION_API,
		OPTION_SKEW,
		OPTION_SWARM,
		OPTION_OS,
		OPTION_ARCHITECTURE,
		OPTION_DEVICES,
		OPTION_IMAGE_STORE,
		OPTION_DOWN,
	} kind;
	int64_t number;
	const char *key, *value;
};

#define CPUS(n)                                    \
	{                                          \
		.kind = OPTION_CPUS, .number = (n) \
	}
#define MEMORY(bytes)                                             \
	{                                                         \
		.kind = OPTION_MEMORY, .number = (int64_t)(bytes) \
	}
#define LABEL(k, v)                                            \
	{                                                      \
		.kind = OPTION_LABEL, .key = (k), .value = (v) \
	}
#define IMAGE(ref)                                 \
	{                                          \
		.kind = OPTION_IMAGE, .key = (ref) \
	} /* built: no digest */
#define PULLED_IMAGE(ref)                                       \
	{                                                       \
		.kind = OPTION_IMAGE, .key = (ref), .number = 1 \
	}
#define ENGINE_ID(id)                          \
	{                                      \
		.kind = OPTION_ID, .key = (id) \
	}
#define ADDR(host_port)                                 \
	{                                               \
		.kind = OPTION_ADDR, .key = (host_port) \
	}
#define API(oldest, newest)                                            \
	{                                                              \
		.kind = OPTION_API, .key = (oldest), .value = (newest) \
	}
#define SKEW(ns)                                    \
	{                                           \
		.kind = OPTION_SKEW, .number = (ns) \
	}
#define SWARM_MODE_MANAGER                        \
	{                                         \
		.kind = OPTION_SWARM, .number = 1 \
	}
#define SWARM_MODE_WORKER                         \
	{                                         \
		.kind = OPTION_SWARM, .number = 0 \
	}
#define OS(name)                                 \
	{                                        \
		.kind = OPTION_OS, .key = (name) \
	}
#define ARCHITECTURE(name)                                 \
	{                                                  \
		.kind = OPTION_ARCHITECTURE, .key = (name) \
	}
/* Images lie in containerd's store. */
#define CONTAINERD_STORE                   \
	{                                  \
		.kind = OPTION_IMAGE_STORE \
	}
#define DEVICES(json)                                 \
	{                                             \
		.kind = OPTION_DEVICES, .key = (json) \
	} /* GenericResources, as /info has them */
#define DOWN                        \
	{                           \
		.kind = OPTION_DOWN \
	}

/*
 * A Docker Engine 20.10 of that name, running: 4 CPUs, 8 GiB and the image busybox where the
 * options do not say otherwise.
 */
#define sim_engine(s, name, ...) \
	sim_engine_new(s, name, (const struct sim_option[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })
struct sim_engine *sim_engine_new(struct sim *s, const char *name,
				  const struct sim_option *options);
struct sim_engine *sim_find_engine(const struct sim *s, const char *name);
/* The manager's side of it; borrowed. NULL where discovery does not list it. */
struct engine *sim_node(const struct sim *s, const struct sim_engine *e);

void sim_cut(struct sim_engine *e); /* nothing goes through any more, and nobody is told */
void sim_heal(struct sim_engine *e);
may_suspend void sim_stop(struct sim_engine *e);  /* the daemon ends, and its containers with it */
may_suspend void sim_start(struct sim_engine *e); /* all containers stopped, all events forgotten */
may_suspend void sim_restart(struct sim_engine *e);
void sim_unlist(struct sim_engine *e); /* discovery lists it no more */
void sim_list(struct sim_engine *e);
/* Another machine gets the address: another ID, nothing on it. Stopped, or before the start. */
void sim_replace(struct sim_engine *e, const char *id);
void sim_set_resources(struct sim_engine *e, int64_t cpus, int64_t memory);
/* Its first label, "storage=ssd", reads so from now on. */
void sim_set_label(struct sim_engine *e, const char *text);

/* What is really on it. */
size_t sim_count_containers(const struct sim_engine *e);
bool sim_has_container(const struct sim_engine *e, const char *name_or_id);
bool sim_is_running(const struct sim_engine *e, const char *name_or_id);
size_t sim_running_execs(const struct sim_engine *e);
size_t sim_running_builds(const struct sim_engine *e);
size_t sim_build_links(const struct sim_engine *e); /* sessions and gRPC connections */
bool sim_has_image(const struct sim_engine *e, const char *ref);
bool sim_has_volume(const struct sim_engine *e, const char *name);
bool sim_has_network(const struct sim_engine *e, const char *name_or_id);
/* Its image of that name was made then, unix s. */
void sim_date_image(struct sim_engine *e, const char *ref, int64_t created);
/* From now on it answers each create 500 with the text; NULL: no more. */
void sim_refuse_creates(struct sim_engine *e, const char *text);
/*
 * From now on it does nothing for requests that begin with the text ("POST /images/create"), and
 * answers them with this status and body; `request` NULL: no more.
 */
void sim_script(struct sim_engine *e, const char *request, int status, const char *body);
/*
 * From now on it answers requests that begin with the text ("GET /containers/json"; "": each one)
 * by these bytes, whatever they are, and then by `more` for as long as anybody reads; `more` empty:
 * by silence. `request` NULL: no more. Both texts outlive that.
 */
void sim_lie(struct sim_engine *e, const char *request, struct str first, struct str more);
/* How many bytes were taken of one such answer at most. */
size_t sim_most_lied(const struct sim_engine *e);
/* How many creates it was asked for at the same time at most. */
unsigned int sim_most_creates_at_once(const struct sim_engine *e);
/* How many requests that begin with the text ("POST /images/create") reached it. */
size_t sim_calls(const struct sim_engine *e, const char *request);
/* It was asked for both, and for the one before the other. */
bool sim_called_before(const struct sim_engine *e, const char *first, const char *then);
/* And of those, how many with this header, whose name begins with "X-": "X-Own: text". */
size_t sim_calls_with(const struct sim_engine *e, const char *request, const char *header);
/* Acts on the engine directly, as somebody logged in there would. */
may_suspend const char *sim_local_create(struct sim_engine *e, const char *name, const char *body);
may_suspend void sim_local(struct sim_engine *e, int status, const char *method, const char *path);
/* A clone of a machine has its containers, by the same ids. Before the manager knows of it. */
void sim_copy_containers(const struct sim_engine *from, struct sim_engine *to);
/* Somebody ran so many things there: so many events that nobody else wants. */
void sim_local_events(struct sim_engine *e, size_t n);

/*
 * The next event happened before the last one, but is published behind it: an engine takes the time
 * of an event first, and its turn then.
 */
void sim_overtake_event(struct sim_engine *e, int64_t by);

/* Images that every engine can pull; `private`: only with X-Registry-Auth. */
void sim_registry_put(struct sim *s, const char *ref, bool private);
/* The image `of` under another name, as a mirror has it: the same id, another digest. */
void sim_registry_mirror(struct sim *s, const char *ref, const char *of);
/* From now on a pull of it takes so long, and then fails with the text where there is one. */
void sim_registry_set(struct sim *s, const char *ref, int64_t takes, const char *error);
/* Its pulls begin with that many lines that say how far it is. */
void sim_registry_bars(struct sim *s, const char *ref, int bars);

enum fault_kind {
	FAULT_NONE,
	FAULT_REFUSE,  /* a connection is refused; later than that: as RESET */
	FAULT_RESET,   /* some of what is under way arrives, then the connection is reset */
	FAULT_STALL,   /* the connection stays, and nothing comes any more */
	FAULT_GARBAGE, /* what the engine says next is no HTTP */
	FAULT_CUT,     /* half of what the engine says next comes, then an end */
	FAULT_SLOW,    /* from now on 100 bytes a second */
	FAULT_HANGUP,  /* nothing of the kind: sim_on_hangup's function is called */
	FAULT_KINDS,
};
extern const char *const fault_names[FAULT_KINDS];

/*
 * The n-th step (from 0) from now on meets the fault; a step is a connection being made, or a piece
 * of bytes that arrives at either side. `e` NULL: of any engine. `request` not NULL: counted are
 * only pieces on connections that carry a request beginning with it ("POST /containers/create").
 */
void sim_fault(struct sim *s, struct sim_engine *e, enum fault_kind kind, const char *request,
	       unsigned int nth);
bool sim_fault_fired(const struct sim *s);
enum fault_kind sim_fault_kind(const struct sim *s); /* that was asked for last */
void sim_fault_clear(struct sim *s);		     /* new connections are well again */
void sim_on_hangup(struct sim *s, void (*fn)(void *arg), void *arg);

/*
 * From now on each connection between the manager and an engine has a latency of its own, up to
 * `most` on average, of which each piece of bytes draws its delay. 0: well again, at once.
 */
void sim_set_latency(struct sim *s, int64_t most);

/*
 * Somebody sets the wall clock of the manager's machine, or of the engine's. No other clock jumps.
 */
void sim_step_clock(struct sim *s, int64_t by);
void sim_step_engine_clock(struct sim_engine *e, int64_t by);

struct sim_reply {
	int status; /* 0: there was no answer, body says why */
	struct http_headers headers;
	struct str body;
	struct json json; /* missing where the body is none */
};

may_suspend struct sim_reply sim_request(struct sim *s, const char *method, const char *path,
					 const char *body);
/* As the client of that address, with headers: a NULL name ends them. */
may_suspend struct sim_reply sim_request_as(struct sim *s, const char *client, const char *method,
					    const char *path, const char *body,
					    const struct http_header *headers);
may_suspend struct sim_reply sim_get(struct sim *s, const char *path);
may_suspend struct sim_reply sim_post(struct sim *s, const char *path, const char *body);
may_suspend struct sim_reply sim_delete(struct sim *s, const char *path);

/* Creates, and fails the story where it cannot: the id. `body` NULL: busybox, which never ends. */
may_suspend const char *sim_create(struct sim *s, const char *name, const char *body);
may_suspend const char *sim_run_container(struct sim *s, const char *name, const char *body);
may_suspend const char *sim_node_of(struct sim *s, const char *container); /* its node's name */
const char *sim_message(const struct sim_reply *r);			   /* of an error */
/* The value at "State.Status", decoded; "" where there is none. */
const char *sim_string(struct sim *s, const struct sim_reply *r, const char *path);
/* "Healthy", "Pending" ... as /info shows the node (by name or address), and any of its lines. */
may_suspend const char *sim_info_line(struct sim *s, const char *node, const char *key);

void check_status(const struct sim_reply *r, int status, const char *file, int line);
#define assert_status(reply, expected)                           \
	do {                                                     \
		struct sim_reply _r = (reply);                   \
		check_status(&_r, expected, __FILE__, __LINE__); \
	} while (0)
/* The one clear error: this status, JSON, and the text in its message. */
void check_refused(const struct sim_reply *r, int status, const char *part, const char *file,
		   int line);
#define assert_refused(reply, expected, part)                           \
	do {                                                            \
		struct sim_reply _r = (reply);                          \
		check_refused(&_r, expected, part, __FILE__, __LINE__); \
	} while (0)

/* An answer that goes on: events, logs, wait, pull. */
struct sim_stream;
may_suspend struct sim_stream *sim_open(struct sim *s, const char *method, const char *path,
					const char *body);
int sim_stream_status(const struct sim_stream *st);
const struct http_headers *sim_stream_headers(const struct sim_stream *st);
/* The next line, without its end; STR_NONE where the answer has ended, or none came in the span. */
may_suspend struct str sim_next_line(struct sim_stream *st, int64_t span);
bool sim_stream_ended(const struct sim_stream *st); /* in order */
bool sim_stream_broke(const struct sim_stream *st); /* not in order */
void sim_close(struct sim_stream *st);		    /* the client goes away; twice is fine */

/* attach and exec start: the connection itself. */
struct sim_hijack {
	int status;
	struct str reason;
	struct http_headers headers;
	struct stream *stream; /* NULL where it was refused */
	struct strbuf in;      /* what has come */
	struct str refusal;    /* the answer's body where it was refused */
	bool ended;	       /* the other side sends no more */
	bool broke;	       /* it was reset */
};
/* `upgrade` false: without the header, as old clients do. `early` goes out with the request. */
may_suspend struct sim_hijack *sim_hijack(struct sim *s, const char *path, const char *body,
					  bool upgrade, const char *early);
/* The same, but where the connection breaks before an answer that is no failure of the story. */
may_suspend struct sim_hijack *sim_hijack_try(struct sim *s, const char *path, const char *body,
					      bool upgrade, const char *early);
/*
 * Any request, as it is written, on a connection of that client's, and the head of its answer. A
 * body that is not of a known length stays in `in`, with its framing.
 */
may_suspend struct sim_hijack *sim_converse(struct sim *s, const char *client, const char *request);
may_suspend void sim_hijack_write(struct sim_hijack *h, struct str data);
may_suspend void sim_hijack_end(struct sim_hijack *h); /* our direction */
/* Reads until the text is there, the other side ends, or the span has passed. */
may_suspend bool sim_hijack_expect(struct sim_hijack *h, const char *text, int64_t span);
may_suspend void sim_hijack_to_end(struct sim_hijack *h, int64_t span);
void sim_hijack_close(struct sim_hijack *h); /* the client goes away; twice is fine */

/* A connection to the manager's API for bytes that no client would send. Closed by the caller. */
struct stream *sim_connect(struct sim *s, const char *client);

/*
 * What the manager knows of each healthy node is what is there; what it has reserved is their sum;
 * names held: none. sim_settle lets the news arrive first.
 */
void sim_check(struct sim *s);
/*
 * The same while much is under way: on each node what is reserved is the sum of its containers and
 * creations, no port is held twice, no node has more than its slots; no name is there twice.
 */
void sim_check_busy(struct sim *s);
may_suspend void sim_settle(struct sim *s);

#endif
