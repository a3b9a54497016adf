/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at nodes anew: at all before a manager acts on what another one did, at some before a ps
 * that an operator wants to be sure of.
 */
#include "base/log.h"
#include "cluster/fan.h"
#include "cluster/internal.h"
#include "fiber/clock.h"
#include "fiber/group.h"

struct look {
	struct engines engines;
	size_t next; /* not looked at yet */
	struct error *err;
	struct group group;
};

static may_suspend void look_fini(struct look *l)
{
	group_finish(&l->group);
	engines_fini(&l->engines);
	error_free(l->err);
}

static may_suspend void look_one_after_the_other(void *arg)
{
	struct look *l = arg;

	while (l->next < l->engines.n) {
		struct error *err = engine_reconcile(l->engines.v[l->next++]);

		/* Only its group cancels it, and then nobody waits. */
		if (error_is(err, ERR_CANCELLED)) {
			error_free(err);
			return;
		}
		error_keep(&l->err, err);
	}
}

static may_suspend struct error *look_at_all(struct look *l)
{
	for (size_t i = fan_width(l->engines.n); i > 0; i--)
		group_go(&l->group, "look at a node", look_one_after_the_other, l);
	return group_wait(&l->group);
}

may_suspend struct error *cluster_reconcile(struct cluster *c)
{
	_cleanup_(look_fini) struct look l = { .group = GROUP_INIT };

	c->guards.elected_at = clock_now();
	cluster_healthy_engines(c, &l.engines);
	TRY(look_at_all(&l));
	return take(l.err);
}

static void keep_asked(struct engines *engines, const struct filters *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < engines->n; i++) {
		if (filters_match_exact(f, "node", engine_name(engines->v[i])))
			engines->v[kept++] = engines->v[i];
		else
			engine_unref(engines->v[i]);
	}
	engines->n = kept;
}

may_suspend struct error *reconcile_before_list(struct cluster *c, const struct filters *f)
{
	const char *name = c->config.refresh_on_name;
	_cleanup_(look_fini) struct look l = { .group = GROUP_INIT };

	if (!(c->config.refresh_on_node && filters_get(f, "node")) &&
	    !(name && filters_have(f, "name", str_from(name))))
		return NULL;
	cluster_healthy_engines(c, &l.engines);
	keep_asked(&l.engines, f);
	TRY(look_at_all(&l));
	/* What is known of a node that does not answer is listed still. */
	if (l.err)
		log_debug("a node could not be looked at before a list", LOG_ERR(l.err));
	return NULL;
}
