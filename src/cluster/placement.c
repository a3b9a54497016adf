/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a create request and choosing its node. Nothing here parks: between the look at the
 * tables and the reservation nobody else runs.
 */
#include "cluster/placement.h"

#include "base/rand.h"
#include "cluster/draw.h"
#include "cluster/predecessor.h"
#include "docker/specification.h"

void placement_fini(struct placement *p)
{
	flight_end(p->c, &p->flight);
	engine_unref(p->named);
	exprs_fini(&p->sched.constraints);
	exprs_fini(&p->sched.affinities);
	exprs_fini(&p->sched.whitelists);
	exprs_fini(&p->sched.spreads);
	exprs_fini(&p->sched.limits);
	node_set_fini(&p->sched.failed);
	node_set_fini(&p->sched.near);
}

int64_t placement_largest_node_cpus(const struct cluster *c)
{
	int64_t most = 0;

	for (size_t i = 0; i < c->nodes.n; i++) {
		const struct sched_node *node = c->nodes.v[i];

		most = MAX(most, node->nano_cpus / 1000000000);
	}
	return most;
}

/* With --net=host what the container exposes is taken on the host, bound or not. */
static void read_ports(struct placement *p)
{
	const struct container_config *config = &p->config;
	size_t n = config->n_ports;
	struct host_port *ports =
		arena_new_array(p->arena, struct host_port, n + config->exposed_ports.n);
	struct container_port *held;

	if (n)
		memcpy(ports, config->ports, n * sizeof(*ports));
	for (size_t i = 0; config->host_network && i < config->exposed_ports.n; i++) {
		struct str number, protocol = STR_NONE;
		uint64_t port;

		str_cut(config->exposed_ports.v[i], '/', &number, &protocol);
		if (str_to_u64(number, &port) && port <= UINT16_MAX)
			ports[n++] = (struct host_port){ STR_NONE, (uint16_t)port, protocol };
	}
	p->sched.ports = ports;
	p->sched.n_ports = n;
	p->sched.host_network = config->host_network;

	held = arena_new_array(p->arena, struct container_port, n);
	for (size_t i = 0; i < n; i++)
		if (port_from_config(&ports[i], &held[p->flight.n_ports]))
			p->flight.n_ports++;
	p->flight.ports = held;
}

/* "node/name" asks for that node. */
static struct error *read_name(struct placement *p)
{
	struct str node, name;

	p->name = str_strip_prefix(p->req->name, STR("/"));
	/* An engine that is given no name draws one. */
	if (str_eq(p->req->name, STR("/")))
		return error_new(ERR_INVALID,
				 "Invalid container name (/), only [a-zA-Z0-9][a-zA-Z0-9_.-] are "
				 "allowed");
	if (!str_cut(p->name, '/', &node, &name))
		return NULL;

	p->named = cluster_engine(p->c, node);
	if (!p->named)
		return error_new(ERR_INVALID, "No such node: %.*s (in the container name %.*s)",
				 STR_ARG(node), STR_ARG(p->req->name));
	p->name = name;
	return NULL;
}

static struct error *read_expressions(struct placement *p)
{
	const struct container_config *config = &p->config;

	TRY(exprs_parse(config->constraints.v, config->constraints.n, p->arena,
			&p->sched.constraints));
	TRY(exprs_parse(config->affinities.v, config->affinities.n, p->arena,
			&p->sched.affinities));
	TRY(exprs_parse(config->whitelists.v, config->whitelists.n, p->arena,
			&p->sched.whitelists));
	TRY(exprs_parse(config->spreads.v, config->spreads.n, p->arena, &p->sched.spreads));
	return exprs_parse(config->limits.v, config->limits.n, p->arena, &p->sched.limits);
}

static struct str own_label(const struct placement *p, struct str key, bool *ret_has)
{
	struct json_iter it = json_iter(p->config.labels);
	struct json value;
	struct str name, found = STR_NONE;

	*ret_has = false;
	if (json_type(p->config.labels) != JSON_OBJECT)
		return found;
	while (json_next(&it, &name, &value)) {
		if (!str_eq(name, key) || json_type(value) != JSON_STRING)
			continue;
		found = json_str(value);
		*ret_has = true;
	}
	return found;
}

/* What is of this container's kind: the same service of a Compose project, else the same image. */
static void read_kind(struct placement *p)
{
	struct sched_count *kind = &p->sched.kind;
	bool has;

	*kind = (struct sched_count){ .of = COUNT_LABEL, .key = STR("com.docker.compose.service") };
	kind->value = own_label(p, kind->key, &has);
	if (has)
		return;
	kind->of = COUNT_IMAGE;
	kind->value = kind_of_image(p->config.image, p->arena);
}

