/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that a pull has told are kept until its end, for those who join later; the many that
 * only move a bar are thinned out.
 */
#include "cluster/shared_pull.h"

#include "base/limits.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "docker/ref.h"
#include "engine/client.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "http/url.h"

/* One that has told nothing for so long may hang, and who comes then begins one of its own. */
#define SILENCE	   (60 * SECOND)
#define LOOK_EVERY (5 * SECOND) /* whether the node of a pull that tells nothing is still well */

/* One line of progress. */
struct told {
	uint64_t number;
	struct str id, text; /* both behind the struct */
	bool is_bar;	     /* it says how far, which a later line of that id says better */
};

struct shared_pull {
	struct list link; /* in the cluster's running_pulls, while others may join */
	size_t readers;
	struct engine *engine;
	char *key, *query, *image, *auth;
	struct api_version version;
	bool all_tags;	    /* of a repository */
	struct group group; /* of the one fiber that pulls */
	struct vec lines;   /* of struct told */
	uint64_t last;	    /* number of the last line */
	int64_t told_at;    /* when it came, or the pull began; clock_now() */
	size_t thin_at;	    /* as many lines are thinned out */
	bool over;
	struct error *err; /* how it ended */
	struct waitq news;
};

static struct told *told_new(uint64_t number, struct str id, struct str text, bool is_bar)
{
	struct told *t = mem_alloc(sizeof(*t) + id.n + text.n);
	char *at = (char *)(t + 1);

	*t = (struct told){ number, str_of(at, id.n), str_of(at + id.n, text.n), is_bar };
	if (id.n)
		memcpy(at, id.p, id.n);
	if (text.n)
		memcpy(at + id.n, text.p, text.n);
	return t;
}

static struct str told_id(const void *item)
{
	return ((const struct told *)item)->id;
}

/* Leaves of each id's bars the last, and of too many lines the later half. */
static void thin_out(struct shared_pull *p)
{
	_cleanup_(map_fini) struct map later = MAP_INIT(told_id);
	size_t kept = 0, first = 0;

	for (size_t i = p->lines.n; i-- > 0;) {
		struct told *t = p->lines.v[i];

		if (t->is_bar && map_get(&later, t->id)) {
			free(t);
			p->lines.v[i] = NULL;
		} else if (!str_empty(t->id) && !map_get(&later, t->id)) {
			map_put(&later, t);
		}
	}
	for (size_t i = 0; i < p->lines.n; i++)
		if (p->lines.v[i])
			p->lines.v[kept++] = p->lines.v[i];
	if (kept > LIMIT_PULL_LINES / 2)
		first = kept - LIMIT_PULL_LINES / 2;
	for (size_t i = 0; i < kept; i++) {
		if (i < first)
			free(p->lines.v[i]);
		else
			p->lines.v[i - first] = p->lines.v[i];
	}
	p->lines.n = kept - first;
}

/* An on_line of engine_call_pull. A line that is no JSON is passed on all the same. */
static may_suspend struct error *take_line(void *arg, struct str line)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct shared_pull *p = arg;
	struct json root = { 0 };
	bool is_bar;

	error_free(json_parse(line, &arena, &root));
	is_bar = json_exists(json_path(root, "progressDetail.current"));
	p->told_at = clock_now();
	vec_push(&p->lines, told_new(++p->last, json_get_str(root, "id"), line, is_bar));
	if (p->lines.n >= LIMIT_PULL_LINES)
		thin_out(p);
	waitq_wake_all(&p->news);
	return NULL;
}

/* The first line behind `at`; NULL: there is none yet. They are in the order of their numbers. */
static const struct told *line_behind(const struct shared_pull *p, uint64_t at)
{
	size_t low = 0, high = p->lines.n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct told *t = p->lines.v[middle];

		if (t->number > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low < p->lines.n ? p->lines.v[low] : NULL;
}

static may_suspend struct error *pull(struct shared_pull *p)
{
	TRY(engine_call_pull(p->engine, p->version, str_from(p->query), str_from(p->auth),
			     take_line, p));
	return p->all_tags ? engine_refresh_images(p->engine)
			   : engine_refresh_image(p->engine, str_from(p->image));
}

static may_suspend void pull_main(void *arg)
{
	struct shared_pull *p = arg;

	p->err = pull(p);
	p->over = true;
	list_remove(&p->link);
	waitq_wake_all(&p->news);
}

/* "busybox:latest" however it is written; a repository of which all tags are wanted is no tag. */
static char *key_of(const struct engine *e, const struct pull_wanted *w, bool all_tags)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct strbuf key = STRBUF_INIT;
	struct str image = w->image;
	struct image_ref ref;
	struct error *err = image_ref_parse(image, &arena, &ref);

	if (!err)
		image = all_tags ? image_ref_familiar_name(&ref, &arena)
				 : image_ref_familiar(&ref, &arena);
	error_free(err);
	strbuf_addf(&key, "%p %.*s%s %.*s %.*s", (const void *)e, STR_ARG(image),
		    all_tags ? " all" : "", STR_ARG(w->platform), STR_ARG(w->registry_auth));
	return strbuf_take(&key);
}

