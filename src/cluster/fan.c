/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/fan.h"

#include "base/duration.h"
#include "base/mem.h"
#include "cluster/call.h"
#include "fiber/deadline.h"
#include "fiber/group.h"

/* One node that hangs must not hold up the answer of all for ever. */
#define ANSWER_TIME (60 * SECOND)

static may_suspend void run_job(void *arg)
{
	struct fan_job *job = arg;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(ANSWER_TIME);
	const struct fan *f = job->fan;

	job->err =
		call_engine(job->engine, f->version, f->method, f->path, &job->arena, &job->body);
}

may_suspend struct error *fan_call(struct fan *f, const struct engines *engines)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	f->n = engines->n;
	f->jobs = mem_zalloc(f->n * sizeof(*f->jobs) + 1);
	for (size_t i = 0; i < f->n; i++) {
		f->jobs[i].engine = engines->v[i];
		f->jobs[i].fan = f;
		group_go(&g, "fan-out", run_job, &f->jobs[i]);
	}
	return group_wait(&g);
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
