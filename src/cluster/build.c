/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing the node of a build, and bringing to it what belongs to the build. Only waiting for a
 * node and reading back what was made park.
 */
#include "cluster/build.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/images.h"
#include "cluster/internal.h"
#include "fiber/deadline.h"

/*
 * A client's session and the build that names it are sent at the same time. So long a session
 * waits for its build alone; then it goes where the client's gRPC does, which never says more.
 */
#define BUILD_FIRST (300 * MILLISECOND)
#define SEE_BUILDS  (5 * SECOND) /* what a node takes longer for holds up no request */

/* What the scheduler is asked, and the expressions that this owns. */
struct choice {
	struct cluster *c;
	struct arena arena;
	struct sched_request sched;
};

static void choice_fini(struct choice *q)
{
	exprs_fini(&q->sched.constraints);
	exprs_fini(&q->sched.affinities);
	exprs_fini(&q->sched.whitelists);
	arena_fini(&q->arena);
}

static struct error *choose_strictly(struct choice *q, struct member **ret)
{
	struct sched_node *node;
	struct error *err =
		schedule(&q->c->config.scheduler, (struct sched_node *const *)q->c->nodes.v,
			 q->c->nodes.n, &q->sched, &q->arena, &node);

	if (!err)
		*ret = member_of_node(node);
	return err;
}

/* A node that runs it by itself is best, but one that emulates it, or builds across, does too. */
static struct error *choose(struct choice *q, struct member **ret)
{
	const struct platform platform = q->sched.platform;
	struct error *err = choose_strictly(q, ret);

	if (!error_is(err, ERR_NO_NODE) || str_empty(platform.architecture))
		return err;
	error_free(err);
	q->sched.platform = (struct platform){ .os = platform.os };
	err = choose_strictly(q, ret);
	q->sched.platform = platform;
	return err;
}

static struct error *choose_among(struct choice *q, const struct engines *engines, const char *why,
				  struct member **ret)
{
	const struct sched_node **only =
		arena_new_array(&q->arena, const struct sched_node *, engines->n);
	struct error *err;

	q->sched.only = only;
	q->sched.only_why = why;
	for (size_t i = 0; i < engines->n; i++) {
		const struct member *m = member_of(engines->v[i]);

		if (m)
			only[q->sched.n_only++] = &m->sched;
	}
	err = choose(q, ret);
	q->sched.only = NULL;
	q->sched.n_only = 0;
	return err;
}

/* RUN steps in the network of a container: where that one is. */
static struct error *read_network(struct choice *q, struct str mode)
{
	static const struct str prefix = STR_INIT("container:");
	_cleanup_(container_unrefp) struct container *ct = NULL;
	struct sched_dependency *d;

	if (!str_starts(mode, prefix))
		return NULL;
	d = arena_new(&q->arena, struct sched_dependency);
	d->name = str_skip(mode, prefix.n);
	TRY(cluster_find_container(q->c, d->name, &ct));
	d->node = &member_of(ct->engine)->sched;
	q->sched.dependencies = d;
	q->sched.n_dependencies = 1;
	return NULL;
}

static struct error *read_args(struct choice *q, const struct build_args *args)
{
	TRY(exprs_parse(args->constraints.v, args->constraints.n, &q->arena,
			&q->sched.constraints));
	TRY(exprs_parse(args->affinities.v, args->affinities.n, &q->arena, &q->sched.affinities));
	return exprs_parse(args->whitelists.v, args->whitelists.n, &q->arena, &q->sched.whitelists);
}

static bool has_expressions(const struct build_args *args)
{
	return args->constraints.n || args->affinities.n || args->whitelists.n;
}

static struct error *choose_for_build(struct choice *q, const struct build_request *req,
				      struct member **ret)
{
	_cleanup_(engines_fini) struct engines holders = { NULL, 0 };
	struct error *err;

	if (!req->n_tags || has_expressions(&req->args))
		return choose(q, ret);
	cluster_image_nodes(q->c, req->tags[0], &holders);
	if (!holders.n)
		return choose(q, ret);
	err = choose_among(q, &holders, "an earlier image of that name is elsewhere", ret);
	if (!error_is(err, ERR_NO_NODE))
		return err;
	error_free(err);
	return choose(q, ret);
}

struct build {
	struct cluster *c;
	const struct build_request *req;
	struct flight flight;
	struct engine *engine;		/* a reference */
	struct meeting *session, *self; /* NULL: it names none */
};

static struct error *choose_node(struct cluster *c, const struct build_request *req,
				 struct engine *session_at, struct member **ret)
{
	_cleanup_(choice_fini) struct choice q = { .c = c, .sched.memory = req->memory };
	struct engines one = { &session_at, 1 };

	TRY(read_args(&q, &req->args));
	TRY(read_network(&q, req->network_mode));
	(void)platform_parse(req->platform, &q.sched.platform);
	if (session_at)
		return choose_among(&q, &one, "the client's session is on another node", ret);
	return choose_for_build(&q, req, ret);
}

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
	struct member *m;
	struct build *b;

	TRY(choose_node(c, req, session_at, &m));
	b = mem_new(struct build);
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
	_cleanup_(choice_fini) struct choice q = { .c = c };
	struct member *m;

	TRY(read_args(&q, &(struct build_args){ .constraints = *constraints }));
	TRY(choose(&q, &m));
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
