/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a create would go, told without doing it: the very step that a create takes, given back at
 * once, then each node asked alone for its reason.
 */
#include "cluster/images.h"
#include "cluster/placement.h"
#include "json/build.h"

/* A built image draws the container to where it is; or is brought where other things draw it. */
static struct error *choose_holder(struct placement *p, const struct engines *holders,
				   const char **ret_image)
{
	struct error *refusal = placement_board_among(p, holders, "the image is not there");
	struct error *err;

	*ret_image = "present";
	if (!error_is(refusal, ERR_NO_NODE) || !p->is_drawn)
		return refusal;
	err = placement_board(p);
	error_free(err ? err : refusal);
	*ret_image = "brought";
	return err ? refusal : NULL;
}

/* As a create. */
static struct error *choose(struct placement *p, struct member **ret, const char **ret_image)
{
	_cleanup_(engines_fini) struct engines holders = { NULL, 0 };
	struct str image = p->config.image;
	bool here = false;

	TRY(placement_board(p));
	cluster_image_nodes(p->c, image, &holders);
	for (size_t i = 0; i < holders.n; i++)
		here |= holders.v[i] == p->flight.member->engine;
	*ret_image = here ? "present" : holders.n ? "pulled" : "unknown";
	if (!here && holders.n && !cluster_image_has_digest(p->c, image)) {
		flight_leave(p->c, &p->flight);
		TRY(choose_holder(p, &holders, ret_image));
	}
	*ret = p->flight.member;
	flight_leave(p->c, &p->flight);
	return NULL;
}

/* What is said of this one node, without the words about all of them. */
static struct str reason_of(const struct error *err, struct arena *arena)
{
	struct str text = str_from(error_message(err)), about = STR("no node fits: 1 node: ");
	ptrdiff_t at = str_find(text, about);

	return arena_dup(arena, at < 0 ? text : str_skip(text, (size_t)at + about.n));
}

static void put_verdict(struct placement *p, struct sched_node *node, struct json_out *o)
{
	struct sched_node *chosen;
	struct error *err = schedule(&p->c->config.scheduler, (struct sched_node *const[]){ node },
				     1, &p->sched, p->arena, &chosen);

	json_begin_object(o);
	json_put_str(o, "Name", node->name);
	json_put_bool(o, "Fits", !err);
	if (err)
		json_put_str(o, "Reason", reason_of(err, p->arena));
	json_end_object(o);
	error_free(err);
}

static void put_choice(const struct member *m, struct json_out *o)
{
	json_key(o, "Node");
	json_begin_object(o);
	json_put_str(o, "Name", engine_name(m->engine));
	json_put_str(o, "ID", engine_id(m->engine));
	json_put_str(o, "Addr", engine_addr(m->engine));
	json_end_object(o);
}

struct error *cluster_try_create(struct cluster *c, const struct create_request *req,
				 struct arena *arena, struct str *ret_json)
{
	_cleanup_(placement_fini) struct placement p = { .c = c, .req = req, .arena = arena };
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	_cleanup_(error_freep) struct error *refusal = NULL;
	struct json_out o = json_out(&out);
	struct member *m = NULL;
	const char *image = "unknown";

	TRY(placement_read(&p));
	if (!str_empty(p.name))
		TRY(flight_hold_name(c, &p.flight, p.name));
	refusal = choose(&p, &m, &image);
	if (refusal && !error_is(refusal, ERR_NO_NODE))
		return take(refusal);

	json_begin_object(&o);
	if (m)
		put_choice(m, &o);
	else
		json_put_raw(&o, "Node", STR("null"));
	json_put_str(&o, "Image", str_from(image));
	json_put_str(&o, "Message", str_from(error_message(refusal)));
	json_key(&o, "Nodes");
	json_begin_array(&o);
	for (size_t i = 0; i < c->nodes.n; i++)
		put_verdict(&p, c->nodes.v[i], &o);
	json_end_array(&o);
	json_end_object(&o);
	strbuf_addc(&out, '\n');
	*ret_json = arena_dup(arena, strbuf_str(&out));
	return NULL;
}
