/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/object_place.h"

#include "cluster/internal.h"

bool engine_has_plugin(const struct engine *e, const char *kind, struct str driver)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json plugins = { 0 }, name;
	struct json_iter it;

	if (engine_info(e)->plugins.p)
		error_free(json_parse(engine_info(e)->plugins, &arena, &plugins));
	it = json_iter(json_get(plugins, kind));
	while (json_next(&it, NULL, &name))
		if (json_str_eq(name, driver))
			return true;
	return false;
}

struct engine *object_split_name(const struct cluster *c, struct str full, struct str *ret_name)
{
	struct engine *on;
	struct str node, name;

	*ret_name = full;
	if (!str_cut(full, '/', &node, &name))
		return NULL;
	on = cluster_engine(c, node);
	if (on)
		*ret_name = name;
	return on;
}

static bool is_beside(const struct object_place *what, const struct engine *e)
{
	for (size_t i = 0; what->beside && i < what->beside->n; i++)
		if (what->beside->v[i].engine == e)
			return true;
	return !what->beside;
}

/* Of those that the request allows; or, where `can`, that say that they can do it too. */
static size_t collect(const struct cluster *c, const struct object_place *what, bool can,
		      const struct sched_node **only)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nodes.n; i++) {
		const struct engine *e = member_of_node(c->nodes.v[i])->engine;

		if ((what->on && e != what->on) || !is_beside(what, e))
			continue;
		if (!can || what->can(e, what->driver))
			only[n++] = c->nodes.v[i];
	}
	return n;
}

/* Where no node says that it can, one of them says why not. */
static void choose_nodes(struct cluster *c, const struct object_place *what, struct arena *arena,
			 struct sched_request *request)
{
	const struct sched_node **only =
		arena_new_array(arena, const struct sched_node *, c->nodes.n);
	bool asks = what->can && !what->on;
	size_t n = collect(c, what, asks, only);

	if (!n && asks) {
		asks = false;
		n = collect(c, what, asks, only);
	}
	if (!asks && !what->on && !what->beside)
		return;
	request->only = only;
	request->n_only = n;
	request->only_why = what->why;
	if (what->on)
		request->only_why = "the name asks for another node";
	if (what->beside)
		request->only_why = what->beside_why;
}

static void request_fini(struct sched_request *request)
{
	exprs_fini(&request->constraints);
	exprs_fini(&request->affinities);
	exprs_fini(&request->whitelists);
}

/* Expressions stand in labels alone here, as in a container's. */
static struct error *read_expressions(struct json body, struct arena *arena,
				      struct sched_request *request)
{
	struct container_config config;

	TRY(container_config_read(json_raw(body), arena, &config));
	TRY(exprs_parse(config.constraints.v, config.constraints.n, arena, &request->constraints));
	TRY(exprs_parse(config.affinities.v, config.affinities.n, arena, &request->affinities));
	return exprs_parse(config.whitelists.v, config.whitelists.n, arena, &request->whitelists);
}

static struct str project_of(struct json body)
{
	return json_get_str(json_field(body, "Labels"), LABEL_PROJECT);
}

struct str object_project_claim(struct json body, struct arena *arena)
{
	struct str project = project_of(body);

	if (str_empty(project))
		return STR("");
	return arena_printf(arena, "project/%.*s", STR_ARG(project));
}

/* The nodes of its project, as far as they come into question; false: it has none yet. */
static bool prefer_project(struct cluster *c, struct json body, struct arena *arena,
			   struct sched_request *request)
{
	const struct slot *slot = map_get(&c->projects, project_of(body));
	struct engine *claimed = claim_engine(c, object_project_claim(body, arena));
	size_t n_slot = slot ? slot->n : 0, n = 0;
	const struct sched_node **only =
		arena_new_array(arena, const struct sched_node *, n_slot + 1);

	if (claimed && member_of(claimed))
		only[n++] = &member_of(claimed)->sched;
	for (size_t i = 0; i < n_slot; i++)
		only[n++] = &member_of(slot->copies[i].engine)->sched;
	if (!n)
		return false;
	request->only = only;
	request->n_only = n;
	request->only_why = "its project is elsewhere";
	return true;
}

static struct error *choose(struct cluster *c, struct sched_request *request, struct arena *arena,
			    struct sched_node **ret)
{
	return schedule(&c->config.scheduler, (struct sched_node *const *)c->nodes.v, c->nodes.n,
			request, arena, ret);
}

struct error *object_place(struct cluster *c, const struct object_place *what, struct arena *arena,
			   struct engine **ret)
{
	_cleanup_(request_fini) struct sched_request request = { 0 };
	struct sched_node *node = NULL;
	struct error *err = NULL;

	TRY(read_expressions(what->body, arena, &request));
	choose_nodes(c, what, arena, &request);
	if (!request.only && prefer_project(c, what->body, arena, &request)) {
		err = choose(c, &request, arena, &node);
		request.only = NULL;
	}
	if (!node) {
		error_free(err);
		TRY(choose(c, &request, arena, &node));
	}
	*ret = engine_ref(member_of_node(node)->engine);
	return NULL;
}
