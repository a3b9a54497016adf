/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ALL hosts: which nodes there are, what is where, where a new container goes. Works on what the
 * engines (engine/engine.h) tell; every look-up is one in an index.
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "docker/config.h"
#include "engine/engine.h"
#include "scheduler/scheduler.h"

struct cluster;
struct fence;
struct record_store;
struct tls_context;

struct cluster_config {
	struct sched_config scheduler;
	enum cpushares_mode cpushares;
	unsigned int create_retry; /* swarm.createretry */
	unsigned int create_limit; /* swarm.createlimit: at once on one node; 1 at least */
	bool compat;		   /* swarm.compat=1.2 */
	int64_t refresh_min, refresh_max;
	/*
	 * A ps that filters by node, or by this name (NULL: none), has the nodes looked at first.
	 */
	bool refresh_on_node;
	const char *refresh_on_name; /* borrowed */
	unsigned int failure_retry;
	size_t engine_kept, engine_news; /* see struct engine_config */
	size_t event_backlog; /* bytes that a subscriber may be behind (LIMIT_EVENT_BACKLOG) */
	size_t events_held;   /* by all of them; by all replays, too (LIMIT_EVENTS_HELD) */
	struct tls_context *engine_tls; /* NULL: in the clear */
	const struct fence *fence;	/* of one of several managers, else NULL; outlives it */
	/* What is to be rescheduled is kept there (cluster/records.h); NULL: in memory alone. */
	const struct record_store *records;
};

void cluster_config_default(struct cluster_config *config);

/* The config is copied. */
struct cluster *cluster_new(const struct cluster_config *config);
/* Joins every engine's fibers. */
may_suspend void cluster_stop(struct cluster *c);
void cluster_free(struct cluster *c); /* stopped, or without nodes */

const struct cluster_config *cluster_config(const struct cluster *c);

/*
 * The nodes that discovery lists now ("host:port", checked): new ones are validated, missing ones
 * leave (their containers with them), known ones stay as they are. Parks to join those that leave.
 */
may_suspend void cluster_set_nodes(struct cluster *c, const struct addr *addrs, size_t n);

/* Parks until no node is Pending for the first time any more, or the fiber's deadline passes. */
may_suspend must_check struct error *cluster_wait_settled(struct cluster *c);

/* Reads anew what is on each healthy node. The first error of a node; the others were read. */
may_suspend must_check struct error *cluster_reconcile(struct cluster *c);

/* An event of the pool: "leader_elected" or "leader_lost", of the manager at that address. */
void cluster_tell_leader(struct cluster *c, const char *action, struct str manager);

/*
 * Engines in the order of their names, pending ones last by address. A new array of new references.
 */
struct engines {
	struct engine **v;
	size_t n;
};
void engines_fini(struct engines *e);
void cluster_engines(const struct cluster *c, struct engines *ret);	    /* all */
void cluster_healthy_engines(const struct cluster *c, struct engines *ret); /* healthy alone */
/* By name, id, or address; NULL where there is none. A new reference. */
struct engine *cluster_engine(const struct cluster *c, struct str name);
/* Some healthy engine, drawn at random; ERR_NO_NODE "No healthy node available in the cluster". */
must_check struct error *cluster_any_engine(const struct cluster *c, struct engine **ret);

/* What /version, /_ping and negotiation say: the lowest newest API of the healthy nodes. */
struct api_version cluster_api_version(const struct cluster *c);

/*
 * The versions of the healthy engines, in no order, each with an engine's word that stands for all.
 */
struct engine_version_count {
	const struct engine_info *info; /* borrowed, until the caller parks */
	size_t nodes;
};
void cluster_versions(const struct cluster *c, struct arena *arena,
		      struct engine_version_count **ret, size_t *ret_n);

/*
 * Finds a container (section 4): id, 12 digits of it, swarm id, name, node/name, unique prefixes.
 * ERR_NOT_FOUND "No such container: X"; ERR_AMBIGUOUS lists the candidates. A new reference.
 */
must_check struct error *cluster_find_container(const struct cluster *c, struct str ref,
						struct container **ret);

/* cluster_find_container, and ERR_NODE_DOWN "Container X running on unhealthy node N". */
must_check struct error *cluster_live_container(const struct cluster *c, struct str ref,
						struct container **ret);

/* The JSON array for Names: ["/web","/node-1/web"], with section 4's rules. */
void cluster_container_names(const struct cluster *c, const struct container *ct,
			     struct strbuf *out);
/* The one on that node that a legacy link calls "/web/db"; NULL: none is known. A new reference. */
struct container *cluster_container_called(const struct engine *e, struct str alias);
/* Its plain name is its alone in the pool. */
bool cluster_name_is_unique(const struct cluster *c, const struct container *ct);

struct cluster_totals {
	size_t nodes, containers, running, paused, stopped, images;
	int64_t cpus, memory;
};
void cluster_totals(const struct cluster *c, struct cluster_totals *ret);
/* The containers of one node alone; the rest stays 0. */
void cluster_node_totals(const struct engine *e, struct cluster_totals *ret);

/* Reservations on a node, for /info. */
void cluster_reserved(const struct engine *e, int64_t *ret_nano_cpus, int64_t *ret_memory);
/*
 * What its engine told when it was last read (NULL: nothing), and how many of each kind are taken.
 */
const struct devices *cluster_devices(const struct engine *e, const int64_t **ret_reserved);

#endif
