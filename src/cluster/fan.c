/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/fan.h"

#include "base/duration.h"
#include "base/mem.h"
#include "cluster/call.h"
#include "fiber/deadline.h"

#define ANSWER_TIME (60 * SECOND) /* where the caller names no other */
#define LOOK_EVERY  (5 * SECOND)  /* whether a node that does not answer is still well */

static may_suspend struct error *call_and_take(struct fan_job *job)
{
	const struct fan *f = job->fan;

	if (str_empty(f->json))
		TRY(call_engine(job->engine, f->version, f->method, f->path, &job->arena,
				&job->body));
	else
		TRY(call_engine_json(job->engine, f->version, f->method, f->path, f->json,
				     &job->arena, &job->body));
	return f->on_answer ? f->on_answer(job) : NULL;
}

/* One node that hangs must not hold up the answer of all for ever. */
static may_suspend void run_job(void *arg)
{
	struct fan_job *job = arg;
	int64_t time = job->fan->time ? job->fan->time : ANSWER_TIME;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(time);

	job->err = call_and_take(job);
	if (!error_is(job->err, ERR_TIMEOUT) || !deadline_passed(&d))
		return;
	error_free(job->err);
	job->err =
		error_new(ERR_TIMEOUT, "no answer within %lld seconds", (long long)(time / SECOND));
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
	for (size_t i = 0; i < f->n; i++)
		group_cancel(&f->jobs[i].group);
	for (size_t i = 0; i < f->n; i++)
		group_finish(&f->jobs[i].group);
}

may_suspend struct error *fan_call(struct fan *f, const struct engines *engines)
{
	struct error *err = NULL;

	f->n = engines->n;
	f->jobs = mem_zalloc(f->n * sizeof(*f->jobs) + 1);
	for (size_t i = 0; i < f->n; i++) {
		f->jobs[i].engine = engines->v[i];
		f->jobs[i].fan = f;
		group_go(&f->jobs[i].group, "fan-out", run_job, &f->jobs[i]);
	}
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

static bool any_succeeded(const struct fan *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->jobs[i].err)
			return true;
	return false;
}

struct error *fan_error(struct fan *f, enum error_kind forgive)
{
	bool some = any_succeeded(f);
	struct error *all = NULL;

	/* One node: its own words, as one engine says them. */
	if (f->n == 1)
		return take(f->jobs[0].err);
	for (size_t i = 0; i < f->n; i++)
		if (f->jobs[i].err && !(some && error_is(f->jobs[i].err, forgive)))
			all = error_join(all, error_wrap(take(f->jobs[i].err), "%.*s",
							 STR_ARG(engine_name(f->jobs[i].engine))));
	return all;
}
