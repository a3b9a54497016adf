/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /volumes and GET /networks over all nodes. The rules of the filters are those of Docker
 * 20.10's volume/service and daemon/network; `node` is the pool's own.
 */
#include "base/mem.h"
#include "cluster/endpoints.h"
#include "cluster/internal.h"
#include "cluster/label_filter.h"
#include "cluster/name_filter.h"
#include "cluster/objects.h"
#include "cluster/uses.h"
#include "fiber/fiber.h"

#define PIECE (64 * 1024) /* bytes between two emits */

struct listed {
	struct engine *engine; /* both references */
	struct object *object;
	struct str name; /* the pool's */
	bool on_asked_node;
};

struct object_listing {
	const struct cluster *c;
	const struct filters *filters;
	const struct list_kind *kind;
	struct arena arena;
	struct uses uses;
	struct endpoints endpoints; /* where they are asked for */
	bool dangling, dangling_asked, with_endpoints;
	struct listed *v;
	size_t n;
};

struct list_kind {
	enum object_kind kind;
	const char *const *filters;
	bool (*in_use)(const struct object_listing *l, const struct listed *one);
	const char *before, *after; /* the list */
};

static const char *const volume_filters[] = { "dangling", "driver", "label", "name", "node", NULL };
static const char *const network_filters[] = { "dangling", "driver", "id",   "label", "name",
					       "node",	   "scope",  "type", NULL };

static bool volume_in_use(const struct object_listing *l, const struct listed *one)
{
	return uses_has(&l->uses, one->engine, one->object);
}

/* What each engine has of its own is never left over. */
static bool network_in_use(const struct object_listing *l, const struct listed *one)
{
	return network_is_built_in(one->object->name) ||
	       uses_has(&l->uses, one->engine, one->object);
}

static const struct list_kind list_kinds[OBJECT_KINDS] = {
	[OBJECT_VOLUME] = { OBJECT_VOLUME, volume_filters, volume_in_use, "{\"Volumes\":[",
			    "],\"Warnings\":null}\n" },
	[OBJECT_NETWORK] = { OBJECT_NETWORK, network_filters, network_in_use, "[", "]\n" },
};

static void object_listing_fini(struct object_listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		engine_unref(l->v[i].engine);
		object_unref(l->v[i].object);
	}
	free(l->v);
	uses_fini(&l->uses);
	endpoints_fini(&l->endpoints);
	arena_fini(&l->arena);
}

static void add(struct object_listing *l, const struct copy *copy, bool on_asked_node)
{
	l->v[l->n++] = (struct listed){
		.engine = engine_ref(copy->engine),
		.object = object_ref((struct object *)copy->object),
		.name = object_pool_name(l->c, copy->engine, copy->object, &l->arena),
		.on_asked_node = on_asked_node,
	};
}

static bool on_asked_node(const struct object_listing *l, const struct copy *copy)
{
	return filters_match_exact(l->filters, "node", engine_name(copy->engine));
}

/* Each copy of local scope, and what is global once: as a node has it that is well. */
static void add_slot(struct object_listing *l, const struct slot *slot)
{
	const struct copy *global = NULL;
	bool asked = false;

	for (size_t i = 0; i < slot->n; i++) {
		const struct copy *copy = &slot->copies[i];

		if (!copy->object->global) {
			add(l, copy, on_asked_node(l, copy));
			continue;
		}
		asked = asked || on_asked_node(l, copy);
		if (!global || engine_state(global->engine) != ENGINE_HEALTHY)
			global = copy;
	}
	if (global)
		add(l, global, asked);
}

static int by_name(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int order = str_cmp(x->name, y->name);

	return order ? order : str_cmp(x->object->key, y->object->key);
}

static void collect(struct object_listing *l)
{
	const struct prefix_tree *keys = &l->c->objects[l->kind->kind].keys;
	_cleanup_(mem_freep) void **slots = mem_realloc_array(NULL, keys->n + 1, sizeof(*slots));
	size_t n = prefix_find(keys, STR(""), slots, keys->n), copies = 0;

	for (size_t i = 0; i < n; i++)
		copies += ((const struct slot *)slots[i])->n;
	l->v = mem_realloc_array(NULL, copies + 1, sizeof(*l->v));
	for (size_t i = 0; i < n; i++)
		add_slot(l, slots[i]);
	qsort(l->v, l->n, sizeof(*l->v), by_name);
}

static struct error *bad_volume_dangling(const struct filter *f)
{
	_cleanup_(strbuf_fini) struct strbuf values = STRBUF_INIT;

