/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renaming a container: the pool's names are kept apart, its node does the rest.
 */
#include "base/duration.h"
#include "cluster/call.h"
#include "cluster/place.h"
#include "cluster/internal.h"
#include "fiber/deadline.h"
#include "http/url.h"

#define RENAME_TIME (60 * SECOND)

/* A name that is held while an engine gives it. */
struct held_name {
	struct cluster *c;
	struct flight flight;
};

static void held_name_fini(struct held_name *s)
{
	flight_end(s->c, &s->flight);
}

/* A name must not be held for ever by an engine that does not answer. */
static may_suspend struct error *ask_for_rename(struct engine *e, struct api_version version,
						struct str path)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(RENAME_TIME);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str reply;
	struct error *err = call_engine(e, version, "POST", path, &arena, &reply);

	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return error_new(ERR_TIMEOUT, "%.*s: no answer within %d seconds", STR_ARG(engine_addr(e)),
			 (int)(RENAME_TIME / SECOND));
}

may_suspend struct error *cluster_rename(struct cluster *c, struct container *ct,
					 struct str new_name, struct api_version version)
{
	_cleanup_(engine_unrefp) struct engine *e = engine_ref(ct->engine);
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	_cleanup_(held_name_fini) struct held_name held = { .c = c };
	struct str name = str_strip_prefix(new_name, STR("/"));
	struct error *err;
	bool unknown;

	if (!str_empty(name) && !str_eq(name, ct->name))
		TRY(flight_hold_name(c, &held.flight, name));

	strbuf_addf(&path, "/containers/%.*s/rename?name=", STR_ARG(ct->id));
	http_encode_query(&path, name);
	err = ask_for_rename(e, version, strbuf_str(&path));
	unknown = call_is_unanswered(err);
	if (!err) {
		err = engine_refresh_container(e, ct->id);
		unknown = err != NULL;
	}
	if (unknown)
		leftover_keep(c, &held.flight, e, ct->id);
	return err;
}
