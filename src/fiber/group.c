/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: who is in, and the one fiber that waits for all to leave.
 */
#include "fiber/group.h"

#include <assert.h>

#include "fiber/core.h"
#include "fiber/fiber.h"

void group_go(struct group *g, const char *name, fiber_fn *fn, void *arg)
{
	if (!loop)
		loop_abort("group_go %s: no loop runs", name);
	if (!g->fibers.next)
		list_init(&g->fibers);

	struct fiber *f = fiber_new(name, fn, arg);

	f->group = g;
	f->cancelled = g->finishing;
	list_append(&g->fibers, &f->sibling);
	g->n++;
}

void group_left(struct fiber *f)
{
	struct group *g = f->group;

	list_remove(&f->sibling);
	f->group = NULL;
	g->n--;
	if (g->n == 0 && g->joiner)
		fiber_wake(g->joiner, WAKE_EVENT);
}

may_suspend struct error *group_wait(struct group *g)
{
	struct error *err = NULL;

	assert(!g->joiner);
	g->joiner = fiber_self();
	while (g->n > 0 && !err)
		err = fiber_park("its group", NEVER);
	g->joiner = NULL;
	return err;
}

void group_cancel(struct group *g)
{
	list_for_each(link, &g->fibers)
		fiber_cancel(list_item(link, struct fiber, sibling));
}

may_suspend void group_finish(struct group *g)
{
	if (g->n == 0)
		return;

	assert(!g->joiner);
	g->joiner = fiber_must("group_finish");
	assert(g->joiner->group != g);
	/* What the children still start in the group begins cancelled. */
	g->finishing = true;
	group_cancel(g);
	while (g->n > 0)
		fiber_park_shielded("the end of its group");
	g->finishing = false;
	g->joiner = NULL;
}
