/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a create request to a container on a node. Everything behind the reservation may fail at
 * any point, and then the flight gives all back.
 */
#include "cluster/place.h"

#include "base/log.h"
#include "base/rand.h"
#include "cluster/call.h"
#include "cluster/carry.h"
#include "cluster/images.h"
#include "cluster/objects.h"
#include "cluster/placement.h"
#include "cluster/shared_pull.h"
#include "cluster/watchdog.h"
#include "docker/auth.h"
#include "docker/ref.h"
#include "engine/client.h"
#include "fiber/fiber.h"

/* Empty where the node has no such image. */
static struct str image_id_on(const struct placement *p, const struct engine *e)
{
	const struct copy *copy = slot_copy_on(image_index_find(&p->c->images, p->config.image), e);

	return copy ? copy->image->id : STR_NONE;
}

/* The client means what it has just made, and not an older image of that name. */
static may_suspend struct error *bring_made(struct placement *p, struct engine *from)
{
	struct str id = image_id_on(p, from);
	struct carry_request carry = { from, p->flight.engine, p->config.image, id,
				       p->req->version };

	if (!p->is_drawn || str_empty(id) || str_eq(id, image_id_on(p, p->flight.engine)))
		return NULL;
	return carry_image(p->c, &carry);
}

static may_suspend struct error *board(struct placement *p)
{
	_cleanup_(engine_unrefp) struct engine *made_at = NULL;

	TRY(placement_board_first(p, &made_at));
	return made_at ? bring_made(p, made_at) : NULL;
}

static void write_body(struct placement *p, struct strbuf *out)
{
	const struct member *m = p->flight.member;
	struct config_changes changes = {
		.swarm_id = p->swarm_id,
		.label_cpus = p->cores,
		.cpu_shares = -1,
		.containers = p->renames,
		.n_containers = p->n_renames,
		.volumes = p->volume_renames,
		.n_volumes = p->n_volume_renames,
		.networks = p->network_renames,
		.n_networks = p->n_network_renames,
		.generation = p->req->again ? p->req->again->generation : 0,
	};

	if (p->share_cores)
		changes.cpu_shares =
			config_nano_cpus_as_shares(p->share_cores, m->sched.nano_cpus / 1000000000);
	container_config_write(&p->config, &changes, p->arena, out);
}

/*
 * The name that an engine drew may be taken on another node: then a digit behind it, as engines do.
 */
static may_suspend struct error *settle_drawn_name(struct placement *p, struct str id)
{
	struct container *made = index_by_id(&p->c->containers, id);
	_cleanup_(container_unrefp) struct container *ct = NULL;
	struct str name;

	/* It may have been removed as soon as it was there. */
	if (!made || !str_empty(p->name) || cluster_name_is_unique(p->c, made))
		return NULL;
	ct = container_ref(made);
	name = arena_printf(p->arena, "%.*s%u", STR_ARG(ct->name), (unsigned)rand_below(1000000));
	return cluster_rename(p->c, ct, name, p->req->version);
}

/* Who names them next is drawn here. */
static may_suspend void enter_volumes(struct placement *p)
{
	struct engine *e = p->flight.engine;

	for (size_t i = 0; i < p->config.volumes.n; i++) {
		struct str name = p->config.volumes.v[i];

		name = str_skip(name, (size_t)(str_find_char(name, '/') + 1));
		if (!map_get(engine_volumes(e), name))
			object_read_back(e, OBJECT_VOLUME, name);
	}
}

/* The engine has made it: into the tables before the client hears of it. */
static may_suspend void enter(struct placement *p, struct str reply)
{
	struct error *err;
	struct json root;

	err = json_parse(reply, p->arena, &root);
	if (!err) {
		p->id = json_get_str(root, "Id");
		p->is_unread = !str_empty(p->id);
		enter_volumes(p);
		err = engine_refresh_container(p->flight.engine, p->id);
	}
	if (!err) {
		err = settle_drawn_name(p, p->id);
		p->is_unread = false;
	}
	if (err)
		log_warn("a new container could not be read back, its events will tell",
			 LOG_STR("node", engine_name(p->flight.engine)), LOG_ERR(err));
	error_free(err);
}

/* On the node that was boarded. */
static may_suspend struct error *create_here(struct placement *p, struct str *ret_reply)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct engine_create create = {
		.version = p->req->version,
		.name = p->name,
		.query = p->req->query,
		.headers = p->req->headers,
		.n_headers = p->req->n_headers,
	};
	struct error *err;

	TRY(flight_await_turn(p->c, &p->flight));
	write_body(p, &body);
	create.body = strbuf_str(&body);
	err = engine_call_create(p->flight.engine, &create, p->arena, ret_reply);
	p->unanswered = call_is_unanswered(err);
	if (!err)
		enter(p, *ret_reply);
	flight_end_turn(&p->flight);
	return err;
}

