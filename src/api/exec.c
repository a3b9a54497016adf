/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /exec: to the node that has it. Its creation is with its container (containers.c).
 */
#include "api/handlers.h"
#include "api/internal.h"
#include "api/proxy.h"
#include "api/routes.h"
#include "base/duration.h"
#include "cluster/cluster.h"
#include "engine/client.h"
#include "fiber/deadline.h"
#include "fiber/group.h"

#define EXEC_ID_DIGITS 64
#define ASKED_AT_ONCE  64

/* Who has it? Asked of all nodes, some at a time: only after a restart of the manager. */
struct search {
	const struct request *r;
	struct engines engines;
	size_t next;	      /* not asked yet */
	struct engine *found; /* borrowed from engines */
	struct group group;
};

static may_suspend void search_fini(struct search *s)
{
	group_finish(&s->group);
	engines_fini(&s->engines);
}

static may_suspend struct error *ask(const struct search *s, struct engine *e, bool *ret_has)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(ENGINE_CALL_TIME);
	struct http_call call = { .method = STR("GET") };
	struct str path = arena_printf(s->r->arena, "/exec/%.*s/json", STR_ARG(s->r->name));
	const struct http_response *response;

	TRY(engine_exchange(e, s->r->version, path, &call, &x));
	TRY(http_exchange_response(x, &response));
	*ret_has = response->status == 200;
	return NULL;
}

static may_suspend void ask_one_after_the_other(void *arg)
{
	struct search *s = arg;

	while (!s->found && s->next < s->engines.n) {
		struct engine *e = s->engines.v[s->next++];
		bool has = false;

		/* A node that does not answer cannot run the exec either. */
		error_free(ask(s, e, &has));
		if (has)
			s->found = e;
	}
	if (s->found)
		group_cancel(&s->group);
}

static struct error *no_such_exec(const struct request *r)
{
	return error_new(ERR_NOT_FOUND, "No such exec instance: %.*s",
			 STR_ARG(str_first(r->name, 2 * EXEC_ID_DIGITS)));
}

static may_suspend struct error *search_engine(struct request *r, struct engine **ret)
{
	_cleanup_(search_fini) struct search s = { .r = r, .group = GROUP_INIT };

	cluster_healthy_engines(r->cluster, &s.engines);
	for (size_t i = 0; i < MIN(s.engines.n, (size_t)ASKED_AT_ONCE); i++)
		group_go(&s.group, "exec search", ask_one_after_the_other, &s);
	TRY(group_wait(&s.group));
	if (!s.found)
		return no_such_exec(r);
	exec_table_put(&r->api->execs, r->name, s.found);
	*ret = engine_ref(s.found);
	return NULL;
}

static bool is_exec_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.n == EXEC_ID_DIGITS;
}

static may_suspend struct error *find_engine(struct request *r, struct engine **ret)
{
	_cleanup_(engine_unrefp) struct engine *e = exec_table_get(&r->api->execs, r->name);

	if (!e && !is_exec_id(r->name))
		return no_such_exec(r);
	if (!e)
		return search_engine(r, ret);
	if (engine_state(e) != ENGINE_HEALTHY)
		return error_new(ERR_NODE_DOWN, "Exec %.*s running on unhealthy node %.*s",
				 STR_ARG(r->name), STR_ARG(engine_name(e)));
	*ret = take(e);
	return NULL;
}

static may_suspend struct error *pass(struct request *r, bool hijacks)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	struct str tail = route_tail(r->route);
	struct proxy p = { .hijacks = hijacks };

	TRY(find_engine(r, &e));
	p.engine = e;
	p.path = request_with_query(
		r, arena_printf(r->arena, "/exec/%.*s%.*s", STR_ARG(r->name), STR_ARG(tail)));
	return proxy_pass(r, &p);
}

may_suspend struct error *exec_pass(struct request *r)
{
	return pass(r, false);
}

may_suspend struct error *exec_start(struct request *r)
{
	return pass(r, true);
}