static struct error *read_limits(struct placement *p)
{
	TRY(sched_read_limits(&p->sched, p->arena));
	for (size_t i = 0; i < p->sched.limits.n; i++) {
		struct sched_count *with = &p->sched.limits_read[i].with;
		bool has;

		with->value = own_label(p, with->key, &has);
		if (!has)
			return error_new(ERR_INVALID,
					 "invalid expression '%.*s': the container has no label "
					 "%.*s whose value it could count",
					 STR_ARG(p->sched.limits.v[i].text), STR_ARG(with->key));
	}
	return NULL;
}

struct error *placement_read(struct placement *p)
{
	struct strbuf id = STRBUF_INIT;
	bool on_node_failure;

	TRY(container_config_read(p->req->body, p->arena, &p->config));
	TRY(reschedule_policy_read(&p->config.reschedule, &on_node_failure));
	TRY(read_expressions(p));
	TRY(sched_check_spreads(&p->sched.spreads));
	TRY(read_limits(p));
	read_kind(p);
	TRY(read_name(p));

	p->sched.nano_cpus = container_config_nano_cpus(&p->config, p->c->config.cpushares,
							placement_largest_node_cpus(p->c));
	/* The shares are those of another node: what they stand for is in the label. */
	if (p->req->again && p->config.nano_cpus <= 0 && p->config.label_nano_cpus >= 0)
		p->sched.nano_cpus = p->config.label_nano_cpus;
	p->cores = p->config.nano_cpus > 0 ? 0 : p->sched.nano_cpus;
	p->share_cores = p->cores;
	/* With --cpus they reserve nothing, and are a part of the node all the same. */
	if (p->config.nano_cpus > 0 && !p->req->again)
		p->share_cores =
			config_shares_as_nano_cpus(p->config.cpu_shares, p->c->config.cpushares,
						   placement_largest_node_cpus(p->c));
	p->sched.memory = p->config.memory;
	p->flight.nano_cpus = p->sched.nano_cpus;
	p->flight.memory = p->sched.memory;
	p->flight.devices = json_field(json_field(p->config.root, "HostConfig"), "DeviceRequests");
	sched_ask_devices(&p->sched, &p->config.devices, p->arena);
	p->sched.runtime = p->config.runtime;
	/* What is no platform is the engine's to refuse. */
	(void)platform_parse(p->req->platform, &p->sched.platform);
	p->flight.labels = p->config.labels;
	p->flight.image = p->config.image;
	read_ports(p);

	p->swarm_id = p->config.swarm_id;
	if (str_empty(p->swarm_id)) {
		rand_hex(&id, 64);
		p->swarm_id = arena_dup(p->arena, strbuf_str(&id));
		strbuf_fini(&id);
	}
	return NULL;
}

/* A name that only the pool knows is the engine's own for it on its way there. */
static void rename_dependency(struct placement *p, struct str written, const struct container *ct)
{
	if (str_eq(written, ct->name) || str_starts(ct->id, written))
		return;
	p->renames[p->n_renames++] =
		(struct config_rename){ written, arena_dup(p->arena, ct->name) };
}

/* Where each dependency is at this moment. */
static struct error *find_dependencies(struct placement *p)
{
	const struct str_array *names = &p->config.dependencies;

	p->n_renames = 0;
	p->renames = arena_new_array(p->arena, struct config_rename, names->n);
	p->sched.n_dependencies = names->n;
	p->sched.dependencies =
		arena_zalloc_array(p->arena, names->n, sizeof(*p->sched.dependencies));
	for (size_t i = 0; i < names->n; i++) {
		struct sched_dependency *d = &p->sched.dependencies[i];
		struct container *ct;
		struct error *err = index_find(&p->c->containers, names->v[i], &ct);

		d->name = names->v[i];
		if (!err) {
			d->node = &member_of(ct->engine)->sched;
			rename_dependency(p, names->v[i], ct);
		} else if (!error_is(err, ERR_NOT_FOUND)) {
			return err;
		}
		error_free(err);
	}
	return NULL;
}

static void restore_only(struct placement *p, const struct sched_request *before)
{
	p->sched.only = before->only;
	p->sched.n_only = before->n_only;
	p->sched.only_why = before->only_why;
}

/* Where some nodes have the image, they need not pull it. */
static void find_near(struct placement *p)
{
	struct cluster *c = p->c;
	const struct slot *slot = image_index_find(&c->images, p->config.image);

	p->sched.near.known = false;
	if (!slot || slot->n >= c->nodes.n)
		return;
	node_set_begin(&p->sched.near, c->numbers.n);
	for (size_t i = 0; i < slot->n; i++)
		node_set_add(&p->sched.near, member_of(slot->copies[i].engine)->sched.number);
}

