/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/list.h"

#include "base/mem.h"
#include "cluster/internal.h"
#include "cluster/list_filter.h"
#include "cluster/sizes.h"
#include "fiber/fiber.h"

#define PIECE	       (64 * 1024) /* bytes between two emits */
#define BETWEEN_YIELDS 256	   /* containers looked at */

/* References to what is listed, as it was when the request came. */
struct listing {
	struct container **v;
	size_t n;
};

static void listing_fini(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		container_unref(l->v[i]);
	free(l->v);
}

/* `ps` shows neither what cannot be running as far as anyone knows, nor the pool's own. */
static bool hidden_without_all(const struct container *ct)
{
	struct str repo, tag;

	str_cut(ct->image, ':', &repo, &tag);
	if (ct->state.status != CONTAINER_RUNNING && ct->state.status != CONTAINER_PAUSED &&
	    ct->state.status != CONTAINER_RESTARTING)
		return true;
	return engine_state(ct->engine) != ENGINE_HEALTHY || str_eq(repo, STR("swarm"));
}

static void take_references(const struct cluster *c, struct listing *l)
{
	size_t total = c->containers.ids.n;

	l->v = mem_realloc_array(NULL, total + 1, sizeof(struct container *));
	l->n = prefix_find(&c->containers.ids, STR(""), (void **)l->v, total);
	for (size_t i = 0; i < l->n; i++)
		container_ref(l->v[i]);
}

static int newest_first(const void *a, const void *b)
{
	const struct container *x = *(struct container *const *)a,
			       *y = *(struct container *const *)b;

	if (x->created != y->created)
		return x->created > y->created ? -1 : 1;
	return str_cmp(x->id, y->id);
}

/* Its engine may have gone while we were parked: then it is no longer in the tables. */
static bool still_there(const struct cluster *c, const struct container *ct)
{
	const struct container *now = index_by_id(&c->containers, ct->id);

	return now && now->engine == ct->engine;
}

static may_suspend struct error *keep_matching(struct cluster *c, const struct list_filter *lf,
					       bool all, struct listing *l)
{
	size_t kept = 0;
	struct error *err = NULL;

	for (size_t i = 0; i < l->n; i++) {
		struct container *ct = l->v[i];

		if (!err && i % BETWEEN_YIELDS == BETWEEN_YIELDS - 1)
			err = fiber_yield();
		if (!err && still_there(c, ct) && !ct->stale && (all || !hidden_without_all(ct)) &&
		    list_filter_match(lf, ct))
			l->v[kept++] = ct;
		else
			container_unref(ct);
	}
	l->n = kept;
	return err;
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
		if (!still_there(c, l->v[i]))
			continue;
		if (written++)
			strbuf_addc(&out, ',');
		write_container(c, l->v[i], sizes, &out);
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

	TRY(list_filter_init(&lf, c, &q->filters));
	all = q->all || q->limit > 0 || list_filter_implies_all(&lf);
	if (q->size)
		TRY(sizes_fetch(&sizes, c, all));
	take_references(c, &l);
	TRY(keep_matching(c, &lf, all, &l));
	TRY(filters_check_patterns(&q->filters));
	qsort(l.v, l.n, sizeof(struct container *), newest_first);
	return emit_all(c, &l, &sizes, q->limit, emit, arg);
}
