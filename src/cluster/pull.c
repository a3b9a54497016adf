/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulling on every node at once. One node's failure does not stop the others; it is shown when it
 * happens, where there is progress to show it in, and again at the end.
 */
#include "base/mem.h"
#include "cluster/failures.h"
#include "cluster/images.h"
#include "cluster/internal.h"
#include "cluster/progress.h"
#include "engine/client.h"

struct pull_job {
	struct engine *engine;
	const struct pull_request *req;
	struct progress *progress;
	struct error *err;
};

struct pull_jobs {
	struct pull_job *v;
	size_t n;
};

static void pull_jobs_fini(struct pull_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		error_free(jobs->v[i].err);
	free(jobs->v);
}

static may_suspend struct error *pass_line(void *arg, struct str line)
{
	struct pull_job *job = arg;

	return progress_line(job->progress, job->engine, line);
}

static may_suspend void pull_one(void *arg)
{
	struct pull_job *job = arg;
	const struct pull_request *req = job->req;

	job->err = engine_call_pull(job->engine, req->version, req->query, req->registry_auth,
				    pass_line, job);
	if (!job->err)
		job->err = engine_refresh_image(job->engine, req->image);
	if (job->err && job->progress->several && !error_is(job->err, ERR_CANCELLED))
		error_keep(&job->err, progress_failure(job->progress, job->engine, job->err));
}

static struct error *join_errors(struct pull_jobs *jobs)
{
	struct failures failures = { 0 };

	for (size_t i = 0; i < jobs->n; i++)
		failures_add(&failures, jobs->v[i].engine, take(jobs->v[i].err));
	return failures_join(&failures);
}

static may_suspend struct error *pull_on(const struct engines *engines,
					 const struct pull_request *req, emit_fn *emit, void *arg)
{
	struct progress progress = { .emit = emit, .arg = arg, .several = engines->n > 1 };
	_cleanup_(pull_jobs_fini) struct pull_jobs jobs = {
		mem_zalloc(engines->n * sizeof(struct pull_job) + 1), engines->n
	};
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	for (size_t i = 0; i < jobs.n; i++) {
		jobs.v[i] = (struct pull_job){ engines->v[i], req, &progress, NULL };
		group_go(&g, "pull", pull_one, &jobs.v[i]);
	}
	TRY(group_wait(&g));
	return join_errors(&jobs);
}

may_suspend struct error *cluster_pull(struct cluster *c, const struct pull_request *req,
				       emit_fn *emit, void *arg)
{
	_cleanup_(engines_fini) struct engines all = { NULL, 0 };
	struct engine *only = req->only;
	struct engines one = { &only, 1 };

	if (only)
		return pull_on(&one, req, emit, arg);
	cluster_healthy_engines(c, &all);
	if (!all.n)
		return error_new(ERR_NO_NODE, "No healthy node available in the cluster");
	return pull_on(&all, req, emit, arg);
}
