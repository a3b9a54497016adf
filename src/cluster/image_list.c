/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /images/json over all nodes, or over those of a filter: an entry for each id, with the tags
 * and digests that any of them has for it.
 */
#include <inttypes.h>

#include "base/duration.h"
#include "base/mem.h"
#include "cluster/image_details.h"
#include "cluster/internal.h"
#include "cluster/label_filter.h"
#include "docker/filters.h"
#include "docker/path_pattern.h"
#include "docker/ref.h"
#include "docker/time_arg.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "json/build.h"
#include "json/edit.h"

#define PIECE (64 * 1024) /* bytes between two emits */

static const char *const known_filters[] = {
	"before", "dangling", "label", "node", "reference", "since", "until", NULL,
};

/* One id: a copy for its facts, and the names that all copies have that are asked for. */
struct merged {
	struct image *copy;	  /* a reference */
	struct vec tags, digests; /* of struct str in the arena */
	int64_t containers;	  /* that are made from it */
};

struct image_listing {
	const struct cluster *cluster;
	const struct image_query *query;
	struct arena arena;
	struct merged *v;
	size_t n;
	struct map parents; /* of struct str: ids that others were made from */
	struct image_details details;
	int64_t before, since; /* created, unix s, where asked; 0 is what many are dated to */
	int64_t until;	       /* created, unix ns */
	bool before_asked, since_asked, dangling, dangling_asked;
};

static void image_listing_fini(struct image_listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		image_unref(l->v[i].copy);
		vec_fini(&l->v[i].tags);
		vec_fini(&l->v[i].digests);
	}
	free(l->v);
	map_fini(&l->parents);
	image_details_fini(&l->details);
	arena_fini(&l->arena);
}

static void add_text(struct vec *texts, struct str text, struct arena *arena)
{
	struct str *copy;

	for (size_t i = 0; i < texts->n; i++)
		if (str_eq(*(struct str *)texts->v[i], text))
			return;
	copy = arena_new(arena, struct str);
	*copy = arena_dup(arena, text);
	vec_push(texts, copy);
}

static void add_parent(struct image_listing *l, struct str id)
{
	struct str *parent;

	if (str_empty(id) || map_get(&l->parents, id))
		return;
	parent = arena_new(&l->arena, struct str);
	*parent = arena_dup(&l->arena, id);
	map_put(&l->parents, parent);
}

static void merge_copy(struct image_listing *l, struct merged *m, const struct image *img)
{
	if (!m->copy)
		m->copy = image_ref((struct image *)img);
	for (size_t i = 0; i < img->n_tags; i++)
		add_text(&m->tags, img->tags[i], &l->arena);
	for (size_t i = 0; i < img->n_digests; i++)
		add_text(&m->digests, img->digests[i], &l->arena);
}

/* An entry is of the nodes that the filter names; what was made from what is known from all. */
static void add_copy(struct image_listing *l, struct merged *m, const struct copy *copy)
{
	if (engine_state(copy->engine) != ENGINE_HEALTHY)
		return;
	add_parent(l, copy->image->parent);
	if (filters_match_exact(&l->query->filters, "node", engine_name(copy->engine)))
		merge_copy(l, m, copy->image);
}

/* Every id with what its healthy nodes have; a node that is down says nothing. */
static void collect(struct image_listing *l)
{
	const struct prefix_tree *ids = &l->cluster->images.ids;
	void **slots = mem_realloc_array(NULL, ids->n + 1, sizeof(*slots));
	size_t n = prefix_find(ids, STR(""), slots, ids->n);

	l->v = mem_zalloc((n + 1) * sizeof(*l->v));
	for (size_t i = 0; i < n; i++) {
		const struct slot *slot = slots[i];
		struct merged *m = &l->v[l->n];

		for (size_t k = 0; k < slot->n; k++)
			add_copy(l, m, &slot->copies[k]);
		l->n += m->copy != NULL;
	}
	free(slots);
}

static struct str text_key(const void *text)
{
	return *(const struct str *)text;
}

static struct str merged_key(const void *merged)
{
	return ((const struct merged *)merged)->copy->id;
}

static bool is_before(const struct image_listing *l, int minor)
{
	return api_version_cmp(l->query->version, API_VERSION(1, minor)) < 0;
}

