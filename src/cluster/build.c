/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A build on its node, which build_place.c chooses, and bringing to it what belongs to the build.
 * Only waiting for a node and reading back what was made park.
 */
#include "cluster/build.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/build_place.h"
#include "cluster/internal.h"
#include "fiber/deadline.h"

/*
 * A client's session and the build that names it are sent at the same time. So long a session
 * waits for its build alone; then it goes where the client's gRPC does, which never says more.
 */
#define BUILD_FIRST (300 * MILLISECOND)
#define SEE_BUILDS  (5 * SECOND) /* what a node takes longer for holds up no request */

struct build {
	struct cluster *c;
	const struct build_request *req;
	struct flight flight;
	struct engine *engine;	 /* a reference */
	struct str network_mode; /* in the arena */
	struct arena arena;
	struct meeting *session, *self; /* NULL: it names none */
};

static struct meeting *join(struct cluster *c, enum meeting_kind kind, struct str id,
			    struct engine *e)
{
	struct meeting *m;

	if (str_empty(id))
		return NULL;
	m = meeting_join(&c->builds, kind, id);
	meeting_set_engine(&c->builds, m, e);
	return m;
}

struct error *cluster_build_begin(struct cluster *c, const struct build_request *req,
				  struct build **ret)
{
	struct engine *session_at = meeting_find(&c->builds, MEETING_SESSION, req->session);
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str network_mode;
	struct member *m;
	struct build *b;

	TRY(build_place(c, req, session_at, &arena, &m, &network_mode));
	b = mem_new(struct build);
	b->network_mode = network_mode;
	b->arena = arena;
	arena = (struct arena)ARENA_INIT;
	b->c = c;
	b->req = req;
	b->engine = engine_ref(m->engine);
	flight_board(&b->flight, m, STR_NONE);
	b->session = join(c, MEETING_SESSION, req->session, m->engine);
	b->self = join(c, MEETING_BUILD, req->id, m->engine);
	log_info("building", LOG_STR("node", engine_name(b->engine)),
		 LOG_STR("client", req->client));
	*ret = b;
	return NULL;
}

struct engine *cluster_build_engine(const struct build *b)
{
	return b->engine;
}

struct str cluster_build_network_mode(const struct build *b)
{
	return b->network_mode;
}

static may_suspend void refresh(struct engine *e, struct str image)
{
	struct error *err = engine_refresh_image(e, image);

	if (err)
		log_debug("a built image could not be read", LOG_STR("node", engine_name(e)),
			  LOG_STR("image", image), LOG_ERR(err));
	error_free(err);
}

/*
 * The build's node has the tag on that image (a build that failed after one of its stages has
 * tagged nothing). ret_former: the image there that had it before, as far as we know; in the arena.
 */
static bool is_tagged(const struct build *b, struct str tag, struct str id, struct arena *arena,
		      struct str *ret_former)
{
	const struct slot *slot = image_index_find(&b->c->images, tag);
	bool found = false;

	*ret_former = STR_NONE;
	for (size_t i = 0; slot && i < slot->n; i++) {
		const struct copy *copy = &slot->copies[i];

		if (copy->engine != b->engine)
			continue;
		if (str_eq(copy->image->id, id))
			found = true;
		else
			*ret_former = arena_dup(arena, copy->image->id);
	}
	return found;
}

static may_suspend void enter_tag(struct build *b, struct str tag, struct str id)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str former;

	refresh(b->engine, tag);
	if (!is_tagged(b, tag, id, &arena, &former))
		return;
	if (!str_empty(former))
		refresh(b->engine, former);
	pull_target_built(b->c, b->req->client, tag, b->engine);
}

may_suspend void cluster_build_made(struct build *b, struct str ids)
{
	const struct build_request *req = b->req;
	struct str id = STR_NONE;

	if (str_empty(ids))
		return; /* it failed, and the client reads why */
	while (build_output_next(&ids, &id))
		refresh(b->engine, id);
	for (size_t i = 0; i < req->n_tags; i++)
		enter_tag(b, req->tags[i], id);
}

void cluster_build_end(struct build *b)
{
	if (!b)
		return;
	flight_end(b->c, &b->flight);
	meeting_leave(&b->c->builds, b->session);
	meeting_leave(&b->c->builds, b->self);
	engine_unref(b->engine);
	arena_fini(&b->arena);
	free(b);
}

struct engine *cluster_build_node(struct cluster *c, struct str id)
{
	struct engine *e = meeting_find(&c->builds, MEETING_BUILD, id);

	return e ? engine_ref(e) : NULL;
}

static may_suspend struct error *await_engine(struct build_table *t, const struct meeting *m)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(LIMIT_BUILD_MEETING);
	struct error *err = NULL;

	while (!m->engine && !err)
		err = waitq_wait(&t->news, "a build for its upload");
	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return error_new(ERR_NOT_FOUND, "no build waits for this upload");
}

may_suspend struct error *cluster_build_wait(struct cluster *c, struct str id, struct engine **ret)
{
	struct meeting *m = meeting_join(&c->builds, MEETING_BUILD, id);
	struct error *err = await_engine(&c->builds, m);

	if (!err)
		*ret = engine_ref(m->engine);
	meeting_leave(&c->builds, m);
	return err;
}