static may_suspend struct error *pull_and_create(struct placement *p, struct str *ret_reply)
{
	TRY(pull_once(p->c, p->flight.engine,
		      &(struct pull_wanted){ .version = p->req->version,
					     .image = p->config.image,
					     .platform = p->req->platform,
					     .registry_auth = p->req->registry_auth }));
	return create_here(p, ret_reply);
}

static bool may_pull(const struct placement *p)
{
	/* No registry knows an id. */
	if (image_id_is(p->config.image))
		return false;
	return registry_auth_present(p->req->registry_auth) || p->c->config.compat || p->req->again;
}

/* Nobody has the image: the client pulls it, or we do where it gave us its credentials. */
static may_suspend struct error *create_unknown_image(struct placement *p, struct error *refusal,
						      struct str *ret_reply)
{
	if (may_pull(p)) {
		error_free(refusal);
		return pull_and_create(p, ret_reply);
	}
	pull_target_remember(p->c, p->req->client, p->config.image, p->flight.engine);
	return refusal;
}

/*
 * What it needs is where the image is not, and neither can move: a project of Compose was built on
 * another node than its networks are on. The image is brought. Takes the refusal.
 */
static may_suspend struct error *create_carrying(struct placement *p, struct engine *holder,
						 struct error *refusal, struct str *ret_reply)
{
	_cleanup_(error_freep) struct error *why = refusal;
	struct carry_request carry = { holder, NULL, p->config.image, STR_NONE, p->req->version };
	struct error *err = placement_board(p);

	if (error_is(err, ERR_NO_NODE)) {
		error_free(err);
		return take(why);
	}
	TRY(err);
	carry.to = p->flight.engine;
	carry.id = image_id_on(p, holder);
	TRY(carry_image(p->c, &carry));
	return create_here(p, ret_reply);
}

static may_suspend struct error *create_where_image_is(struct placement *p,
						       const struct engines *holders,
						       struct str *ret_reply)
{
	struct error *err = placement_board_among(p, holders, "the image is not there");

	if (error_is(err, ERR_NO_NODE) && p->is_drawn)
		return create_carrying(p, holders->v[0], err, ret_reply);
	TRY(err);
	return create_here(p, ret_reply);
}

/* Empty where no node was chosen. */
static struct str node_name(const struct placement *p)
{
	return p->flight.engine ? engine_name(p->flight.engine) : STR("");
}

/* "node-1: its words", for an answer that tells of several nodes. Takes err. */
static struct error *with_node(const struct placement *p, struct error *err)
{
	struct str node = node_name(p);

	return str_empty(node) || !err ? err : error_wrap(err, "%.*s", STR_ARG(node));
}

/* What went wrong on the node before is told behind what came of it. Takes both. */
static struct error *with_earlier(const struct placement *p, struct error *err,
				  struct error *earlier)
{
	if (err && earlier && !error_is(err, ERR_CANCELLED))
		return error_join(with_node(p, err), earlier);
	error_free(earlier);
	return err;
}

/* Section 5 of the contract, "When the image is missing there". Takes the refusal. */
static may_suspend struct error *create_without_image(struct placement *p, struct error *refusal,
						      struct str *ret_reply)
{
	_cleanup_(error_freep) struct error *why = refusal;
	_cleanup_(engines_fini) struct engines holders = { NULL, 0 };
	_cleanup_(error_freep) struct error *earlier = NULL;
	struct error *err;

	cluster_image_nodes(p->c, p->config.image, &holders);
	if (!holders.n)
		return create_unknown_image(p, take(why), ret_reply);

	if (cluster_image_is_pullable(p->c, p->config.image)) {
		err = pull_and_create(p, ret_reply);
		if (!err || p->unanswered)
			return err;
		log_info("pulling failed, placing where the image is",
			 LOG_STR("image", p->config.image),
			 LOG_STR("node", engine_name(p->flight.engine)), LOG_ERR(err));
		earlier = with_node(p, err);
		TRY(fiber_check());
	}
	flight_leave(p->c, &p->flight);
	err = create_where_image_is(p, &holders, ret_reply);
	return with_earlier(p, err, take(earlier));
}

/* On the node that was boarded; it gets the image, if it has not. */
static may_suspend struct error *create_with_image(struct placement *p, struct str *ret_reply)
{
	struct error *err = create_here(p, ret_reply);

	return error_is(err, ERR_NO_IMAGE) ? create_without_image(p, err, ret_reply) : err;
}

static struct str engine_os(const struct engine *e)
{
	const struct engine_info *info = engine_info(e);

	return info ? info->os_type : STR("");
}

/* The engine's words where the image is of another operating system than its own. */
static bool is_for_another_os(const struct error *err)
{
	static const char *const words[] = {
		"cannot be used on this platform", /* of an image that is there */
		"no matching manifest for",	   /* of one that it would pull */
	};

	for (size_t i = 0; err && i < ARRAY_LEN(words); i++)
		if (strstr(error_message(err), words[i]))
			return true;
	return false;
}

