/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulling on every node at once. One node's failure does not stop the others; it is shown when it
 * happens, where there is progress to show it in, and again at the end.
 */
#include "base/mem.h"
#include "cluster/failures.h"
#include "cluster/fan.h"
#include "cluster/images.h"
#include "cluster/internal.h"
#include "cluster/progress.h"
#include "cluster/shared_pull.h"

struct pull_job {
	struct engine *engine;
	struct error *err;
};

struct pulls {
	struct cluster *cluster;
	const struct pull_request *req;
	struct progress progress;
	struct pull_job *v;
	size_t n, begun;
};

static void pulls_fini(struct pulls *all)
{
	for (size_t i = 0; i < all->n; i++)
		error_free(all->v[i].err);
	free(all->v);
}

/* Another client may be pulling the same there: then this one only looks on. */
static may_suspend struct error *pull_on(struct pulls *all, struct engine *e)
{
	const struct pull_request *req = all->req;
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;
	_cleanup_(shared_pull_leavep) struct shared_pull *p = NULL;
	uint64_t at = 0;
	bool over;

	p = shared_pull_join(all->cluster, e,
			     &(struct pull_wanted){ .version = req->version,
						    .query = req->query,
						    .image = req->image,
						    .platform = req->platform,
						    .registry_auth = req->registry_auth });
	for (;;) {
		TRY(shared_pull_next(p, &at, &line, &over));
		if (over)
			return NULL;
		TRY(progress_line(&all->progress, e, strbuf_str(&line)));
	}
}

static may_suspend void pull_one(struct pulls *all, struct pull_job *job)
{
	job->err = pull_on(all, job->engine);
	if (job->err && all->progress.several && !error_is(job->err, ERR_CANCELLED))
		error_keep(&job->err, progress_failure(&all->progress, job->engine, job->err));
}

static may_suspend void pull_one_after_the_other(void *arg)
{
	struct pulls *all = arg;

	while (all->begun < all->n)
		pull_one(all, &all->v[all->begun++]);
}

static struct error *join_errors(struct pulls *all)
{
	struct failures failures = { 0 };

	for (size_t i = 0; i < all->n; i++)
		failures_add(&failures, all->v[i].engine, take(all->v[i].err));
	return failures_join(&failures);
}

static may_suspend struct error *pull_on_all(struct cluster *c, const struct engines *engines,
					     const struct pull_request *req, emit_fn *emit,
					     void *arg)
{
	_cleanup_(pulls_fini) struct pulls all = {
		.cluster = c,
		.req = req,
		.progress = { .emit = emit, .arg = arg, .several = engines->n > 1 },
		.v = mem_zalloc(engines->n * sizeof(struct pull_job) + 1),
		.n = engines->n,
	};
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	for (size_t i = 0; i < all.n; i++)
		all.v[i].engine = engines->v[i];
	for (size_t i = fan_width(all.n); i > 0; i--)
		group_go(&g, "pull", pull_one_after_the_other, &all);
	TRY(group_wait(&g));
	return join_errors(&all);
}

may_suspend struct error *cluster_pull(struct cluster *c, const struct pull_request *req,
				       emit_fn *emit, void *arg)
{
	_cleanup_(engines_fini) struct engines all = { NULL, 0 };
	struct engine *only = req->only;
	struct engines one = { &only, 1 };

	if (only)
		return pull_on_all(c, &one, req, emit, arg);
	cluster_healthy_engines(c, &all);
	if (!all.n)
		return error_new(ERR_NO_NODE, "No healthy node available in the cluster");
	return pull_on_all(c, &all, req, emit, arg);
}