struct build_session {
	struct build_table *table;
	struct meeting *meeting;
	struct build_pin *pin; /* where that, and no build, said its node */
	char *client;
};

struct error *cluster_session_open(struct cluster *c, struct str id, struct str client,
				   struct build_session **ret)
{
	struct meeting *m = meeting_join(&c->builds, MEETING_SESSION, id);
	struct build_session *s;

	if (m->attended) {
		meeting_leave(&c->builds, m);
		return error_new(ERR_INVALID, "session %.*s already exists",
				 STR_ARG(str_first(id, 100)));
	}
	m->attended = true;
	s = mem_new(struct build_session);
	s->table = &c->builds;
	s->meeting = m;
	s->client = str_dup(client);
	*ret = s;
	return NULL;
}

static may_suspend struct error *await_build_first(struct build_session *s)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(BUILD_FIRST);
	struct error *err = NULL;

	while (!s->meeting->engine && !err)
		err = waitq_wait(&s->table->news, "the build of a session");
	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return NULL;
}

static void take_pin(struct build_session *s)
{
	s->pin = build_pin_use(s->table, str_from(s->client));
	if (s->pin)
		meeting_set_engine(s->table, s->meeting, s->pin->engine);
}

static may_suspend struct error *await_node(struct build_session *s)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(LIMIT_BUILD_MEETING);

	TRY(await_build_first(s));
	for (;;) {
		if (!s->meeting->engine)
			take_pin(s);
		if (s->meeting->engine)
			return NULL;
		TRY(waitq_wait(&s->table->news, "the node of a session"));
	}
}

may_suspend struct error *cluster_session_wait(struct build_session *s, struct engine **ret)
{
	TRY(await_node(s));
	*ret = s->meeting->engine;
	return NULL;
}

void cluster_session_close(struct build_session *s)
{
	if (!s)
		return;
	s->meeting->attended = false;
	meeting_leave(s->table, s->meeting);
	build_pin_leave(s->table, s->pin);
	free(s->client);
	free(s);
}

struct build_grpc {
	struct build_table *table;
	struct build_pin *pin;
};

struct error *cluster_check_constraints(const struct str_array *constraints)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct exprs exprs;
	struct error *err = exprs_parse(constraints->v, constraints->n, &arena, &exprs);

	exprs_fini(&exprs);
	return err;
}

static struct error *make_pin(struct cluster *c, struct str client,
			      const struct str_array *constraints, struct build_pin **ret)
{
	struct member *m;

	TRY(build_place_grpc(c, constraints, &m));
	*ret = build_pin_make(&c->builds, client, m->engine);
	log_info("a client's builds go to a node", LOG_STR("node", engine_name(m->engine)),
		 LOG_STR("client", client));
	return NULL;
}

struct error *cluster_grpc_open(struct cluster *c, struct str client,
				const struct str_array *constraints, struct build_grpc **ret)
{
	struct build_pin *pin = build_pin_use(&c->builds, client);

	if (!pin)
		TRY(make_pin(c, client, constraints, &pin));
	*ret = mem_new(struct build_grpc);
	**ret = (struct build_grpc){ &c->builds, pin };
	return NULL;
}

struct engine *cluster_grpc_engine(const struct build_grpc *g)
{
	return g->pin->engine;
}

void cluster_grpc_close(struct build_grpc *g)
{
	if (!g)
		return;
	g->pin->ended++;
	build_pin_leave(g->table, g->pin);
	free(g);
}

/* Of an engine that a client's gRPC is joined to, or was: nobody says what was built over that. */
static may_suspend struct error *read_builds(struct cluster *c, struct str client, struct engine *e,
					     uint64_t ended)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(SEE_BUILDS);
	struct build_pin *pin;

	TRY(engine_refresh_images(e));
	pin = build_pin_find(&c->builds, client);
	if (pin && pin->engine == e && pin->seen < ended)
		pin->seen = ended;
	return NULL;
}

may_suspend void cluster_see_builds(struct cluster *c, struct str client)
{
	const struct build_pin *pin = build_pin_find(&c->builds, client);
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	struct error *err;

	if (!pin || (!pin->users && pin->seen == pin->ended) ||
	    engine_state(pin->engine) != ENGINE_HEALTHY)
		return;
	e = engine_ref(pin->engine);
	err = read_builds(c, client, e, pin->ended);
	if (err)
		log_debug("what was built could not be read", LOG_STR("node", engine_name(e)),
			  LOG_ERR(err));
	error_free(err);
}

struct engine *build_pin_made(const struct cluster *c, struct str client, struct str image)
{
	const struct build_pin *pin = build_pin_find(&c->builds, client);
	const struct slot *slot = pin ? image_index_find(&c->images, image) : NULL;
	const struct copy *latest = slot ? &slot->copies[slot->n - 1] : NULL;

	if (!latest || latest->engine != pin->engine)
		return NULL;
	for (size_t i = 0; i + 1 < slot->n; i++)
		if (!str_eq(slot->copies[i].image->id, latest->image->id))
			return pin->engine;
	return NULL;
}
