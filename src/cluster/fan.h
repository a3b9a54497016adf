/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One short request to several engines at once: what each answered, and one error for all.
 */
#ifndef CLUSTER_FAN_H
#define CLUSTER_FAN_H

#include "base/duration.h"
#include "cluster/cluster.h"
#include "docker/version.h"
#include "fiber/group.h"
#include "json/json.h"

/*
 * Layers are deleted by the thousand, and what containers wrote is added up file by file: a node
 * that does so is given up sooner only when it is down.
 */
#define FAN_LONG (10 * MINUTE)

struct fan_job {
	struct engine *engine; /* borrowed from the engines that were given */
	struct fan *fan;
	struct arena arena;
	struct str body;    /* of its answer, where it did not fail */
	struct error *err;  /* its failure */
	struct group group; /* its own, so that one node can be given up alone */
};

struct fan {
	struct api_version version;
	const char *method;
	struct str path;
	/* Where not all are asked the same: its path, in the job's arena. May be NULL. */
	struct str (*path_for)(struct fan_job *job);
	struct str json; /* the body; empty: none */
	int64_t time;	 /* that a node may take for its answer; 0: a minute */
	/*
	 * What is done about one node's answer, on that node's fiber while others still work; its
	 * error is the node's. May be NULL.
	 */
	may_suspend struct error *(*on_answer)(struct fan_job *job);
	const void *arg; /* for both */
	struct fan_job *jobs;
	size_t n, started;
	bool over; /* no further ones are */
};

/*
 * Zero-initialise with version, method and path (borrowed). Parks until all have answered or
 * failed, LIMIT_FAN_OUT of them asked at a time; a node that turns unhealthy meanwhile has failed.
 */
may_suspend must_check struct error *fan_call(struct fan *f, const struct engines *engines);
void fan_fini(struct fan *f);

/* How many of n nodes one request asks at once: LIMIT_FAN_OUT, fewer where fibers run short. */
size_t fan_width(size_t n);

/*
 * GETs a list from every healthy engine, and hands each entry to fn. A node that does not answer
 * with a list within `time` (as of a fan) is logged as `trouble`, and what it has is left out.
 */
typedef void fan_take_fn(void *arg, struct json entry);
may_suspend must_check struct error *fan_lists(const struct cluster *c, struct api_version version,
					       struct str path, int64_t time, const char *trouble,
					       fan_take_fn *fn, void *arg);

bool fan_any_succeeded(const struct fan *f);

/*
 * The failures as one error (failures.h), NULL where there is none. `forgive` failures do not count
 * where some job succeeded.
 */
must_check struct error *fan_error(struct fan *f, enum error_kind forgive);

#endif
