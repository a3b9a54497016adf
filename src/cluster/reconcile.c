/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at all nodes anew: before a manager acts on what another one did.
 */
#include "base/limits.h"
#include "cluster/cluster.h"
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

may_suspend struct error *cluster_reconcile(struct cluster *c)
{
	_cleanup_(look_fini) struct look l = { .group = GROUP_INIT };

	cluster_healthy_engines(c, &l.engines);
	for (size_t i = 0; i < MIN(l.engines.n, (size_t)LIMIT_FAN_OUT); i++)
		group_go(&l.group, "look at a node", look_one_after_the_other, &l);
	TRY(group_wait(&l.group));
	return take(l.err);
}