void placement_failed(struct placement *p)
{
	const struct member *m = p->flight.member;

	if (!p->sched.failed.known)
		node_set_begin(&p->sched.failed, p->c->numbers.n);
	if (m)
		node_set_add(&p->sched.failed, m->sched.number);
	flight_leave(p->c, &p->flight);
}

static struct error *choose(struct placement *p, struct sched_node **ret)
{
	return schedule(&p->c->config.scheduler, (struct sched_node *const *)p->c->nodes.v,
			p->c->nodes.n, &p->sched, p->arena, ret);
}

/* As if the container whose place it takes were gone. Takes the refusal. */
static struct error *choose_as_successor(struct placement *p, struct error *refusal,
					 struct sched_node **ret)
{
	const struct container *old = predecessor_of(p);
	struct error *err;

	if (!old)
		return refusal;
	predecessor_withdraw(old);
	err = choose(p, ret);
	predecessor_let_in(old);
	p->is_successor = !err;
	error_free(err ? err : refusal);
	return err ? refusal : NULL;
}

static bool is_among(const struct sched_request *request, const struct sched_node *node)
{
	for (size_t i = 0; i < request->n_only; i++)
		if (request->only[i] == node)
			return true;
	return false;
}

/* To none where the node has left since the name was read. */
static void narrow_to_named(struct placement *p)
{
	const struct member *m = p->named ? member_of(p->named) : NULL;
	const struct sched_node **only = arena_new_array(p->arena, const struct sched_node *, 1);

	if (!p->named)
		return;
	only[0] = m ? &m->sched : NULL;
	if (!p->sched.only)
		p->sched.only_why = "the container's name asks for another node";
	p->sched.n_only = m && (!p->sched.only || is_among(&p->sched, &m->sched));
	p->sched.only = only;
}

/* All that a choice goes by, as of this moment. What it narrows is the caller's to restore. */
static struct error *look_up(struct placement *p)
{
	narrow_to_named(p);
	TRY(find_dependencies(p));
	p->is_drawn = p->sched.n_dependencies > 0;
	find_near(p);
	draw(p);
	sched_ask_pool(&p->sched, (struct sched_node *const *)p->c->nodes.v, p->c->nodes.n);
	return NULL;
}

struct error *placement_board(struct placement *p)
{
	const struct sched_request before = p->sched;
	struct sched_node *node;
	struct error *err;

	TRY(look_up(p));
	p->is_successor = false;
	err = choose(p, &node);
	if (error_is(err, ERR_NO_NODE))
		err = choose_as_successor(p, err, &node);
	restore_only(p, &before);
	if (err)
		return err;
	flight_board(&p->flight, member_of_node(node), p->swarm_id);
	return NULL;
}

static void narrow_to(struct placement *p, const struct engines *engines, const char *why)
{
	const struct sched_node **only =
		arena_new_array(p->arena, const struct sched_node *, engines->n);
	size_t n = 0;

	for (size_t i = 0; i < engines->n; i++) {
		const struct member *m = member_of(engines->v[i]);

		if (m)
			only[n++] = &m->sched;
	}
	p->sched.only = only;
	p->sched.n_only = n;
	p->sched.only_why = why;
}

struct error *placement_board_among(struct placement *p, const struct engines *engines,
				    const char *why)
{
	const struct sched_request before = p->sched;
	struct error *err;

	narrow_to(p, engines, why);
	err = placement_board(p);
	restore_only(p, &before);
	return err;
}

struct error *placement_board_first(struct placement *p, struct engine **ret_made_at)
{
	_cleanup_(engine_unrefp) struct engine *e =
		pull_target_of_create(p->c, p->req->client, p->config.image);
	struct engines one = { &e, 1 };
	struct error *err;

	if (!e)
		return placement_board(p);
	err = placement_board_among(p, &one, "the image was made for this client elsewhere");
	if (!error_is(err, ERR_NO_NODE))
		return err;
	error_free(err);
	TRY(placement_board(p));
	*ret_made_at = take(e);
	return NULL;
}

/* As it was chosen: with the container whose place it takes, or as if that were gone. */
static struct error *explain(struct placement *p, struct str *ret)
{
	const struct container *old = p->is_successor ? predecessor_of(p) : NULL;
	struct error *err;

	if (old)
		predecessor_withdraw(old);
	err = sched_explain(&p->c->config.scheduler, (struct sched_node *const *)p->c->nodes.v,
			    p->c->nodes.n, &p->sched, p->arena, ret);
	if (old)
		predecessor_let_in(old);
	return err;
}

struct error *placement_explain(struct placement *p, const struct engines *among, const char *why,
				struct str *ret)
{
	const struct sched_request before = p->sched;
	struct error *err;

	if (among)
		narrow_to(p, among, why);
	err = look_up(p);
	if (!err)
		err = explain(p, ret);
	restore_only(p, &before);
	return err;
}
