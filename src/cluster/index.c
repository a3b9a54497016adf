/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look-up of containers. Not the tables themselves: each engine owns its containers, this
 * only points at them.
 */
#include "cluster/index.h"

#include <assert.h>
#include <stdlib.h>

#include "cluster/candidates.h"
#include "engine/engine.h"

#define SHORT_ID 12

static struct str id_key(const void *item)
{
	return ((const struct container *)item)->id;
}

static struct str swarm_id_key(const void *item)
{
	return ((const struct container *)item)->swarm_id;
}

static struct str name_key(const void *item)
{
	return ((const struct container *)item)->name;
}

static struct str stranger_key(const void *item)
{
	return str_from(item);
}

void index_init(struct index *x)
{
	id_tree_init(&x->ids, id_key);
	id_tree_init(&x->swarm_ids, swarm_id_key);
	map_init(&x->names, name_key);
	map_init(&x->strangers, stranger_key);
	x->stale = (struct vec)VEC_INIT;
	x->is_outlived = NULL;
	x->arg = NULL;
}

void index_fini(struct index *x)
{
	char *id;

	id_tree_fini(&x->ids);
	id_tree_fini(&x->swarm_ids);
	map_fini(&x->names);
	vec_fini(&x->stale);
	for (size_t i = 0; (id = map_next(&x->strangers, &i));)
		free(id);
	map_fini(&x->strangers);
}

static void add_name(struct index *x, struct container *ct)
{
	struct container *first = map_get(&x->names, ct->name);

	list_init(&ct->by_name);
	if (first)
		list_append(&first->by_name, &ct->by_name);
	else
		map_put(&x->names, ct);
}

static void remove_name(struct index *x, struct container *ct)
{
	struct container *next = NULL;

	if (list_linked(&ct->by_name))
		next = list_item(ct->by_name.next, struct container, by_name);
	list_remove(&ct->by_name);

	if (map_get(&x->names, ct->name) != ct)
		return;
	map_del(&x->names, ct->name);
	if (next)
		map_put(&x->names, next);
}

static bool is_copy(const struct index *x, const struct container *a, const struct container *b)
{
	return a != b && !str_empty(a->swarm_id) && str_eq(a->swarm_id, b->swarm_id) &&
	       str_eq(a->name, b->name) && !map_get(&x->strangers, a->id) &&
	       !map_get(&x->strangers, b->id);
}

/* Copies of ct that are not stale, one by one; *at begins as 0. */
static struct container *next_copy(const struct index *x, const struct container *ct, size_t *at)
{
	if (*at == 0) {
		struct container *first = id_tree_one(&x->swarm_ids, ct->swarm_id);

		*at = 1;
		if (first && is_copy(x, first, ct))
			return first;
	}
	while (*at <= x->swarm_ids.twins.n) {
		struct container *twin = x->swarm_ids.twins.v[(*at)++ - 1];

		if (is_copy(x, twin, ct))
			return twin;
	}
	return NULL;
}

/*
 * A generation may be given twice where a moved container was removed while older copies of it were
 * out of sight, and one of these was moved since: then the one made last is the later one.
 */
static bool is_later(const struct container *a, const struct container *b)
{
	if (a->generation != b->generation)
		return a->generation > b->generation;
	return a->generation > 0 && a->created > b->created;
}

/* One that is earlier or later than ct; NULL where there is none. */
static struct container *other_generation(const struct index *x, const struct container *ct)
{
	struct container *copy;

	for (size_t at = 0; !str_empty(ct->swarm_id) && (copy = next_copy(x, ct, &at));)
		if (is_later(copy, ct) || is_later(ct, copy))
			return copy;
	return NULL;
}

static void hook(struct index *x, struct container *ct)
{
	add_name(x, ct);
	if (!str_empty(ct->swarm_id))
		id_tree_add(&x->swarm_ids, ct);
}

static void unhook(struct index *x, struct container *ct)
{
	remove_name(x, ct);
	if (!str_empty(ct->swarm_id))
		id_tree_remove(&x->swarm_ids, ct);
}

static void make_stale(struct index *x, struct container *ct)
{
	ct->stale = true;
	list_init(&ct->by_name);
	vec_push(&x->stale, ct);
}

static bool is_outlived(const struct index *x, const struct container *ct)
{
	return x->is_outlived && !map_get(&x->strangers, ct->id) && x->is_outlived(x->arg, ct);
}

/* Those that are not stale have one generation, the highest. */
static void enter(struct index *x, struct container *ct)
{
	struct container *copy;

	if (is_outlived(x, ct)) {
		make_stale(x, ct);
		return;
	}
	while ((copy = other_generation(x, ct))) {
		if (is_later(copy, ct)) {
			make_stale(x, ct);
			return;
		}
		unhook(x, copy);
		make_stale(x, copy);
	}
	hook(x, ct);
}

static void leave_stale(struct index *x, struct container *ct)
{
	ct->stale = false;
	vec_remove(&x->stale, ct);
}

/* The copy that it replaced is what there is of the container now. */
static void restore_copy(struct index *x, const struct container *gone)
{
	struct container *latest = NULL;

	for (size_t i = 0; i < x->stale.n; i++) {
		struct container *ct = x->stale.v[i];

		if (is_copy(x, ct, gone) && !is_outlived(x, ct) &&
		    (!latest || is_later(ct, latest)))
			latest = ct;
	}
	if (!latest)
		return;
	leave_stale(x, latest);
	enter(x, latest);
}

