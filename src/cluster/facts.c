/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter may ask of a node. A value is looked up once for a placement: the nodes where it is
 * found are gathered in the match, and each node's question is a bit of that. Only a pattern on
 * containers' names goes through them all; one on labels or images, through the distinct ones; each
 * ends where the time for patterns does.
 */
#include "cluster/internal.h"
#include "fiber/fiber.h"

static struct str port_holder(const struct sched_node *n, const struct host_port *want)
{
	const struct member *m = member_of_node(n);
	struct container_port port;
	const struct port_use *use;

	if (!port_from_config(want, &port))
		return STR_NONE;
	use = port_table_find(&m->ports, &port);
	if (!use)
		return STR_NONE;
	return str_empty(use->name) ? STR("a container being created") : use->name;
}

static void found_at(struct match *match, const struct engine *e)
{
	const struct member *m = member_of(e);

	if (m)
		node_set_add(&match->found, m->sched.number);
}

static void find_swarm_id(const struct cluster *c, struct match *match)
{
	_cleanup_(vec_fini) struct vec found = VEC_INIT;

	id_tree_get(&c->containers.swarm_ids, match->text, &found);
	for (size_t i = 0; i < found.n; i++)
		found_at(match, ((const struct container *)found.v[i])->engine);
}

static void find_named_container(const struct cluster *c, struct match *match)
{
	struct str name = str_strip_prefix(match->text, STR("/"));
	struct container *ct;
	struct error *err;
	bool alone;

	ct = index_by_name(&c->containers, name, &alone);
	if (!ct) {
		find_swarm_id(c, match);
		err = index_find(&c->containers, match->text, &ct);
		if (!err)
			found_at(match, ct->engine);
		error_free(err);
		return;
	}
	found_at(match, ct->engine);
	list_for_each(link, &ct->by_name)
		found_at(match, list_item(link, struct container, by_name)->engine);
}

static bool name_matches(const struct container *ct, struct match *match)
{
	return match_test(match, ct->name) || match_test(match, ct->id) ||
	       (!str_empty(ct->swarm_id) && match_test(match, ct->swarm_id));
}

static bool swarm_id_matches(const struct container *ct, struct match *match)
{
	return !str_empty(ct->swarm_id) && match_test(match, ct->swarm_id);
}

/* All containers, but for those of nodes that have one already. */
static void find_containers(const struct cluster *c, struct match *match,
			    bool (*matches)(const struct container *ct, struct match *match))
{
	for (size_t i = 0; !match->exceeded && i < c->nodes.n; i++) {
		const struct member *m = member_of_node(c->nodes.v[i]);
		const struct container *ct;

		if (node_set_has(&match->found, m->sched.number))
			continue;
		for (size_t at = 0;
		     !match->exceeded && (ct = map_next(engine_containers(m->engine), &at));) {
			if (!matches(ct, match))
				continue;
			node_set_add(&match->found, m->sched.number);
			break;
		}
	}
}

/* Creations under way: those that have a node by now. */
static void find_flights(const struct cluster *c, struct match *match)
{
	const struct flight *f;

	if (match->kind == MATCH_PLAIN) {
		f = map_get(&c->flight_names, str_strip_prefix(match->text, STR("/")));
		if (f && f->member)
			node_set_add(&match->found, f->member->sched.number);
		return;
	}
	for (size_t i = 0; !match->exceeded && (f = map_next(&c->flight_names, &i));)
		if (f->member && match_test(match, f->name))
			node_set_add(&match->found, f->member->sched.number);
}

static bool has_container(const struct sched_node *n, struct match *match)
{
	struct cluster *c = member_of_node(n)->cluster;
	NO_SUSPEND;

	if (!match->found.known) {
		node_set_begin(&match->found, c->numbers.n);
		find_flights(c, match);
		if (match->kind == MATCH_PLAIN)
			find_named_container(c, match);
		else
			find_containers(c, match, name_matches);
	}
	return node_set_has(&match->found, n->number);
}

