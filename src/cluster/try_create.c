/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a create would go, told without doing it: the very step that a create takes, given back at
 * once, and each node's reason beside it.
 */
#include "cluster/images.h"
#include "cluster/placement.h"
#include "json/build.h"

/* What came of it. */
struct trial {
	struct placement p;
	struct engines holders; /* of the image */
	bool among_holders;	/* it can go to them alone */
	struct member *chosen;	/* NULL: nowhere */
	const char *image;
};

static void trial_fini(struct trial *t)
{
	placement_fini(&t->p);
	engines_fini(&t->holders);
}

static const char elsewhere[] = "the image is not there";

/* A built image draws the container to where it is; or is brought where other things draw it. */
static struct error *choose_holder(struct trial *t)
{
	struct error *refusal = placement_board_among(&t->p, &t->holders, elsewhere);
	struct error *err;

	t->image = "present";
	if (!error_is(refusal, ERR_NO_NODE) || !t->p.is_drawn)
		return refusal;
	err = placement_board(&t->p);
	error_free(err ? err : refusal);
	t->among_holders = false;
	t->image = "brought";
	return err ? refusal : NULL;
}

/* As a create. */
static struct error *choose(struct trial *t)
{
	struct placement *p = &t->p;
	_cleanup_(engine_unrefp) struct engine *made_at = NULL;
	struct str image = p->config.image;
	bool here = false;

	TRY(placement_board_first(p, &made_at));
	cluster_image_nodes(p->c, image, &t->holders);
	for (size_t i = 0; i < t->holders.n; i++)
		here |= t->holders.v[i] == p->flight.member->engine;
	t->image = here ? "present" : t->holders.n ? "pulled" : "unknown";
	t->among_holders = t->holders.n && t->holders.n < p->c->nodes.n &&
			   !cluster_image_is_pullable(p->c, image);
	if (!here && t->among_holders) {
		flight_leave(p->c, &p->flight);
		TRY(choose_holder(t));
	}
	t->chosen = p->flight.member;
	flight_leave(p->c, &p->flight);
	return NULL;
}

static struct error *put_verdicts(struct trial *t, struct json_out *o)
{
	const struct vec *nodes = &t->p.c->nodes;
	struct str *why = arena_new_array(t->p.arena, struct str, nodes->n);

	TRY(placement_explain(&t->p, t->among_holders ? &t->holders : NULL, elsewhere, why));
	json_key(o, "Nodes");
	json_begin_array(o);
	for (size_t i = 0; i < nodes->n; i++) {
		const struct sched_node *node = nodes->v[i];

		json_begin_object(o);
		json_put_str(o, "Name", node->name);
		json_put_bool(o, "Fits", !why[i].p);
		if (why[i].p)
			json_put_str(o, "Reason", why[i]);
		json_end_object(o);
	}
	json_end_array(o);
	return NULL;
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
	_cleanup_(trial_fini) struct trial t = {
		.p = { .c = c, .req = req, .arena = arena },
		.image = "unknown",
	};
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	_cleanup_(error_freep) struct error *refusal = NULL;
	struct json_out o = json_out(&out);

	TRY(placement_read(&t.p));
	if (!str_empty(t.p.name))
		TRY(flight_hold_name(c, &t.p.flight, t.p.name));
	refusal = choose(&t);
	if (refusal && !error_is(refusal, ERR_NO_NODE))
		return take(refusal);

	json_begin_object(&o);
	if (t.chosen)
		put_choice(t.chosen, &o);
	else
		json_put_raw(&o, "Node", STR("null"));
	json_put_str(&o, "Image", str_from(t.image));
	json_put_str(&o, "Message", str_from(error_message(refusal)));
	TRY(put_verdicts(&t, &o));
	json_end_object(&o);
	strbuf_addc(&out, '\n');
	*ret_json = arena_dup(arena, strbuf_str(&out));
	return NULL;
}
