/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of cluster/ share: the cluster, its members, creations in flight. Everything here
 * is touched by unmarked (atomic) functions only.
 */
#ifndef CLUSTER_INTERNAL_H
#define CLUSTER_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "cluster/build_table.h"
#include "cluster/cluster.h"
#include "cluster/guards.h"
#include "cluster/image_index.h"
#include "cluster/index.h"
#include "cluster/object_index.h"
#include "cluster/ports.h"
#include "cluster/tally.h"
#include "fiber/group.h"
#include "fiber/waitq.h"

/* One node: its engine, and what placement knows of it. */
struct member {
	struct cluster *cluster;
	struct engine *engine; /* a reference */
	struct sched_node sched;
	struct sched_label *labels;
	struct engine_info *info;  /* a reference: the labels and texts of sched point into it */
	int64_t *reserved_devices; /* of each kind that info tells of; NULL: of none */
	struct port_table ports;
	struct list flights; /* creations under way here */
	struct list turns;   /* those that wait until their engine may be asked, the first first */
	unsigned int asked;  /* those that their engine has been asked for */
	uint32_t running, paused, stopped;
	bool listed;	/* discovery named it in the walk at hand */
	bool leaving;	/* discovery names it no more: it is being stopped */
	bool settled;	/* it has been validated, or has failed to be, once */
	bool placeable; /* its sched_node is in cluster->nodes, at `place` */
	size_t place;
	/* Validated: its ID is its own, while it is being read already. A reference; or NULL. */
	struct engine_info *admitted;
	uint64_t mark; /* of draw.c: a set that it is in */
};

/* A container that is being created (or a name that is being given): it counts already. */
struct flight {
	struct list at_member;
	struct member *member; /* NULL: only the name is held */
	struct str name;       /* "" where the engine draws one */
	struct str swarm_id;
	int64_t nano_cpus, memory;
	const struct container_port *ports;
	size_t n_ports;
	struct json labels;    /* that the container will have */
	struct json devices;   /* DeviceRequests, as it will have them */
	struct str image;      /* as it will be listed */
	struct engine *engine; /* a reference: the member may leave first */
	struct list at_turn;
	struct waitq turn;
	bool asked;		   /* it is one of its member's `asked` */
	bool landed;		   /* its container is in the tables and counts by itself */
	const struct str *volumes; /* named, and nowhere yet: claimed for its node */
	size_t n_volumes;
};

/* An event of the pool itself, kept for who asks for the past. */
struct past_event {
	int64_t at;
	char *text;
};
#define PAST_EVENTS 512

struct cluster {
	struct cluster_config config;
	struct map by_addr; /* of struct member */
	struct vec nodes;   /* of struct sched_node: the validated ones, in no order */
	/* Of struct slot, with struct member: the validated ones by name, and by engine ID. */
	struct map by_name, by_id;
	struct index containers;
	struct image_index images;
	struct object_index objects[OBJECT_KINDS]; /* volumes, networks */
	struct map flight_names;		   /* of struct flight: names held */
	struct tally labels;	  /* of containers and creations under way; swarm ids left out */
	struct tally kinds;	  /* likewise, key "image": what they were made of */
	struct tally node_labels; /* of nodes; their names and ids with key "node" */
	struct vec numbers;	  /* of struct member, at its number; NULL: free */
	size_t first_free;	  /* below it no number is free */
	size_t unsettled;	  /* members that are not settled */
	struct map flight_swarm_ids;
	struct map projects;	   /* of struct slot: what Compose made of local scope */
	struct map claims;	   /* of struct claim: volumes being made (claims.c) */
	struct map network_names;  /* of struct held_network: networks being made (networks.c) */
	uint64_t marks;		   /* the last that was given to members (draw.c) */
	struct list running_pulls; /* of shared_pull.c */
	struct list carryings;	   /* of carry.c */
	struct group leftovers;
	struct guards guards; /* containers that outlive their nodes */
	struct build_table builds;
	struct pull_targets {
		struct list by_age; /* the oldest first */
		struct map by_key;  /* client and image */
	} pull_targets;		    /* of struct pull_target (pull_target.c) */
	struct list subscriptions;
	size_t events_waiting;		     /* bytes that those hold */
	size_t events_replayed;		     /* bytes that replays hold */
	struct past_event past[PAST_EVENTS]; /* the i-th at i % PAST_EVENTS */
	size_t n_past;			     /* all that there ever were */
	struct waitq settled;
	uint32_t api_versions[64]; /* healthy nodes by their newest minor version of API 1 */
	struct map versions;	   /* of struct slot: the healthy members, by engine version */
	bool stopping;
};

/* cluster.c: no node is Pending for the first time any more. */
bool cluster_is_settled(const struct cluster *c);

/*
 * Where the config wants it before a ps with these filters: reads anew what is on the nodes that it
 * may list. What a node cannot tell is not an error.
 */
may_suspend must_check struct error *reconcile_before_list(struct cluster *c,
							   const struct filters *f);

/* members.c */
extern const struct engine_observer cluster_observer;
struct member *member_new(struct cluster *c, const struct addr *a);
void member_free(struct member *m); /* its engine is stopped */
struct member *member_of(const struct engine *e);
struct member *member_of_node(const struct sched_node *n);