void index_add(struct index *x, struct container *ct)
{
	id_tree_add(&x->ids, ct);
	enter(x, ct);
}

void index_remove(struct index *x, struct container *ct)
{
	id_tree_remove(&x->ids, ct);
	if (ct->stale) {
		leave_stale(x, ct);
		return;
	}
	unhook(x, ct);
	restore_copy(x, ct);
}

void index_reconsider(struct index *x, struct container *ct)
{
	if (ct->stale)
		leave_stale(x, ct);
	else
		unhook(x, ct);
	enter(x, ct);
}

void index_reconsider_copies(struct index *x, struct str swarm_id, struct str name)
{
	const struct container asked = { .swarm_id = swarm_id, .name = name };
	_cleanup_(vec_fini) struct vec copies = VEC_INIT;
	struct container *ct;

	for (size_t i = 0; i < x->stale.n; i++)
		if (is_copy(x, x->stale.v[i], &asked))
			vec_push(&copies, x->stale.v[i]);
	for (size_t at = 0; !str_empty(swarm_id) && (ct = next_copy(x, &asked, &at));)
		vec_push(&copies, ct);
	for (size_t i = 0; i < copies.n; i++)
		index_reconsider(x, copies.v[i]);
}

void index_set_stranger(struct index *x, struct container *ct)
{
	if (!map_get(&x->strangers, ct->id))
		map_put(&x->strangers, str_dup(ct->id));
	if (!ct->stale)
		return;
	leave_stale(x, ct);
	hook(x, ct);
}

struct container *index_copy(const struct index *x, struct str swarm_id, struct str name,
			     const struct container *other_than)
{
	const struct container asked = { .swarm_id = swarm_id, .name = name };
	struct container *copy;

	for (size_t at = 0; !str_empty(swarm_id) && (copy = next_copy(x, &asked, &at));)
		if (copy != other_than)
			return copy;
	return NULL;
}

struct container *index_by_id(const struct index *x, struct str id)
{
	return id_tree_one(&x->ids, id);
}

struct container *index_by_name(const struct index *x, struct str name, bool *ret_alone)
{
	struct container *ct = map_get(&x->names, name);

	if (ct)
		*ret_alone = !list_linked(&ct->by_name);
	return ct;
}

/* What a look-up has found so far: nothing, one, or several, which is an error that names them. */
struct finds {
	struct container *one;
	struct candidates all;
};

static void finds_fini(struct finds *f)
{
	candidates_fini(&f->all);
}

static void finds_add(struct finds *f, struct container *ct)
{
	f->one = ct;
	candidates_add(&f->all, engine_name(ct->engine), ct->name, ct->id);
}

static void finds_add_all(struct finds *f, const struct vec *found)
{
	for (size_t i = 0; i < found->n; i++)
		finds_add(f, found->v[i]);
}

static void find_exact(const struct id_tree *t, struct str id, struct finds *f)
{
	_cleanup_(vec_fini) struct vec found = VEC_INIT;

	id_tree_get(t, id, &found);
	finds_add_all(f, &found);
}

static void find_prefix(const struct id_tree *t, struct str prefix, struct finds *f)
{
	_cleanup_(vec_fini) struct vec found = VEC_INIT;

	id_tree_find(t, prefix, SHOWN_CANDIDATES + 1, &found);
	finds_add_all(f, &found);
}

static void find_name(const struct index *x, struct str name, struct str node, struct finds *f)
{
	struct container *first = map_get(&x->names, name);

	if (!first)
		return;
	if (str_empty(node) || str_eq(engine_name(first->engine), node))
		finds_add(f, first);
	list_for_each(link, &first->by_name) {
		struct container *ct = list_item(link, struct container, by_name);

		if (str_empty(node) || str_eq(engine_name(ct->engine), node))
			finds_add(f, ct);
	}
}

/* The exact forms of one 12-digit id first, then the general prefix: an id wins over a name. */
static void find_in_order(const struct index *x, struct str ref, struct finds *f)
{
	struct str node, name;

	find_exact(&x->ids, ref, f);
	if (!f->all.n && ref.n == SHORT_ID)
		find_prefix(&x->ids, ref, f);
	if (!f->all.n)
		find_exact(&x->swarm_ids, ref, f);
	if (!f->all.n && ref.n == SHORT_ID)
		find_prefix(&x->swarm_ids, ref, f);
	if (!f->all.n)
		find_name(x, ref, STR_NONE, f);
	if (!f->all.n && str_cut(ref, '/', &node, &name))
		find_name(x, name, node, f);
	if (!f->all.n)
		find_prefix(&x->ids, ref, f);
	if (!f->all.n)
		find_prefix(&x->swarm_ids, ref, f);
}

struct error *index_find(const struct index *x, struct str ref, struct container **ret)
{
	struct str asked = str_strip_prefix(ref, STR("/"));
	_cleanup_(finds_fini) struct finds f = { 0 };

	if (!str_empty(asked))
		find_in_order(x, asked, &f);
	if (f.all.n == 0)
		return error_new(ERR_NOT_FOUND, "No such container: %.*s", STR_ARG(ref));
	if (f.all.n > 1)
		return candidates_error(&f.all, ref);
	*ret = f.one;
	return NULL;
}
