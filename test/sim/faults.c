/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells an operation with every fault at every step. Each run begins with a new pool in a new loop;
 * those of one kind share a process, whose leaks are looked for at its end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fiber/group.h"
#include "sim/internal.h"

/* No operation has so many; one that never ends would. */
#define MOST_STEPS 400

struct fault_run {
	const struct fault_story *story;
	uint64_t seed;
	enum fault_kind kind;
	unsigned int step;
	bool fired;
};

static void client_goes_away(void *arg)
{
	struct sim *s = arg;

	group_cancel(&s->fibers);
}

static may_suspend void suffer_once(struct sim *s, void *arg)
{
	struct fault_run *r = arg;

	r->story->prepare(s);
	sim_on_hangup(s, client_goes_away, s);
	sim_fault(s, NULL, r->kind, NULL, r->step);
	r->story->act(s);
	sim_join(s);
	r->fired = sim_fault_fired(s);
	sim_fault_clear(s);
	sim_settle(s);
	r->story->after(s);
	sim_settle(s);
}

static void tell_kind(void *arg)
{
	struct fault_run *r = arg;
	const char *only = getenv("SIM_STEP");

	do {
		if (only && (unsigned int)atoi(only) != r->step) {
			r->fired = true;
			continue;
		}
		if (getenv("SIM_LOG") || getenv("SIM_STEPS_SHOWN"))
			fprintf(stderr, "# %s, %s at step %u\n", r->story->name,
				fault_names[r->kind], r->step);
		snprintf(sim_title, sizeof(sim_title), "SIM_FAULT=%s SIM_STEP=%u",
			 fault_names[r->kind], r->step);
		sim_once(r->seed, suffer_once, r);
	} while (r->fired && (r->step += sim_stride()) < MOST_STEPS);
	if (!only)
		assert_in_range(r->step, 1, MOST_STEPS - 1);
}

static void tell_faults(uint64_t seed, void *arg)
{
	const char *only = getenv("SIM_FAULT");

	for (int kind = FAULT_NONE + 1; kind < FAULT_KINDS; kind++) {
		struct fault_run r = { .story = arg,
				       .seed = seed,
				       .kind = (enum fault_kind)kind,
				       .step = (unsigned int)kind % sim_stride() };

		if (!only || strcmp(only, fault_names[kind]) == 0)
			sim_apart(r.story->name, seed, tell_kind, &r);
	}
}

void sim_tell_faults(void **state)
{
	sim_each_seed(1, tell_faults, *state);
}
