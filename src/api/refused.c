/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is not served, each with a reason.
 */
#include "api/handlers.h"
#include "api/request.h"
#include "api/routes.h"

may_suspend struct error *refuse_swarm_mode(_unused_ struct request *r)
{
	return error_new(
		ERR_UNAVAILABLE,
		"This pool is not a swarm-mode cluster: services, tasks, secrets and configs "
		"are not available. Containers are placed on its nodes by docker run.");
}

may_suspend struct error *refuse_for_now(struct request *r)
{
	return error_new(
		ERR_NOT_IMPLEMENTED, "%.*s %.*s is not served by this version of swarm: %s",
		STR_ARG(r->in->head.method), STR_ARG(str_first(r->path, 200)), r->route->note);
}

/*
 * One thing of a kind that the pool does not manage. `docker inspect NAME` asks for each kind in
 * turn and goes on to the next only after a 404.
 */
may_suspend struct error *refuse_unknown(struct request *r)
{
	return error_new(ERR_NOT_FOUND, "No such object: %.*s (%s)",
			 STR_ARG(str_first(r->name, 200)), r->route->note);
}
