/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the simulation share. Stories see sim.h alone.
 */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "sim/sim.h"

#include "base/map.h"
#include "base/vec.h"
#include "fiber/fence.h"
#include "fiber/group.h"
#include "fiber/waitq.h"
#include "http/server.h"

struct sim_fault {
	enum fault_kind kind;
	struct sim_engine *engine; /* NULL: any */
	const char *request;	   /* NULL: any */
	unsigned int left;	   /* steps until it comes */
	bool fired, over;	   /* it came; it comes no more */
};

struct registry_image {
	const char *ref, *id, *digest;
	bool private;
	int bars; /* lines that say how far it is */
	int64_t takes;
	const char *error;
};

struct sim_client {
	const char *address;
	struct http_client *http;
};

struct sim {
	uint64_t seed;
	struct arena arena;
	struct cluster_config config;
	struct cluster *cluster;
	struct api *api;
	struct listener *listener; /* the api's */
	struct fence fence;	   /* of the manager, where it is one of two */
	bool replicated, cors;
	struct cluster *replica_cluster; /* of the other one, which clients talk to */
	struct api *replica;
	struct listener *replica_listener;
	struct listener *(*manager_at)(const struct addr *a); /* of several; NULL: is none */
	struct vec engines;				      /* of struct sim_engine */
	struct vec registry;				      /* of struct registry_image */
	struct vec clients;				      /* of struct sim_client */
	struct vec streams;				      /* of struct sim_stream */
	struct vec hijacks;				      /* of struct sim_hijack */
	struct group network;				      /* wires */
	struct group fibers;				      /* the story's own */
	struct sim_fault fault;
	int64_t latency; /* of connections, at most */
	void (*on_hangup)(void *arg);
	void *hangup_arg;
	struct strbuf log;
};

/* sim.c: the one that is told, for hooks that get no argument. */
extern struct sim *the_sim;
extern char sim_title[80]; /* what a failure says of itself, besides its seed */

/* The story's manager by this config, which knows no nodes yet. */
void sim_begin_manager(struct sim *s, const struct cluster_config *config);

/* One run in this process: a virtual loop with a pool that is empty, and at its end is again. */
typedef may_suspend void sim_main_fn(struct sim *s, void *arg);
void sim_once(uint64_t seed, sim_main_fn *fn, void *arg);
/*
 * Calls fn for each seed that is asked for: the first so many, where the environment does not say.
 */
void sim_each_seed(uint64_t seeds, void (*fn)(uint64_t seed, void *arg), void *arg);

/* apart.c: runs fn in a process of its own, where assertions end that, and waits for its end. */
void sim_apart(const char *name, uint64_t seed, void (*fn)(void *arg), void *arg);

/* wire.c: between the manager and an engine. A dial_fn. */
may_suspend struct error *wire_dial(const struct addr *a, void *sim, struct stream **ret);

/* client.c */
struct stream *client_connect(struct sim *s, const char *address);
void clients_fini(struct sim *s);

/* engine.c */
void sim_engine_free(struct sim_engine *e); /* stopped, and no wire leads to it */
struct sim_engine *sim_engine_at(const struct sim *s, const struct addr *a);

#endif