static void found_copies(struct match *match, const struct slot *slot)
{
	for (size_t i = 0; slot && i < slot->n; i++)
		found_at(match, slot->copies[i].engine);
}

/* By tag, or by the repository in front of it. A digest is asked for in full. */
static void find_image_names(const struct cluster *c, struct match *match)
{
	const struct slot *slot;

	for (size_t i = 0; !match->exceeded && (slot = map_next(&c->images.names, &i));) {
		struct str repo, tag;

		if (str_has_char(slot->key, '@'))
			continue;
		str_rcut(slot->key, ':', &repo, &tag);
		if (match_test(match, slot->key) || match_test(match, repo))
			found_copies(match, slot);
	}
}

static void find_image_ids(const struct cluster *c, struct match *match)
{
	size_t n = c->images.ids.n;
	void **slots = mem_realloc_array(NULL, n + 1, sizeof(*slots));

	n = prefix_find(&c->images.ids, STR(""), slots, n);
	for (size_t i = 0; !match->exceeded && i < n; i++) {
		const struct slot *slot = slots[i];

		if (match_test(match, slot->copies[0].image->id))
			found_copies(match, slot);
	}
	free(slots);
}

static bool has_image(const struct sched_node *n, struct match *match)
{
	struct cluster *c = member_of_node(n)->cluster;
	NO_SUSPEND;

	if (!match->found.known) {
		node_set_begin(&match->found, c->numbers.n);
		if (match->kind == MATCH_PLAIN) {
			found_copies(match, image_index_find(&c->images, match->text));
			found_copies(match, image_index_repo(&c->images, match->text));
		} else {
			find_image_ids(c, match);
			find_image_names(c, match);
		}
	}
	return node_set_has(&match->found, n->number);
}

/* The swarm id is a label that each container has a value of its own of. */
static void find_swarm_ids(const struct cluster *c, struct match *match)
{
	if (match->kind == MATCH_PLAIN)
		find_swarm_id(c, match);
	else
		find_containers(c, match, swarm_id_matches);
}

static bool has_container_label(const struct sched_node *n, struct str key, struct match *match)
{
	struct cluster *c = member_of_node(n)->cluster;
	NO_SUSPEND;

	if (!match->found.known) {
		node_set_begin(&match->found, c->numbers.n);
		if (str_eq(key, STR(LABEL_SWARM_ID)))
			find_swarm_ids(c, match);
		else
			tally_match(&c->labels, key, match, match_test, &match->found);
	}
	return node_set_has(&match->found, n->number);
}

/* Each node is entered with its labels, and with its name and its id as label "node". */
static bool has_label(const struct sched_node *n, struct str key, struct match *match,
		      match_test_fn *test)
{
	struct cluster *c = member_of_node(n)->cluster;

	if (!match->found.known) {
		node_set_begin(&match->found, c->numbers.n);
		tally_match(&c->node_labels, key, match, test, &match->found);
	}
	return node_set_has(&match->found, n->number);
}

static const struct tally_value *counted(const struct cluster *c, struct sched_count *what)
{
	if (!what->known) {
		what->found = what->of == COUNT_IMAGE
				      ? tally_find(&c->kinds, STR(KIND_IMAGE), what->value)
				      : tally_find(&c->labels, what->key, what->value);
		what->known = true;
	}
	return what->found;
}

static uint32_t count(const struct sched_node *n, struct sched_count *what)
{
	return tally_count(counted(member_of_node(n)->cluster, what), n->number);
}

static uint32_t groups(const struct sched_node *any, struct str label, uint32_t *to, size_t n_to)
{
	return tally_groups(&member_of_node(any)->cluster->node_labels, label, to, n_to);
}

static void counts(const struct sched_node *any, struct sched_count *what, uint32_t *to,
		   size_t n_to)
{
	tally_counts(counted(member_of_node(any)->cluster, what), to, n_to);
}

const struct sched_lookups cluster_lookups = {
	.port_holder = port_holder,
	.has_label = has_label,
	.has_container = has_container,
	.has_image = has_image,
	.has_container_label = has_container_label,
	.count = count,
	.groups = groups,
	.counts = counts,
};