	for (size_t i = 0; i < f->n; i++)
		strbuf_addf(&values, "%s%.*s", i ? " " : "", STR_ARG(f->values[i]));
	return error_new(ERR_INVALID, "Invalid filter 'dangling=[%.*s]'",
			 STR_ARG(strbuf_str(&values)));
}

static struct error *bad_network_dangling(const struct filter *f)
{
	if (f->n > 1)
		return error_new(ERR_INVALID,
				 "got more than one value for filter key \"dangling\"");
	return error_new(ERR_INVALID, "invalid value for filter 'dangling', must be \"true\" (or "
				      "\"1\"), or \"false\" (or \"0\")");
}

static struct error *read_dangling(struct object_listing *l)
{
	const struct filter *f = filters_get(l->filters, "dangling");
	bool network = l->kind->kind == OBJECT_NETWORK;
	bool yes = filters_have(l->filters, "dangling", STR("1")) ||
		   filters_have(l->filters, "dangling", STR("true"));
	bool no = filters_have(l->filters, "dangling", STR("0")) ||
		  filters_have(l->filters, "dangling", STR("false"));

	if (!f || !f->n)
		return NULL;
	if ((!yes && !no) || (network && f->n > 1))
		return network ? bad_network_dangling(f) : bad_volume_dangling(f);
	l->dangling_asked = true;
	l->dangling = yes;
	return NULL;
}

static struct error *check_types(const struct filters *filters)
{
	const struct filter *f = filters_get(filters, "type");

	for (size_t i = 0; f && i < f->n; i++)
		if (!str_eq(f->values[i], STR("custom")) && !str_eq(f->values[i], STR("builtin")))
			return error_new(ERR_INVALID, "invalid filter: 'type'='%.*s'",
					 STR_ARG(f->values[i]));
	return NULL;
}

static may_suspend struct error *read_filters(struct object_listing *l)
{
	TRY(filters_check(l->filters, l->kind->filters));
	TRY(check_types(l->filters));
	TRY(read_dangling(l));
	return l->dangling_asked ? uses_gather(&l->uses, l->c) : NULL;
}

static bool match_type(const struct object_listing *l, const struct listed *one)
{
	bool built_in = network_is_built_in(one->object->name);

	return filters_match_exact(l->filters, "type", built_in ? STR("builtin") : STR("custom"));
}

static bool matches(const struct object_listing *l, const struct listed *one)
{
	const struct filters *f = l->filters;
	const struct object *o = one->object;

	if (!one->on_asked_node)
		return false;
	if (l->dangling_asked && l->dangling == l->kind->in_use(l, one))
		return false;
	return filters_match_exact(f, "driver", o->driver) &&
	       filters_match_exact(f, "scope", o->scope) && filters_match_regex(f, "id", o->key) &&
	       match_type(l, one) &&
	       name_filter_match(f, engine_name(one->engine), o->name, false) &&
	       label_filter_match(f, o->entry);
}

static may_suspend struct error *keep_matching(struct object_listing *l)
{
	struct error *err = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (!err)
			err = fiber_pace();
		if (!err && matches(l, &l->v[i])) {
			l->v[kept++] = l->v[i];
			continue;
		}
		engine_unref(l->v[i].engine);
		object_unref(l->v[i].object);
	}
	l->n = kept;
	TRY(err);
	return filters_check_patterns(l->filters);
}

static struct error *write_one(const struct object_listing *l, const struct listed *one,
			       struct strbuf *out)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = one->object->entry;

	if (!str_eq(one->name, one->object->name))
		TRY(object_rename_text(text, one->name, &arena, &text));
	if (l->with_endpoints)
		return endpoints_write(&l->endpoints, one->object->key, text, out);
	strbuf_add(out, text);
	return NULL;
}

static may_suspend struct error *emit_all(const struct object_listing *l, emit_fn *emit, void *arg)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	strbuf_add(&out, str_from(l->kind->before));
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			strbuf_addc(&out, ',');
		TRY(write_one(l, &l->v[i], &out));
		if (out.n < PIECE)
			continue;
		TRY(emit(arg, strbuf_str(&out)));
		strbuf_reset(&out);
	}
	strbuf_add(&out, str_from(l->kind->after));
	return emit(arg, strbuf_str(&out));
}

may_suspend struct error *cluster_list_objects(struct cluster *c, const struct object_query *q,
					       emit_fn *emit, void *arg)
{
	_cleanup_(object_listing_fini) struct object_listing l = {
		.c = c,
		.filters = &q->filters,
		.kind = &list_kinds[q->kind],
		.with_endpoints = q->endpoints,
	};

	TRY(read_filters(&l));
	if (q->endpoints)
		TRY(endpoints_fetch(&l.endpoints, c));
	collect(&l);
	TRY(keep_matching(&l));
	return emit_all(&l, emit, arg);
}
