/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/object_index.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "cluster/candidates.h"
#include "engine/engine.h"

void object_index_init(struct object_index *x, enum object_kind kind)
{
	x->kind = kind;
	prefix_init(&x->keys, slot_key);
	map_init(&x->names, slot_key);
}

void object_index_fini(struct object_index *x)
{
	slot_tree_fini(&x->keys);
	slot_map_fini(&x->names);
}

void object_index_add(struct object_index *x, struct engine *e, const struct object *o)
{
	slot_tree_add(&x->keys, o->key, e, o);
	if (x->kind == OBJECT_NETWORK)
		slot_map_add(&x->names, o->name, e, o);
}

void object_index_remove(struct object_index *x, struct engine *e, const struct object *o)
{
	slot_tree_remove(&x->keys, o->key, e, o);
	if (x->kind == OBJECT_NETWORK)
		slot_map_remove(&x->names, o->name, e, o);
}

const struct slot *object_index_named(const struct object_index *x, struct str name)
{
	return x->kind == OBJECT_NETWORK ? map_get(&x->names, name) : prefix_get(&x->keys, name);
}

/* All copies of the slot are one thing. A network's are where its id has as many. */
static bool is_one(const struct object_index *x, const struct slot *slot)
{
	const struct object *o = slot->copies[0].object;

	if (slot->n == 1 || !o->global)
		return slot->n == 1;
	if (x->kind == OBJECT_NETWORK) {
		const struct slot *same = prefix_get(&x->keys, o->key);

		return same && same->n == slot->n;
	}
	for (size_t i = 1; i < slot->n; i++)
		if (!slot->copies[i].object->global ||
		    !str_eq(slot->copies[i].object->driver, o->driver))
			return false;
	return true;
}

bool object_index_is_unique(const struct object_index *x, const struct object *o)
{
	const struct slot *slot = object_index_named(x, o->name);

	return slot && is_one(x, slot);
}

void found_fini(struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		engine_unref(f->v[i].engine);
		object_unref(f->v[i].object);
	}
	free(f->v);
	*f = (struct found){ NULL, 0 };
}

static void found_add(struct found *f, const struct copy *copy)
{
	f->v = mem_realloc_array(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct found_copy){
		engine_ref(copy->engine),
		object_ref((struct object *)copy->object),
	};
}

/* By node where `node` is not empty. */
static void find_in(const struct slot *slot, struct str node, struct found *f)
{
	for (size_t i = 0; slot && i < slot->n; i++)
		if (str_empty(node) || str_eq(engine_name(slot->copies[i].engine), node))
			found_add(f, &slot->copies[i]);
}

static void find_in_order(const struct object_index *x, struct str ref, struct found *f)
{
	struct str node, name;

	if (x->kind == OBJECT_NETWORK)
		find_in(prefix_get(&x->keys, ref), STR_NONE, f);
	if (!f->n)
		find_in(object_index_named(x, ref), STR_NONE, f);
	if (!f->n && str_cut(ref, '/', &node, &name))
		find_in(object_index_named(x, name), node, f);
}

/* The networks whose ids begin so, unless they are more than `most`. */
static void find_prefix(const struct object_index *x, struct str ref, size_t most, struct found *f)
{
	void *slots[SHOWN_CANDIDATES + 1];
	size_t n;

	if (f->n || x->kind != OBJECT_NETWORK || str_empty(ref))
		return;
	n = prefix_find(&x->keys, ref, slots, ARRAY_LEN(slots));
	for (size_t i = 0; n <= most && i < n; i++)
		find_in(slots[i], STR_NONE, f);
}

/* Which of several a global thing's copies are does not matter; of anything else it does. */
static bool is_ambiguous(const struct found *f)
{
	for (size_t i = 1; i < f->n; i++) {
		const struct object *a = f->v[0].object, *b = f->v[i].object;

		if (!a->global || !b->global || !str_eq(a->key, b->key) ||
		    !str_eq(a->driver, b->driver))
			return true;
	}
	return false;
}

static struct error *ambiguous(const struct object_index *x, struct str ref, const struct found *f)
{
	_cleanup_(strbuf_fini) struct strbuf what = STRBUF_INIT;
	_cleanup_(candidates_fini) struct candidates all = { 0 };

	strbuf_addf(&what, "%s %.*s", object_kind_name(x->kind), STR_ARG(ref));
	for (size_t i = 0; i < f->n; i++)
		candidates_add(&all, engine_name(f->v[i].engine), f->v[i].object->name,
			       x->kind == OBJECT_NETWORK ? f->v[i].object->key : STR_NONE);
	return candidates_error(&all, strbuf_str(&what));
}

struct error *object_unknown(enum object_kind kind, struct str ref)
{
	if (kind == OBJECT_VOLUME)
		return error_new(ERR_NOT_FOUND, "get %.*s: no such volume", STR_ARG(ref));
	return error_new(ERR_NOT_FOUND, "network %.*s not found", STR_ARG(ref));
}

struct error *object_index_find(const struct object_index *x, struct str ref, struct found *ret)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };

	find_in_order(x, ref, &f);
	find_prefix(x, ref, SHOWN_CANDIDATES + 1, &f);
	if (!f.n)
		return object_unknown(x->kind, ref);
	if (is_ambiguous(&f))
		return ambiguous(x, ref, &f);
	*ret = f;
	f = (struct found){ NULL, 0 };
	return NULL;
}

void object_index_find_all(const struct object_index *x, struct str ref, struct found *ret)
{
	*ret = (struct found){ NULL, 0 };
	find_in_order(x, ref, ret);
	find_prefix(x, ref, 1, ret);
}
