/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here parks. */
#include "cluster/build_place.h"

#include "base/mem.h"
#include "cluster/images.h"
#include "cluster/internal.h"
#include "cluster/networks.h"
#include "cluster/objects.h"

/* What the scheduler is asked, and the expressions that this owns. */
struct choice {
	struct cluster *c;
	struct arena arena;
	struct arena *texts; /* of what outlives it */
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

static bool is_allowed(const struct sched_request *request, const struct sched_node *node)
{
	for (size_t i = 0; i < request->n_only; i++)
		if (request->only[i] == node)
			return true;
	return !request->only;
}

/* Of those that are allowed already, where some are not. */
static void narrow(struct choice *q, const struct engines *engines, const char *why)
{
	const struct sched_request *before = &q->sched;
	const struct sched_node **only =
		arena_new_array(&q->arena, const struct sched_node *, engines->n);
	size_t n = 0;

	for (size_t i = 0; i < engines->n; i++) {
		const struct member *m = member_of(engines->v[i]);

		if (m && is_allowed(before, &m->sched))
			only[n++] = &m->sched;
	}
	if (before->only)
		why = arena_printf(&q->arena, "%s; %s", before->only_why, why).p;
	q->sched.only = only;
	q->sched.n_only = n;
	q->sched.only_why = why;
}

static struct error *choose_among(struct choice *q, const struct engines *engines, const char *why,
				  struct member **ret)
{
	const struct sched_request before = q->sched;
	struct error *err;

	narrow(q, engines, why);
	err = choose(q, ret);
	q->sched.only = before.only;
	q->sched.n_only = before.n_only;
	q->sched.only_why = before.only_why;
	return err;
}

/* RUN steps in the network of a container: where that one is. */
static struct error *read_container(struct choice *q, struct str name, struct str *ret_mode)
{
	_cleanup_(container_unrefp) struct container *ct = NULL;
	struct sched_dependency *d = arena_new(&q->arena, struct sched_dependency);

	d->name = name;
	TRY(cluster_find_container(q->c, name, &ct));
	d->node = &member_of(ct->engine)->sched;
	q->sched.dependencies = d;
	q->sched.n_dependencies = 1;
	*ret_mode = arena_printf(q->texts, "container:%.*s", STR_ARG(ct->id));
	return NULL;
}

static void nodes_of_network(const struct cluster *c, const struct found *f, struct engines *ret)
{
	*ret = (struct engines){ mem_realloc_array(NULL, f->n + c->nodes.n + 1, sizeof(*ret->v)),
				 0 };
	for (size_t i = 0; i < f->n; i++)
		ret->v[ret->n++] = engine_ref(f->v[i].engine);
	for (size_t i = 0; f->v[0].object->global && i < c->nodes.n; i++) {
		struct engine *e = member_of_node(c->nodes.v[i])->engine;

		if (network_is_joinable(e, f->v[0].object))
			ret->v[ret->n++] = engine_ref(e);
	}
}

/* In a network of the pool: as it draws a container. What is nowhere is the engine's to refuse. */
static void read_network(struct choice *q, struct str mode, struct str *ret_mode)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(found_fini) struct found f = { NULL, 0 };

	object_index_find_all(&q->c->objects[OBJECT_NETWORK], mode, &f);
	if (!f.n)
		return;
	if (!str_starts(f.v[0].object->key, mode))
		*ret_mode = arena_dup(q->texts, f.v[0].object->name);
	nodes_of_network(q->c, &f, &engines);
	narrow(q, &engines, arena_printf(&q->arena, "network %.*s is not there", STR_ARG(mode)).p);
}

static struct error *read_network_mode(struct choice *q, struct str mode, struct str *ret_mode)
{
	static const struct str prefix = STR_INIT("container:");

	*ret_mode = arena_dup(q->texts, mode);
	if (str_starts(mode, prefix))
		return read_container(q, str_skip(mode, prefix.n), ret_mode);
	if (!str_empty(mode) && !network_is_built_in(mode))
		read_network(q, mode, ret_mode);
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

struct error *build_place(struct cluster *c, const struct build_request *req,
			  struct engine *session_at, struct arena *arena, struct member **ret,
			  struct str *ret_network_mode)
{
	_cleanup_(choice_fini) struct choice q = { .c = c,
						   .texts = arena,
						   .sched.memory = req->memory };
	struct engines one = { &session_at, 1 };

	TRY(read_args(&q, &req->args));
	TRY(read_network_mode(&q, req->network_mode, ret_network_mode));
	(void)platform_parse(req->platform, &q.sched.platform);
	if (session_at)
		return choose_among(&q, &one, "the client's session is on another node", ret);
	return choose_for_build(&q, req, ret);
}

struct error *build_place_grpc(struct cluster *c, const struct str_array *constraints,
			       struct member **ret)
{
	_cleanup_(choice_fini) struct choice q = { .c = c };

	TRY(read_args(&q, &(struct build_args){ .constraints = *constraints }));
	return choose(&q, ret);
}
