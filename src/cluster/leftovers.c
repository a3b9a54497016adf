/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creations and renames that were asked for and not answered: the engine may have done it, or be
 * about to. What they hold in the pool stays held until the engine was asked what has become of it,
 * though their client may have heard of a failure already, or have gone.
 */
#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "engine/client.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"

/* An engine that was asked is given this long to do it before it is looked at. */
#define LOOK_AFTER (1 * SECOND)
#define LOOK_FOR   (60 * SECOND)

struct leftover {
	struct cluster *c;
	struct engine *engine;
	struct flight flight;
	struct str ref; /* the container, by a name or id that its engine knows; "" where unknown */
	struct arena arena; /* of all texts */
};

static void leftover_free(struct leftover *l)
{
	flight_end(l->c, &l->flight);
	engine_unref(l->engine);
	arena_fini(&l->arena);
	free(l);
}

/* Without a name of the container's all of the node has to be looked at. */
static may_suspend struct error *look(struct leftover *l)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json found;
	struct error *err;

	if (str_empty(l->ref))
		return engine_reconcile(l->engine);
	err = engine_call_inspect_container(l->engine, l->ref, &arena, &found);
	if (!error_is(err, ERR_NOT_FOUND))
		return err ? err : engine_refresh_container(l->engine, json_get_str(found, "Id"));
	error_free(err);
	return NULL;
}

/*
 * Until it is known. A node that is not healthy takes no new containers, and is looked at as a
 * whole before it is healthy again, so there is nothing to be held for it.
 */
static may_suspend struct error *find_out(struct leftover *l)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(LOOK_FOR);
	_cleanup_(error_freep) struct error *err = NULL;

	for (;;) {
		TRY(fiber_sleep(LOOK_AFTER));
		if (engine_state(l->engine) != ENGINE_HEALTHY)
			return NULL;
		error_free(err);
		err = look(l);
		if (!err || error_is(err, ERR_CANCELLED) || deadline_passed(&d))
			return take(err);
	}
}

static may_suspend void leftover_main(void *arg)
{
	struct leftover *l = arg;
	_cleanup_(error_freep) struct error *err = find_out(l);

	if (err && !error_is(err, ERR_CANCELLED))
		log_warn("what became of a request to a node is not known, its events will tell",
			 LOG_STR("node", engine_name(l->engine)), LOG_STR("container", l->ref),
			 LOG_ERR(err));
	leftover_free(l);
}

void leftover_keep(struct cluster *c, struct flight *f, struct engine *e, struct str ref)
{
	struct leftover *l = mem_new(struct leftover);

	l->c = c;
	l->engine = engine_ref(e);
	l->ref = arena_dup(&l->arena, ref);
	flight_move(c, f, &l->flight, &l->arena);
	group_go(&c->leftovers, "leftover", leftover_main, l);
}