/* Where ostype is another one. Takes the refusal, which comes first where there is no such node. */
static may_suspend struct error *create_on_another_os(struct placement *p, struct error *refusal,
						      struct str *ret_reply)
{
	_cleanup_(error_freep) struct error *why = refusal;
	_cleanup_(engines_fini) struct engines others = { NULL, 0 };
	struct str os = arena_dup(p->arena, engine_os(p->flight.engine));
	struct error *err;
	size_t n = 0;

	cluster_healthy_engines(p->c, &others);
	for (size_t i = 0; i < others.n; i++) {
		if (str_eq(engine_os(others.v[i]), os))
			engine_unref(others.v[i]);
		else
			others.v[n++] = others.v[i];
	}
	others.n = n;
	if (!n)
		return error_join(take(why), error_new(ERR_NO_NODE,
						       "no healthy node has another ostype than "
						       "%.*s",
						       STR_ARG(os)));

	log_info("the image is for another operating system, placing elsewhere",
		 LOG_STR("image", p->config.image), LOG_STR("node", engine_name(p->flight.engine)),
		 LOG_ERR(why));
	why = with_node(p, why);
	flight_leave(p->c, &p->flight);
	err = placement_board_among(p, &others, "the image is for another operating system");
	if (!err)
		err = create_with_image(p, ret_reply);
	return with_earlier(p, err, take(why));
}

static may_suspend struct error *attempt(struct placement *p, struct str *ret_reply)
{
	struct error *err;

	TRY(board(p));
	err = create_with_image(p, ret_reply);
	if (p->flight.engine && is_for_another_os(err))
		err = create_on_another_os(p, err, ret_reply);
	if (!err) {
		pull_target_forget(p->c, p->req->client, p->config.image);
		log_info("container created", LOG_STR("name", p->name),
			 LOG_STR("image", p->config.image),
			 LOG_STR("node", engine_name(p->flight.engine)));
	}
	return err;
}

/* Whether another try may end otherwise: not where the request itself is what is wrong. */
static bool worth_a_retry(const struct error *err)
{
	switch (error_kind(err)) {
	case ERR_INVALID:
	case ERR_CONFLICT:
	case ERR_NO_IMAGE:
	case ERR_NO_NODE:
	case ERR_NOT_PRIMARY:
	case ERR_CANCELLED:
		return false;
	default:
		return true;
	}
}

/* Where no node was chosen, the request's own line in the log says all. */
static void log_failure(const struct placement *p, const struct error *err, unsigned int tries,
			bool last)
{
	if (str_empty(node_name(p)) || error_is(err, ERR_NO_IMAGE))
		return;
	log_warn(last ? "creating a container failed" : "creating a container failed, trying again",
		 LOG_STR("name", p->name), LOG_STR("node", node_name(p)), LOG_NUM("try", tries),
		 LOG_ERR(err));
}

/*
 * Up to swarm.createretry more tries, each on another node while there is one; none once an engine
 * may have made it, as there would be two.
 */
static may_suspend struct error *create_trying(struct placement *p, struct str *ret_reply)
{
	_cleanup_(error_freep) struct error *earlier = NULL;

	for (unsigned int tries = 0;; tries++) {
		struct error *err = attempt(p, ret_reply);
		bool last = tries >= p->c->config.create_retry || p->unanswered ||
			    (err && !worth_a_retry(err));

		if (!err || error_is(err, ERR_CANCELLED))
			return err;
		log_failure(p, err, tries + 1, last);
		if (last && !earlier)
			return err;
		earlier = error_join(earlier, with_node(p, err));
		if (last)
			return take(earlier);
		placement_failed(p);
	}
}

/* What is not known to have failed is held until it is: another create must not take its place. */
static void keep_unknown(struct placement *p)
{
	if (p->unanswered || p->is_unread)
		leftover_keep(p->c, &p->flight, p->flight.engine, p->is_unread ? p->id : p->name);
}

/* All that it held meanwhile is given back when it returns. */
static may_suspend struct error *create(struct cluster *c, const struct create_request *req,
					struct arena *arena, struct str *ret_reply,
					struct str *ret_id)
{
	_cleanup_(placement_fini) struct placement p = { .c = c, .req = req, .arena = arena };
	struct error *err;

	TRY(guards_await_loaded(c));
	TRY(placement_read(&p));
	if (req->again)
		TRY(flight_take_name(c, &p.flight, p.name, req->again->swarm_id,
				     req->again->generation));
	else if (!str_empty(p.name)) {
		TRY(flight_hold_name(c, &p.flight, p.name));
		TRY(copies_await_name(c, p.name));
	}

	err = create_trying(&p, ret_reply);
	keep_unknown(&p);
	*ret_id = p.id;
	return err;
}

may_suspend struct error *cluster_create(struct cluster *c, const struct create_request *req,
					 struct arena *arena, struct str *ret_reply)
{
	struct str id;

	TRY(create(c, req, arena, ret_reply, &id));
	if (!req->again)
		cluster_await_remembered(c, id);
	return NULL;
}