/*
 * labels.c: enters a container's labels and image in the cluster's tallies, or takes them out.
 * `labels` is the value of Labels, in JSON.
 */
#define KIND_IMAGE "image" /* the one key of the cluster's kinds */
struct str kind_of_image(struct str image, struct arena *arena);
void labels_enter(struct member *m, struct json labels, struct str image);
void labels_leave(struct member *m, struct json labels, struct str image);
void labels_of_container(struct member *m, const struct container *before,
			 const struct container *after); /* NULL: it is new, or gone */

/*
 * devices.c: enters or takes out (sign 1, -1) what a container or a creation under way holds;
 * devices_count adds up all of the node anew, into as many as it has kinds.
 */
void devices_take_info(struct member *m, const struct engine_info *info);
void devices_step_container(struct member *m, const struct container *ct, int sign);
void devices_step_flight(struct member *m, const struct flight *f, int sign);
void devices_count(const struct member *m, int64_t *reserved);

/* facts.c: what placement may ask of a node. */
extern const struct sched_lookups cluster_lookups;

/*
 * flights.c. flight_hold_name: ERR_CONFLICT where the pool has that name. Slices of the flight must
 * outlive it; flight_end gives all back and may be called twice.
 */
must_check struct error *flight_hold_name(struct cluster *c, struct flight *f, struct str name);
/*
 * The same where the container of that swarm id may have it: on a node that is not well, or an
 * earlier copy than this generation.
 */
must_check struct error *flight_take_name(struct cluster *c, struct flight *f, struct str name,
					  struct str swarm_id, uint32_t generation);
/* Reserves on m; an empty swarm id: no container will take its place (a build). */
void flight_board(struct flight *f, struct member *m, struct str swarm_id);
/*
 * Parks until the flight's node creates fewer than swarm.createlimit at once, in the order of
 * asking. ERR_UNAVAILABLE where the node left. flight_leave ends the turn too.
 */
may_suspend must_check struct error *flight_await_turn(struct cluster *c, struct flight *f);
void flight_end_turn(struct flight *f);
void flight_leave(struct cluster *c, struct flight *f); /* gives the node back, keeps the name */
/* Where the container, which is new to the tables, is one's. */
void flight_land(struct cluster *c, const struct container *ct);
void flight_end(struct cluster *c, struct flight *f);
/* `to` holds what `from` held, with texts of its own in the arena; `from` holds nothing. */
void flight_move(struct cluster *c, struct flight *from, struct flight *to, struct arena *arena);
void flights_strand(struct member *m); /* it leaves: they hold nothing there any more */
struct str flight_name_key(const void *item);
struct str flight_swarm_id_key(const void *item);

/*
 * claims.c: a volume that is being made, or that a creation in flight will make, has its node
 * already; and so has a project of Compose of which something is being made ("project/shop").
 * claim_engine: NULL where nobody makes it; borrowed. Each claim is dropped once.
 */
struct engine *claim_engine(const struct cluster *c, struct str volume);
void claim_take(struct cluster *c, struct str volume, struct engine *e);
void claim_drop(struct cluster *c, struct str volume);
struct str claim_key(const void *claim);

/* networks.c */
struct str held_network_key(const void *held);

/* events.c */
void events_engine(struct cluster *c, struct engine *e, const struct docker_event *ev);
void events_pool(struct cluster *c, struct engine *e, const char *action);
void events_lost(struct cluster *c, struct engine *e, int64_t from, int64_t to);
/* A container that was made again on e; from the node of that name. */
void events_rescheduled(struct cluster *c, struct engine *e, struct str name, struct str id,
			struct str swarm_id, struct str from);
void events_close_all(struct cluster *c);
void events_forget_past(struct cluster *c);
size_t events_oldest_past(const struct cluster *c);
/* The engine_events_lost event, and whether an event that was written here passes the filters. */
void events_lost_text(const struct engine *e, int64_t from, int64_t to, struct strbuf *out);
bool events_text_match(struct str text, const struct filters *filters);

/* pull_target.c */
void pull_targets_init(struct pull_targets *t);
void pull_targets_clear(struct pull_targets *t);
void pull_targets_fini(struct pull_targets *t); /* once cleared */
void pull_target_remember(struct cluster *c, struct str client, struct str image, struct engine *e);
/*
 * It was built or committed there: the client's next create goes there, its pulls to all nodes as
 * ever.
 */
void pull_target_built(struct cluster *c, struct str client, struct str image, struct engine *e);
void pull_target_forget(struct cluster *c, struct str client, struct str image);
/*
 * Where this client's create of the image goes first: cluster_pull_target, or where it was built.
 */
struct engine *pull_target_of_create(struct cluster *c, struct str client, struct str image);

/*
 * build.c: the node that the client builds on by gRPC, where that has the latest of several images
 * of that name. Borrowed; NULL: it has not.
 */
struct engine *build_pin_made(const struct cluster *c, struct str client, struct str image);

/*
 * leftovers.c: takes over what the flight holds until it is known what became of the container that
 * the engine was asked to make, or to rename: `ref` is what the engine calls it, "" if unknown.
 */
void leftover_keep(struct cluster *c, struct flight *f, struct engine *e, struct str ref);

struct event_node event_node_of(const struct engine *e);

#endif
