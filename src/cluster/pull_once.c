/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulls that creates need: those that want the same image on the same node with the same
 * credentials share one. Whoever comes first pulls; where its client goes away in the middle, the
 * next one that waits begins again.
 */
#include "base/mem.h"
#include "cluster/internal.h"
#include "engine/client.h"
#include "http/url.h"

struct running_pull {
	struct list link;
	unsigned int refs;
	struct engine *engine;
	char *image, *auth;
	bool over;
	struct error *err; /* how it ended */
	struct waitq ended;
};

static void pull_unref(struct running_pull *p)
{
	if (!p || --p->refs)
		return;
	list_remove(&p->link);
	waitq_fini(&p->ended);
	engine_unref(p->engine);
	error_free(p->err);
	free(p->image);
	free(p->auth);
	free(p);
}

DEFINE_CLEANUP(struct running_pull *, pull_unref)

static struct running_pull *find(struct cluster *c, const struct engine *e, struct str image,
				 struct str auth)
{
	list_for_each(link, &c->running_pulls) {
		struct running_pull *p = list_item(link, struct running_pull, link);

		if (p->engine == e && str_eq(str_from(p->image), image) &&
		    str_eq(str_from(p->auth), auth))
			return p;
	}
	return NULL;
}

static struct running_pull *begin(struct cluster *c, struct engine *e, struct str image,
				  struct str auth)
{
	struct running_pull *p = mem_new(struct running_pull);

	p->refs = 1;
	p->engine = engine_ref(e);
	p->image = str_dup(image);
	p->auth = str_dup(auth);
	list_append(&c->running_pulls, &p->link);
	return p;
}

static may_suspend struct error *pull(struct engine *e, struct api_version version,
				      struct str image, struct str auth)
{
	_cleanup_(strbuf_fini) struct strbuf query = STRBUF_INIT;
	struct str last = str_skip(image, (size_t)(str_rfind_char(image, '/') + 1));

	strbuf_add(&query, STR("fromImage="));
	http_encode_query(&query, image);
	/* Without a tag an engine would pull all of them. */
	if (!str_has_char(last, ':'))
		strbuf_add(&query, STR("&tag=latest"));
	TRY(engine_call_pull(e, version, strbuf_str(&query), auth, NULL, NULL));
	return engine_refresh_image(e, image);
}

static may_suspend struct error *lead(struct running_pull *p, struct api_version version)
{
	p->err = pull(p->engine, version, str_from(p->image), str_from(p->auth));
	p->over = true;
	list_remove(&p->link);
	waitq_wake_all(&p->ended);
	return error_copy(p->err);
}

/* It ended with the client that had asked for it, which tells nothing of the image. */
static bool was_given_up(const struct running_pull *p)
{
	return error_is(p->err, ERR_CANCELLED) || error_is(p->err, ERR_TIMEOUT);
}

may_suspend struct error *pull_once(struct cluster *c, struct engine *e, struct api_version version,
				    struct str image, struct str auth)
{
	for (;;) {
		_cleanup_(pull_unrefp) struct running_pull *p = find(c, e, image, auth);

		if (!p) {
			p = begin(c, e, image, auth);
			return lead(p, version);
		}
		p->refs++;
		while (!p->over)
			TRY(waitq_wait(&p->ended, "the same pull for another create"));
		if (!was_given_up(p))
			return error_copy(p->err);
	}
}