static struct shared_pull *find(struct cluster *c, struct str key)
{
	list_for_each(link, &c->running_pulls) {
		struct shared_pull *p = list_item(link, struct shared_pull, link);

		if (str_eq(str_from(p->key), key) && clock_now() - p->told_at < SILENCE)
			return p;
	}
	return NULL;
}

struct shared_pull *shared_pull_join(struct cluster *c, struct engine *e,
				     const struct pull_wanted *wanted)
{
	bool all_tags = !image_ref_is_tagged(wanted->image);
	char *key = key_of(e, wanted, all_tags);
	struct shared_pull *p = find(c, str_from(key));

	if (p) {
		free(key);
		p->readers++;
		return p;
	}
	p = mem_new(struct shared_pull);
	p->readers = 1;
	p->engine = engine_ref(e);
	p->key = key;
	p->query = str_dup(wanted->query);
	p->image = str_dup(wanted->image);
	p->auth = str_dup(wanted->registry_auth);
	p->version = wanted->version;
	p->all_tags = all_tags;
	p->told_at = clock_now();
	list_append(&c->running_pulls, &p->link);
	group_go(&p->group, "pull", pull_main, p);
	return p;
}

may_suspend void shared_pull_leave(struct shared_pull *p)
{
	if (!p || --p->readers)
		return;
	list_remove(&p->link);
	group_finish(&p->group);
	waitq_fini(&p->news);
	for (size_t i = 0; i < p->lines.n; i++)
		free(p->lines.v[i]);
	vec_fini(&p->lines);
	engine_unref(p->engine);
	error_free(p->err);
	free(p->key);
	free(p->query);
	free(p->image);
	free(p->auth);
	free(p);
}

/*
 * A connection on which nothing comes may stay for ever while its node answers others: a pull may
 * take long. A node that is not well any more ends it.
 */
static may_suspend struct error *await_news(struct shared_pull *p)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(LOOK_EVERY);
	struct error *err = waitq_wait(&p->news, "a pull");

	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	if (engine_state(p->engine) == ENGINE_HEALTHY)
		return NULL;
	return error_new(ERR_NODE_DOWN, "node %.*s became unhealthy while it pulled %s",
			 STR_ARG(engine_name(p->engine)), p->image);
}

may_suspend struct error *shared_pull_next(struct shared_pull *p, uint64_t *at, struct strbuf *line,
					   bool *ret_over)
{
	const struct told *t;

	*ret_over = false;
	while (!(t = line_behind(p, *at)) && !p->over)
		TRY(await_news(p));
	*ret_over = !t;
	if (!t)
		return error_copy(p->err);
	*at = t->number;
	strbuf_reset(line);
	strbuf_add(line, t->text);
	return NULL;
}

static void write_query(const struct pull_wanted *w, struct strbuf *out)
{
	strbuf_add(out, STR("fromImage="));
	http_encode_query(out, w->image);
	/* Without a tag an engine would pull all of them. */
	if (!image_ref_is_tagged(w->image))
		strbuf_add(out, STR("&tag=latest"));
	if (str_empty(w->platform))
		return;
	strbuf_add(out, STR("&platform="));
	http_encode_query(out, w->platform);
}

may_suspend struct error *pull_once(struct cluster *c, struct engine *e,
				    const struct pull_wanted *wanted)
{
	_cleanup_(strbuf_fini) struct strbuf query = STRBUF_INIT, line = STRBUF_INIT;
	_cleanup_(strbuf_fini) struct strbuf tagged = STRBUF_INIT;
	_cleanup_(shared_pull_leavep) struct shared_pull *p = NULL;
	struct pull_wanted w = *wanted;
	uint64_t at = 0;
	bool over = false;

	if (api_version_cmp(w.version, API_VERSION(1, 32)) < 0)
		w.platform = STR_NONE;
	write_query(&w, &query);
	strbuf_addf(&tagged, "%.*s%s", STR_ARG(w.image),
		    image_ref_is_tagged(w.image) ? "" : ":latest");
	w.query = strbuf_str(&query);
	w.image = strbuf_str(&tagged);
	p = shared_pull_join(c, e, &w);
	while (!over)
		TRY(shared_pull_next(p, &at, &line, &over));
	return NULL;
}
