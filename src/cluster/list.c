/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/list.h"

#include "base/mem.h"
#include "cluster/internal.h"
#include "cluster/list_filter.h"
#include "cluster/sizes.h"
#include "fiber/fiber.h"

#define PIECE	       (64 * 1024) /* bytes between two emits */
#define BETWEEN_YIELDS 256	   /* containers looked at */

/* What is listed, as it was when the request came: a reference, and one of its engine. */
struct listed {
	int64_t created;
	struct container *ct;
};

struct listing {
	struct listed *v;
	size_t n;
};

static void listed_drop(struct listed *item)
{
	struct engine *e = item->ct->engine;

	container_unref(item->ct);
	engine_unref(e);
}

static void listing_fini(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		listed_drop(&l->v[i]);
	free(l->v);
}

/* `ps` shows neither what cannot be running as far as anyone knows, nor the pool's own. */
static bool hidden_without_all(const struct container *ct)
{
	struct str repo, tag;

	str_cut(ct->image, ':', &repo, &tag);
	if (!container_status_is_up(ct->state.status))
		return true;
	return engine_state(ct->engine) != ENGINE_HEALTHY || str_eq(repo, STR("swarm"));
}

static void take_references(const struct list_filter *lf, struct listing *l)
{
	_cleanup_(vec_fini) struct vec found = VEC_INIT;

	if (!list_filter_candidates(lf, &found))
		id_tree_find(&lf->cluster->containers.ids, STR(""), SIZE_MAX, &found);
	l->v = mem_realloc_array(NULL, found.n + 1, sizeof(*l->v));
	for (size_t i = 0; i < found.n; i++) {
		struct container *ct = container_ref(found.v[i]);

		engine_ref(ct->engine);
		l->v[l->n++] = (struct listed){ ct->created, ct };
	}
}

static may_suspend struct error *keep_matching(const struct list_filter *lf, bool all,
					       struct listing *l)
{
	size_t kept = 0;
	struct error *err = NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (!err && i % BETWEEN_YIELDS == BETWEEN_YIELDS - 1)
			err = fiber_yield();
		if (!err && !l->v[i].ct->stale && (all || !hidden_without_all(l->v[i].ct)) &&
		    list_filter_match(lf, l->v[i].ct))
			l->v[kept++] = l->v[i];
		else
			listed_drop(&l->v[i]);
	}
	l->n = kept;
	return err;
}

/* The newest first. What is the same stands side by side. */
static int compare(const struct listed *x, const struct listed *y)
{
	int order;

	if (x->created != y->created)
		return x->created > y->created ? -1 : 1;
	order = str_cmp(x->ct->id, y->ct->id);
	if (order || x->ct == y->ct)
		return order;
	return (uintptr_t)x->ct < (uintptr_t)y->ct ? -1 : 1;
}

/* Two runs that are in order, one behind the other, become one in `to`. */
static void merge(const struct listed *v, size_t middle, size_t n, struct listed *to)
{
	for (size_t a = 0, b = middle; a < middle || b < n;) {
		bool first = b == n || (a < middle && compare(&v[a], &v[b]) <= 0);

		*to++ = v[first ? a++ : b++];
	}
}

/* A merge sort from below, since a million of them must not hold up all others meanwhile. */
static may_suspend struct error *sort_newest_first(struct listing *l)
{
	_cleanup_(mem_freep) struct listed *spare =
		mem_realloc_array(NULL, l->n + 1, sizeof(*spare));

	for (size_t width = 1; width < l->n; width *= 2) {
		struct listed *sorted = spare;

		for (size_t at = 0; at < l->n; at += 2 * width) {
			size_t n = MIN(2 * width, l->n - at);

			merge(l->v + at, MIN(width, n), n, sorted + at);
			if (width > BETWEEN_YIELDS || at % (8 * BETWEEN_YIELDS) == 0)
				TRY(fiber_pace());
		}
		spare = l->v;
		l->v = sorted;
	}
	return NULL;
}

/* Several filters may have found one container: once is enough. In order by now. */
static void drop_doubles(struct listing *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (kept && l->v[kept - 1].ct == l->v[i].ct)
			listed_drop(&l->v[i]);
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
}

static void write_container(const struct cluster *c, const struct container *ct,
			    const struct sizes *sizes, struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;
	bool down = engine_state(ct->engine) != ENGINE_HEALTHY;

	cluster_container_names(c, ct, &names);
	container_write_entry(ct, strbuf_str(&names), engine_now(ct->engine), down, out);
	sizes_add(sizes, ct->id, out);
}

static may_suspend struct error *emit_all(struct cluster *c, const struct listing *l,
					  const struct sizes *sizes, int64_t limit, emit_fn *emit,
					  void *arg)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	int64_t written = 0;

	strbuf_addc(&out, '[');
	for (size_t i = 0; i < l->n && (limit <= 0 || written < limit); i++) {
		if (written++)
			strbuf_addc(&out, ',');
		write_container(c, l->v[i].ct, sizes, &out);
		if (out.n < PIECE)
			continue;
		TRY(emit(arg, strbuf_str(&out)));
		strbuf_reset(&out);
	}
	strbuf_add(&out, STR("]\n"));
	return emit(arg, strbuf_str(&out));
}

struct error *container_query_check(const struct cluster *c, const struct container_query *q)
{
	struct list_filter lf;

	return list_filter_init(&lf, c, &q->filters);
}

may_suspend struct error *cluster_list_containers(struct cluster *c,
						  const struct container_query *q, emit_fn *emit,
						  void *arg)
{
	_cleanup_(listing_fini) struct listing l = { NULL, 0 };
	_cleanup_(sizes_fini) struct sizes sizes = { 0 };
	struct list_filter lf;
	bool all;

	TRY(reconcile_before_list(c, &q->filters));
	TRY(list_filter_init(&lf, c, &q->filters));
	all = q->all || q->limit > 0 || list_filter_implies_all(&lf);
	if (q->size)
		TRY(sizes_fetch(&sizes, c, all));
	take_references(&lf, &l);
	TRY(keep_matching(&lf, all, &l));
	TRY(filters_check_patterns(&q->filters));
	TRY(sort_newest_first(&l));
	drop_doubles(&l);
	return emit_all(c, &l, &sizes, q->limit, emit, arg);
}