/* Before 1.51 a list does not say it; after, an engine would know of its own containers only. */
static void count_containers(struct image_listing *l)
{
	_cleanup_(map_fini) struct map by_id = MAP_INIT(merged_key);

	for (size_t i = 0; i < l->n; i++) {
		l->v[i].containers = is_before(l, 51) ? -1 : 0;
		map_put(&by_id, &l->v[i]);
	}
	for (size_t i = 0; i < l->cluster->nodes.n && !is_before(l, 51); i++) {
		const struct member *m = member_of_node(l->cluster->nodes.v[i]);
		const struct container *ct;

		if (engine_state(m->engine) != ENGINE_HEALTHY)
			continue;
		for (size_t at = 0; (ct = map_next(engine_containers(m->engine), &at));) {
			struct merged *image = map_get(&by_id, ct->image_id);

			if (image)
				image->containers++;
		}
	}
}

static bool fits_some(const struct filter *patterns, struct str name)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (image_ref_match(patterns->values[i], name))
			return true;
	return false;
}

/* Leaves those names that fit, in their order. */
static void keep_fitting(const struct filter *patterns, struct vec *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->n; i++)
		if (fits_some(patterns, *(struct str *)names->v[i]))
			names->v[kept++] = names->v[i];
	names->n = kept;
}

/* An engine shows of an image only the names that were asked for. */
static bool matches_reference(const struct image_listing *l, struct merged *m)
{
	const struct filter *f = filters_get(&l->query->filters, "reference");

	if (!f)
		return true;
	keep_fitting(f, &m->tags);
	keep_fitting(f, &m->digests);
	return m->tags.n > 0 || m->digests.n > 0;
}

/*
 * What is only a step on the way to others an engine shows with `all` alone, and never calls it
 * dangling; an image with a digest and no tag is listed either way.
 */
static bool matches_dangling(const struct image_listing *l, const struct merged *m)
{
	bool nameless = m->tags.n == 0 && m->digests.n == 0;
	bool is_step = nameless && map_get(&l->parents, m->copy->id);

	if (is_step && (!l->query->all || l->dangling))
		return false;
	if (!l->dangling_asked)
		return true;
	return l->dangling ? m->tags.n == 0 : !nameless;
}

static bool matches(const struct image_listing *l, struct merged *m)
{
	if (!matches_dangling(l, m))
		return false;
	if (m->copy->created > l->until / SECOND ||
	    (m->copy->created == l->until / SECOND && l->until % SECOND == 0))
		return false;
	if (l->before_asked && m->copy->created >= l->before)
		return false;
	if (l->since_asked && m->copy->created <= l->since)
		return false;
	return matches_reference(l, m) && label_filter_match(&l->query->filters, m->copy->entry);
}

static struct error *look_up(const struct image_listing *l, const char *key, int64_t *ret_created,
			     bool *ret_asked)
{
	const struct filter *f = filters_get(&l->query->filters, key);

	for (size_t i = 0; f && i < f->n; i++) {
		const struct slot *slot = image_index_find(&l->cluster->images, f->values[i]);

		if (!slot)
			return cluster_no_such_image(f->values[i]);
		*ret_created = slot->copies[0].image->created;
		*ret_asked = true;
	}
	return NULL;
}

static struct error *read_until(struct image_listing *l)
{
	const struct filter *f = filters_get(&l->query->filters, "until");
	int64_t until;

	l->until = INT64_MAX;
	for (size_t i = 0; f && i < f->n; i++) {
		TRY(time_arg_parse(f->values[i], clock_wall(), &until));
		l->until = MIN(l->until, until);
	}
	return NULL;
}

/* An engine takes a list without values, or with both, as "true". */
static struct error *read_dangling(struct image_listing *l)
{
	const struct filters *asked = &l->query->filters;
	const struct filter *f = filters_get(asked, "dangling");
	bool yes = filters_have(asked, "dangling", STR("1")) ||
		   filters_have(asked, "dangling", STR("true"));
	bool no = filters_have(asked, "dangling", STR("0")) ||
		  filters_have(asked, "dangling", STR("false"));

	l->dangling_asked = f != NULL;
	l->dangling = f && (yes || f->n == 0);
	if (f && f->n > 0 && !yes && !no)
		return error_new(ERR_INVALID, "Invalid filter 'dangling=[%.*s]'",
				 STR_ARG(f->values[0]));
	return NULL;
}

static struct error *check_reference(const struct image_listing *l)
{
	const struct filter *f = filters_get(&l->query->filters, "reference");

	for (size_t i = 0; f && i < f->n; i++)
		TRY(path_pattern_check(f->values[i]));
	return NULL;
}

