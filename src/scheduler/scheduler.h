/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses the node for a container: filters, then a strategy. Pure: values in, a node out. What is
 * chosen is the caller's to reserve before anything else runs.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "docker/config.h"
#include "scheduler/expr.h"
#include "scheduler/node.h"

/* A limit: of containers with that label and value a node may have `most`, this one counted. */
struct sched_limit {
	struct sched_count with;
	uint32_t most;
};

/*
 * Devices that are asked for. Not every engine tells what it has: where no node of the pool tells
 * of such devices, or of these by their names, nobody can know better than the engine.
 */
struct sched_device_ask {
	const struct device_request *request;
	bool kind_told, ids_told; /* some node has them: sched_ask_pool */
};

struct sched_request {
	struct exprs constraints, affinities, whitelists;
	/* by==LABEL of nodes; LABEL==N of containers. sched_check_spreads, sched_read_limits. */
	struct exprs spreads, limits;
	struct sched_count kind;	 /* what a spread counts: containers of this one's kind */
	struct sched_limit *limits_read; /* as many as limits; in the arena */
	int64_t nano_cpus, memory;	 /* asked for; 0: none */
	const struct host_port *ports;	 /* with --net=host the exposed ones are among them */
	size_t n_ports;
	bool host_network; /* for the words of a refusal alone */
	struct sched_device_ask *devices;
	size_t n_devices;
	struct str runtime; /* empty: the engine's own */
	bool runtime_told;
	struct platform platform; /* of --platform */
	/* Nodes that failed to create it: taken only where no other fits. */
	struct node_set failed;
	/* Nodes that have its image: of equals, one of them. Not known: it makes no difference. */
	struct node_set near;
	/*
	 * Each dependency with the node that has it; NULL: no container of that name anywhere.
	 * `name` is as the user wrote it.
	 */
	struct sched_dependency {
		struct str name;
		const struct sched_node *node;
	} * dependencies;
	size_t n_dependencies;
	/*
	 * Where not NULL, only these nodes come into question (images, volumes), `only_why` says
	 * why.
	 */
	const struct sched_node *const *only;
	size_t n_only;
	const char *only_why;
	int64_t pattern_time; /* schedule()'s: what is left of LIMIT_PATTERN_TIME */
};

struct filter_kind;   /* filter_<name>.c */
struct strategy_kind; /* strategy_<name>.c */

struct sched_config {
	const struct filter_kind *filters[16]; /* in their order, NULL behind the last */
	const struct strategy_kind *strategy;
	double overcommit; /* 0.05 */
};

void sched_config_default(struct sched_config *c); /* all filters, spread, 0.05 */
/* NULL where there is none of that name. */
const struct filter_kind *sched_filter(struct str name);
const struct strategy_kind *sched_strategy(struct str name);
const char *sched_filter_name(const struct filter_kind *f);
const char *sched_strategy_name(const struct strategy_kind *s);
extern const char *const sched_filter_names[]; /* NULL-terminated, in their order */
extern const char *const sched_strategy_names[];

/* ERR_INVALID quotes what is no `by==LABEL`. */
must_check struct error *sched_check_spreads(const struct exprs *spreads);
/*
 * ERR_INVALID quotes what is no `LABEL==N`. with.value of each is left for the caller: it knows the
 * container's labels.
 */
must_check struct error *sched_read_limits(struct sched_request *request, struct arena *arena);

/* Devices as they are asked for; sched_ask_pool has to tell the rest. In the arena. */
void sched_ask_devices(struct sched_request *request, const struct device_requests *asked,
		       struct arena *arena);
/* Before schedule(): what of the request's devices and runtime some node of the pool tells of. */
void sched_ask_pool(struct sched_request *request, struct sched_node *const *nodes, size_t n);

/*
 * ERR_NO_NODE tells why, per filter and per node (the original's first line, then the reasons);
 * ERR_INVALID where a pattern exceeded its budget. First with, then without soft expressions.
 */
must_check struct error *schedule(const struct sched_config *c, struct sched_node *const *nodes,
				  size_t n, struct sched_request *request, struct arena *arena,
				  struct sched_node **ret);

/*
 * Why each node does not take it, STR_NONE where it does; soft expressions are left aside. `ret` is
 * as long as the nodes, its texts in the arena. ERR_INVALID as schedule().
 */
must_check struct error *sched_explain(const struct sched_config *c,
				       struct sched_node *const *nodes, size_t n,
				       struct sched_request *request, struct arena *arena,
				       struct str *ret);

#endif
