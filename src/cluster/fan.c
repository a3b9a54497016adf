/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/fan.h"

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/call.h"
#include "cluster/failures.h"
#include "fiber/deadline.h"
#include "fiber/loop.h"

#define ANSWER_TIME (60 * SECOND) /* where the caller names no other */
#define LOOK_EVERY  (5 * SECOND)  /* whether a node that does not answer is still well */

static void start_next(struct fan *f);

static may_suspend struct error *call_and_take(struct fan_job *job)
{
	const struct fan *f = job->fan;
	struct str path = f->path_for ? f->path_for(job) : f->path;

	if (str_empty(f->json))
		TRY(call_engine(job->engine, f->version, f->method, path, &job->arena, &job->body));
	else
		TRY(call_engine_json(job->engine, f->version, f->method, path, f->json, &job->arena,
				     &job->body));
	return f->on_answer ? f->on_answer(job) : NULL;
}

/* One node that hangs must not hold up the answer of all for ever. */
static may_suspend void ask(struct fan_job *job)
{
	int64_t time = job->fan->time ? job->fan->time : ANSWER_TIME;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(time);

	job->err = call_and_take(job);
	if (!error_is(job->err, ERR_TIMEOUT) || !deadline_passed(&d))
		return;
	error_free(job->err);
	job->err =
		error_new(ERR_TIMEOUT, "no answer within %lld seconds", (long long)(time / SECOND));
}

static may_suspend void run_job(void *arg)
{
	struct fan_job *job = arg;

	ask(job);
	start_next(job->fan);
}

static void start_next(struct fan *f)
{
	struct fan_job *job;

	if (f->over || f->started == f->n)
		return;
	job = &f->jobs[f->started++];
	group_go(&job->group, "fan-out", run_job, job);
}

static void give_up(struct fan_job *job)
{
	error_free(job->err);
	job->err = error_new(ERR_NODE_DOWN, "the node became unhealthy before it answered");
}

/* Until it has answered or failed, or its node is not well any more. */
static may_suspend struct error *await_job(struct fan_job *job)
{
	bool lost = false;

	for (;;) {
		_cleanup_(deadline_end) struct deadline d = deadline_begin(LOOK_EVERY);
		struct error *err = group_wait(&job->group);

		if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d)) {
			if (lost && !err && error_is(job->err, ERR_CANCELLED))
				give_up(job);
			return err;
		}
		error_free(err);
		lost = engine_state(job->engine) != ENGINE_HEALTHY;
		if (lost)
			group_cancel(&job->group);
	}
}

static may_suspend void finish_jobs(struct fan *f)
{
	f->over = true;
	for (size_t i = 0; i < f->n; i++)
		group_cancel(&f->jobs[i].group);
	for (size_t i = 0; i < f->n; i++)
		group_finish(&f->jobs[i].group);
}

/* One at least: that one request goes on costs no more than that it waits. */
size_t fan_width(size_t n)
{
	size_t most = MIN(n, (size_t)LIMIT_FAN_OUT);

	return MIN(most, MAX(loop_fiber_room(), 1));
}

may_suspend struct error *fan_call(struct fan *f, const struct engines *engines)
{
	struct error *err = NULL;

	f->n = engines->n;
	f->jobs = mem_zalloc(f->n * sizeof(*f->jobs) + 1);
	for (size_t i = 0; i < f->n; i++) {
		f->jobs[i].engine = engines->v[i];
		f->jobs[i].fan = f;
	}
	for (size_t i = fan_width(f->n); i > 0; i--)
		start_next(f);
	/* Each that ends starts another, so by its turn in this loop a job has been started. */
	for (size_t i = 0; i < f->n && !err; i++)
		err = await_job(&f->jobs[i]);
	finish_jobs(f);
	return err;
}

void fan_fini(struct fan *f)
{
	for (size_t i = 0; i < f->n; i++) {
		error_free(f->jobs[i].err);
		arena_fini(&f->jobs[i].arena);
	}
	free(f->jobs);
	f->jobs = NULL;
	f->n = 0;
}

static struct error *take_list(struct fan_job *job, fan_take_fn *fn, void *arg)
{
	struct json list, entry;
	struct json_iter it;

	TRY(json_parse(job->body, &job->arena, &list));
	it = json_iter(list);
	while (json_next(&it, NULL, &entry))
		fn(arg, entry);
	return NULL;
}

may_suspend struct error *fan_lists(const struct cluster *c, struct api_version version,
				    struct str path, int64_t time, const char *trouble,
				    fan_take_fn *fn, void *arg)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(fan_fini) struct fan fan = {
		.version = version,
		.method = "GET",
		.path = path,
		.time = time,
	};

	cluster_healthy_engines(c, &engines);
	TRY(fan_call(&fan, &engines));
	for (size_t i = 0; i < fan.n; i++) {
		struct fan_job *job = &fan.jobs[i];

		if (!job->err)
			job->err = take_list(job, fn, arg);
		if (job->err)
			log_warn(trouble, LOG_STR("node", engine_name(job->engine)),
				 LOG_ERR(job->err));
	}
	return NULL;
}

bool fan_any_succeeded(const struct fan *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->jobs[i].err)
			return true;
	return false;
}

struct error *fan_error(struct fan *f, enum error_kind forgive)
{
	bool some = fan_any_succeeded(f);
	struct failures failures = { 0 };

	for (size_t i = 0; i < f->n; i++) {
		struct fan_job *job = &f->jobs[i];

		if (some && error_is(job->err, forgive))
			failures_add(&failures, job->engine, NULL);
		else
			failures_add(&failures, job->engine, take(job->err));
	}
	return failures_join(&failures);
}