static struct error *read_filters(struct image_listing *l)
{
	TRY(filters_check(&l->query->filters, known_filters));
	TRY(look_up(l, "before", &l->before, &l->before_asked));
	TRY(look_up(l, "since", &l->since, &l->since_asked));
	TRY(read_until(l));
	TRY(check_reference(l));
	return read_dangling(l);
}

static void put_texts(struct json_edit *edit, struct json root, const char *key,
		      const struct vec *texts, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf raw = STRBUF_INIT;
	struct json_out o = json_out(&raw);

	json_begin_array(&o);
	for (size_t i = 0; i < texts->n; i++)
		json_str_value(&o, *(struct str *)texts->v[i]);
	json_end_array(&o);
	json_edit_set(edit, root, key, arena_dup(arena, strbuf_str(&raw)));
}

static bool are_texts(const struct vec *texts, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n && i < texts->n; i++)
		if (!str_eq(*(struct str *)texts->v[i], v[i]))
			return false;
	return texts->n == n;
}

/* An old engine says null in a list, but [] of the one image that was read anew after an event. */
static struct str no_digests(const struct image_listing *l, bool nameless)
{
	if (nameless)
		return is_before(l, 43) ? STR("[\"<none>@<none>\"]") : STR("[]");
	return is_before(l, 44) ? STR("null") : STR("[]");
}

/*
 * The entry as one engine has it, with the names that all have, in the shape that the client knows.
 */
static struct error *write_merged(struct image_listing *l, const struct merged *m,
				  struct strbuf *out)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	bool nameless = m->tags.n == 0 && m->digests.n == 0;
	struct json_edit *edit;
	struct json root;

	TRY(json_parse(m->copy->entry, &arena, &root));
	edit = json_edit_new(root, &arena);
	if (!are_texts(&m->tags, m->copy->tags, m->copy->n_tags))
		put_texts(edit, root, "RepoTags", &m->tags, &arena);
	else if (nameless)
		json_edit_set(edit, root, "RepoTags",
			      is_before(l, 43) ? STR("[\"<none>:<none>\"]") : STR("[]"));
	if (!are_texts(&m->digests, m->copy->digests, m->copy->n_digests))
		put_texts(edit, root, "RepoDigests", &m->digests, &arena);
	else if (!m->digests.n)
		json_edit_set(edit, root, "RepoDigests", no_digests(l, nameless));
	if (is_before(l, 44) && !json_exists(json_get(root, "VirtualSize")))
		json_edit_set(edit, root, "VirtualSize", json_raw(json_get(root, "Size")));
	if (!is_before(l, 44))
		json_edit_delete(edit, root, "VirtualSize");
	if (is_before(l, 48))
		json_edit_delete(edit, root, "Descriptor");
	json_edit_set(edit, root, "Containers", arena_printf(&arena, "%" PRId64, m->containers));
	TRY(image_details_put(&l->details, m->copy->id, edit, root, &arena));
	json_edit_apply(edit, out);
	return NULL;
}

static int newest_first(const void *a, const void *b)
{
	const struct merged *x = a, *y = b;

	if (x->copy->created != y->copy->created)
		return x->copy->created > y->copy->created ? -1 : 1;
	return str_cmp(x->copy->id, y->copy->id);
}

static may_suspend struct error *emit_all(struct image_listing *l, emit_fn *emit, void *arg)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	bool comma = false;

	strbuf_addc(&out, '[');
	for (size_t i = 0; i < l->n; i++) {
		if (!matches(l, &l->v[i]))
			continue;
		if (comma)
			strbuf_addc(&out, ',');
		comma = true;
		TRY(write_merged(l, &l->v[i], &out));
		if (out.n < PIECE)
			continue;
		TRY(emit(arg, strbuf_str(&out)));
		strbuf_reset(&out);
	}
	strbuf_add(&out, STR("]\n"));
	return emit(arg, strbuf_str(&out));
}

may_suspend struct error *cluster_list_images(struct cluster *c, const struct image_query *q,
					      emit_fn *emit, void *arg)
{
	_cleanup_(image_listing_fini) struct image_listing l = { .cluster = c, .query = q };

	map_init(&l.parents, text_key);
	TRY(read_filters(&l));
	TRY(image_details_fetch(&l.details, c, q));
	collect(&l);
	count_containers(&l);
	qsort(l.v, l.n, sizeof(*l.v), newest_first);
	return emit_all(&l, emit, arg);
}
