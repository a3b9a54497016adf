/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building over all hosts: which node a build goes to, and that all requests of one build, or of
 * one client's gRPC, go to the same.
 */
#ifndef CLUSTER_BUILD_H
#define CLUSTER_BUILD_H

#include "cluster/cluster.h"
#include "docker/build.h"

struct build_request {
	struct str client; /* who asks */
	struct str id;	   /* for its cancelling, and for an upload that belongs to it; may be "" */
	struct str session; /* that BuildKit reads its context from; "": none */
	struct build_args args;
	struct str network_mode; /* as the pool calls it: "container:db", "node-1/shop" */
	int64_t memory;		 /* a limit that the node must hold; 0: none */
	struct str platform;	 /* that it is for; "": the node's own */
	const struct str *tags;
	size_t n_tags;
};

/* A build under way: counts as a container on its node. */
struct build;

/*
 * Chooses its node by its expressions; a build without any whose first tag some node has goes there
 * again, to the cache, and so that no older image keeps that name. Where its session is on a node
 * already there is no other. ERR_NO_NODE, ERR_INVALID.
 * The request's texts must outlive the build.
 */
must_check struct error *cluster_build_begin(struct cluster *c, const struct build_request *req,
					     struct build **ret);
struct engine *cluster_build_engine(const struct build *b); /* borrowed */
/* The request's network_mode as its engine calls it. */
struct str cluster_build_network_mode(const struct build *b);

/*
 * It has made these images (of struct build_output): they and its tags are known when this returns,
 * and the client's next create of a tag goes where the new image is.
 */
may_suspend void cluster_build_made(struct build *b, struct str ids);
void cluster_build_end(struct build *b); /* NULL is fine */
DEFINE_CLEANUP(struct build *, cluster_build_end)

/* The node of the build under way with that id, NULL: none. A new reference. */
struct engine *cluster_build_node(struct cluster *c, struct str id);

/*
 * The same, for an upload that came before its build: parks for LIMIT_BUILD_MEETING at most.
 * ERR_NOT_FOUND. A new reference.
 */
may_suspend must_check struct error *cluster_build_wait(struct cluster *c, struct str id,
							struct engine **ret);

/* A client's connection for one session. ERR_INVALID where that session has one already. */
struct build_session;
must_check struct error *cluster_session_open(struct cluster *c, struct str id, struct str client,
					      struct build_session **ret);
/*
 * Parks until its node is known: by the build that names it, else by the client's gRPC; for
 * LIMIT_BUILD_MEETING at most, then ERR_TIMEOUT. Borrowed, for as long as the session is open.
 */
may_suspend must_check struct error *cluster_session_wait(struct build_session *s,
							  struct engine **ret);
void cluster_session_close(struct build_session *s); /* NULL is fine */
DEFINE_CLEANUP(struct build_session *, cluster_session_close)

/*
 * A client's gRPC connection that has something to say: to the node of its others, else to one
 * that the constraints choose. ERR_NO_NODE, ERR_INVALID.
 */
struct build_grpc;
must_check struct error *cluster_grpc_open(struct cluster *c, struct str client,
					   const struct str_array *constraints,
					   struct build_grpc **ret);
struct engine *cluster_grpc_engine(const struct build_grpc *g); /* borrowed */
void cluster_grpc_close(struct build_grpc *g);			/* NULL is fine */
DEFINE_CLEANUP(struct build_grpc *, cluster_grpc_close)

/*
 * Reads what the client's gRPC may have built, which nobody says: while that is open, and once after
 * it has closed. What a client has built its next request sees, when this was called before.
 */
may_suspend void cluster_see_builds(struct cluster *c, struct str client);

/* Constraints that do not read as such: ERR_INVALID, before anything is promised. */
must_check struct error *cluster_check_constraints(const struct str_array *constraints);

#endif
