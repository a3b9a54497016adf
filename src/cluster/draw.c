/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each named thing that is on some nodes alone makes a set of nodes; the container goes where all
 * sets meet. Sets are marks on the members, so that their number is all that this costs.
 */
#include "cluster/draw.h"

#include "cluster/networks.h"
#include "cluster/object_place.h"
#include "cluster/objects.h"

#define SHOWN_NODES 3

/* The nodes that have one thing. */
struct set {
	uint64_t mark;
	struct vec members; /* of struct member */
};

static void set_add(struct set *s, const struct engine *e)
{
	struct member *m = member_of(e);

	if (!m || m->mark == s->mark)
		return;
	m->mark = s->mark;
	vec_push(&s->members, m);
}

static void set_fini(struct set *s)
{
	vec_fini(&s->members);
}

/* "volume data is on n1, n2 and 5 others", behind what was said before. */
static const char *why(const struct placement *p, const struct set *s, const char *what,
		       struct str name)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	size_t n = s->members.n;

	if (p->sched.only)
		strbuf_addf(&text, "%s; ", p->sched.only_why);
	strbuf_addf(&text, "%s %.*s is on", what, STR_ARG(name));
	for (size_t i = 0; i < n && i < SHOWN_NODES; i++) {
		const struct member *m = s->members.v[i];

		strbuf_addf(&text, "%s %.*s", i ? "," : "", STR_ARG(engine_name(m->engine)));
	}
	if (n > SHOWN_NODES)
		strbuf_addf(&text, " and %zu others", n - SHOWN_NODES);
	if (n == 0)
		strbuf_add(&text, STR(" no node of the pool"));
	return arena_cstr(p->arena, strbuf_str(&text));
}

static void narrow(struct placement *p, const struct set *s, const char *what, struct str name)
{
	size_t most = p->sched.only ? p->sched.n_only : s->members.n, n = 0;
	const struct sched_node **only =
		arena_new_array(p->arena, const struct sched_node *, most + 1);

	for (size_t i = 0; i < most; i++) {
		const struct member *m = p->sched.only ? member_of_node(p->sched.only[i])
						       : (const struct member *)s->members.v[i];

		if (m->mark == s->mark)
			only[n++] = &m->sched;
	}
	p->is_drawn |= s->members.n < p->c->nodes.n;
	p->sched.only_why = why(p, s, what, name);
	p->sched.only = only;
	p->sched.n_only = n;
}

static void rename_to(struct config_rename *renames, size_t *n, struct str from, struct str to)
{
	if (!str_eq(from, to))
		renames[(*n)++] = (struct config_rename){ from, to };
}

/* The volume's driver shares it between nodes, or may: nobody knows before it is made. */
static bool is_drivers_own(const struct placement *p, struct str volume)
{
	struct json host = json_field(p->config.root, "HostConfig"), mount;
	struct json_iter it = json_iter(json_field(host, "Mounts"));
	struct str driver = json_str(json_field(host, "VolumeDriver"));

	while (json_next(&it, NULL, &mount)) {
		struct json options = json_field(mount, "VolumeOptions");

		if (json_str_eq(json_field(mount, "Source"), volume))
			driver = json_str(json_field(json_field(options, "DriverConfig"), "Name"));
	}
	return !str_empty(driver) && !str_eq(driver, STR("local"));
}

/* The nodes that have a volume of the name; false: it is one of all of them. */
static bool volume_nodes(const struct cluster *c, struct str name, struct set *s)
{
	const struct slot *slot = object_index_named(&c->objects[OBJECT_VOLUME], name);

	for (size_t i = 0; slot && i < slot->n; i++) {
		if (slot->copies[i].object->global)
			return false;
		set_add(s, slot->copies[i].engine);
	}
	return true;
}

static void draw_volume(struct placement *p, struct str written, struct str *claims,
			size_t *n_claims)
{
	_cleanup_(set_fini) struct set s = { .mark = ++p->c->marks };
	struct str name;
	_cleanup_(engine_unrefp) struct engine *on = object_split_name(p->c, written, &name);
	struct engine *claimed;

	rename_to(p->volume_renames, &p->n_volume_renames, written, name);
	claimed = claim_engine(p->c, name);
	if (on) {
		if (!object_index_named(&p->c->objects[OBJECT_VOLUME], name) && !claimed)
			claims[(*n_claims)++] = name;
		set_add(&s, on);
		narrow(p, &s, "volume", written);
		return;
	}
	if (!volume_nodes(p->c, name, &s))
		return;
	if (!s.members.n) {
		if (is_drivers_own(p, written))
			return;
		claims[(*n_claims)++] = name;
		if (!claimed)
			return;
		set_add(&s, claimed);
	}
	narrow(p, &s, "volume", name);
}

static void draw_volumes(struct placement *p)
{
	const struct str_array *names = &p->config.volumes;
	struct str *claims = arena_new_array(p->arena, struct str, names->n);
	size_t n_claims = 0;

	p->n_volume_renames = 0;
	p->volume_renames = arena_new_array(p->arena, struct config_rename, names->n);
	for (size_t i = 0; i < names->n; i++)
		draw_volume(p, names->v[i], claims, &n_claims);
	p->flight.volumes = claims;
	p->flight.n_volumes = n_claims;
}

static void add_joinable(const struct cluster *c, const struct object *network, struct set *s)
{
	for (size_t i = 0; i < c->nodes.n; i++) {
		const struct engine *e = member_of_node(c->nodes.v[i])->engine;

		if (network_is_joinable(e, network))
			set_add(s, e);
	}
}

/* A network that is nowhere is the engine's to refuse, which it does at the start. */
static void draw_network(struct placement *p, struct str written)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	_cleanup_(set_fini) struct set s = { .mark = ++p->c->marks };

	object_index_find_all(&p->c->objects[OBJECT_NETWORK], written, &f);
	if (!f.n)
		return;
	for (size_t i = 0; i < f.n; i++)
		set_add(&s, f.v[i].engine);
	if (f.v[0].object->global)
		add_joinable(p->c, f.v[0].object, &s);
	if (!str_starts(f.v[0].object->key, written))
		rename_to(p->network_renames, &p->n_network_renames, written,
			  arena_dup(p->arena, f.v[0].object->name));
	narrow(p, &s, "network", written);
}

static void draw_networks(struct placement *p)
{
	const struct str_array *names = &p->config.networks;

	p->n_network_renames = 0;
	p->network_renames = arena_new_array(p->arena, struct config_rename, names->n);
	for (size_t i = 0; i < names->n; i++)
		draw_network(p, names->v[i]);
}

void draw(struct placement *p)
{
	draw_volumes(p);
	draw_networks(p);
}
