/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /images: lists from memory, what is about one image to a node that has it, what makes images to
 * the nodes that should have them.
 */
#include "cluster/images.h"

#include "api/handlers.h"
#include "api/internal.h"
#include "api/proxy.h"
#include "api/reply.h"
#include "api/routes.h"
#include "cluster/build.h"
#include "cluster/place.h"
#include "http/url.h"

/*
 * Before API 1.41 a reference could be asked for by `filter`, beside those of the filters; from
 * then on an engine ignores it.
 */
static void add_reference(const struct request *r, struct filters *f)
{
	struct str value = request_param(r, "filter");

	if (api_version_cmp(r->version, API_VERSION(1, 41)) < 0 && !str_empty(value))
		filters_add(f, "reference", value, r->arena);
}

/* A client of an earlier version does not mean it. */
static bool asks_since(const struct request *r, int minor, const char *flag)
{
	return api_version_cmp(r->version, API_VERSION(1, minor)) >= 0 && request_flag(r, flag);
}

may_suspend struct error *images_list(struct request *r)
{
	struct reply_stream out = { r };
	struct image_query q = { .version = r->version,
				 .all = request_flag(r, "all"),
				 .digests = request_flag(r, "digests"),
				 .shared_size = asks_since(r, 42, "shared-size"),
				 .manifests = asks_since(r, 47, "manifests") };

	TRY(request_filters(r, &q.filters));
	add_reference(r, &q.filters);
	TRY(cluster_list_images(r->cluster, &q, reply_stream_emit, &out));
	return reply_stream_end(&out);
}

static may_suspend struct error *pass_to(struct request *r, struct engine *e)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct proxy p = { .engine = e };

	strbuf_add(&path, STR("/images/"));
	http_encode_path(&path, r->name);
	strbuf_add(&path, route_tail(r->route));
	p.path = request_with_query(r, strbuf_str(&path));
	return proxy_pass(r, &p);
}

may_suspend struct error *images_pass(struct request *r)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;

	TRY(cluster_image_node(r->cluster, r->name, &e));
	return pass_to(r, e);
}

/* Engines say here what every other look-up says, and that it is so: kept. */
may_suspend struct error *images_inspect(struct request *r)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;

	TRY(error_wrap(cluster_image_node(r->cluster, r->name, &e), "no such image: %.*s",
		       STR_ARG(r->name)));
	return pass_to(r, e);
}

/*
 * What is wrong with an image that the pool does not have any engine tells as well as another, and
 * it is told as one engine tells it: of a push in the stream.
 */
static may_suspend struct error *pass_or_refuse(struct request *r, struct error *failure,
						struct engine *has_it)
{
	_cleanup_(error_freep) struct error *err = failure;
	_cleanup_(engine_unrefp) struct engine *any = NULL;

	if (!err)
		return pass_to(r, has_it);
	if (!error_is(err, ERR_NOT_FOUND))
		return take(err);
	TRY(cluster_any_engine(r->cluster, &any));
	return pass_to(r, any);
}

/*
 * What is pushed is named in two parts: /images/<repository>/push?tag=<tag>. Without a tag all of
 * them are.
 */
may_suspend struct error *images_push(struct request *r)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	struct str tag = request_param(r, "tag"), image;
	struct error *err;

	if (str_empty(tag)) {
		err = cluster_repository_node(r->cluster, r->name, &e);
	} else {
		image = arena_printf(r->arena, "%.*s:%.*s", STR_ARG(r->name), STR_ARG(tag));
		err = cluster_image_node(r->cluster, image, &e);
	}
	return pass_or_refuse(r, err, e);
}

static bool has_engine(const struct engines *engines, const struct engine *e)
{
	for (size_t i = 0; i < engines->n; i++)
		if (engines->v[i] == e)
			return true;
	return false;
}

/* Leaves in `all` what is in `have` too. */
static void keep_common(struct engines *all, const struct engines *have)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (has_engine(have, all->v[i]))
			all->v[n++] = all->v[i];
		else
			engine_unref(all->v[i]);
	}
	all->n = n;
}

/* What an error tells: of more images, and of more nodes of each, how many. */
#define IMAGES_TOLD 10
#define NODES_TOLD  3

/* "one:1 is on node-1, node-2 and 5 more" */
static void tell_where(const struct request *r, struct str image, struct strbuf *out)
{
	_cleanup_(engines_fini) struct engines have = { NULL, 0 };

	cluster_image_nodes(r->cluster, image, &have);
	strbuf_addf(out, "%.*s is on%s", STR_ARG(image), have.n ? "" : " no healthy node");
	for (size_t i = 0; i < MIN(have.n, (size_t)NODES_TOLD); i++)
		strbuf_addf(out, "%s %.*s", i ? "," : "", STR_ARG(engine_name(have.v[i])));
	if (have.n > NODES_TOLD)
		strbuf_addf(out, " and %zu more", have.n - NODES_TOLD);
}

/* They would have to come out of several engines as one archive. */
static struct error *images_apart(const struct request *r, const struct vec *images)
{
	_cleanup_(strbuf_fini) struct strbuf where = STRBUF_INIT;

	for (size_t i = 0; i < MIN(images->n, (size_t)IMAGES_TOLD); i++) {
		const struct str *image = images->v[i];

		strbuf_addf(&where, "%s", i ? "; " : "");
		tell_where(r, *image, &where);
	}
	if (images->n > IMAGES_TOLD)
		strbuf_addf(&where, "; and %zu images more", images->n - IMAGES_TOLD);
	return error_new(ERR_NOT_IMPLEMENTED,
			 "no node has all of these images, so save them one at a time (%s)",
			 where.p);
}

/*
 * Some engine that has every one of the images, of several the one that got the first of them last;
 * where there is none, why.
 */
static struct error *node_with_all(const struct request *r, const struct vec *images,
				   struct engine **ret)
{
	_cleanup_(engines_fini) struct engines common = { NULL, 0 };

	for (size_t i = 0; i < images->n; i++) {
		_cleanup_(engines_fini) struct engines have = { NULL, 0 };
		const struct str *image = images->v[i];

		cluster_image_nodes(r->cluster, *image, &have);
		if (i) {
			keep_common(&common, &have);
		} else {
			common = have;
			have = (struct engines){ NULL, 0 };
		}
		if (!common.n)
			return images_apart(r, images);
	}
	*ret = engine_ref(common.v[common.n - 1]);
	return NULL;
}

/* A name that nobody has is told as that, and not as one that is elsewhere than the others. */
static struct error *add_saved(struct request *r, struct str name, struct vec *images)
{
	_cleanup_(engines_fini) struct engines have = { NULL, 0 };
	size_t n = images->n;

	cluster_saved_images(r->cluster, name, r->arena, images);
	if (images->n > n + 1)
		return NULL;
	cluster_image_nodes(r->cluster, *(const struct str *)images->v[n], &have);
	return have.n ? NULL : cluster_no_such_image(name);
}

may_suspend struct error *images_get(struct request *r)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	_cleanup_(vec_fini) struct vec images = VEC_INIT;
	const struct http_url *url = &r->in->url;
	struct proxy p = { .path = request_with_query(r, r->path) };

	for (size_t i = 0; i < url->n_params; i++)
		if (str_eq(url->params[i].name, STR("names")))
			TRY(add_saved(r, url->params[i].value, &images));
	if (!images.n)
		return error_new(ERR_INVALID, "the query names no images");
	TRY(node_with_all(r, &images, &e));
	p.engine = e;
	return proxy_pass(r, &p);
}

may_suspend struct error *images_get_one(struct request *r)
{
	_cleanup_(engine_unrefp) struct engine *e = NULL;
	_cleanup_(vec_fini) struct vec images = VEC_INIT;

	TRY(add_saved(r, r->name, &images));
	TRY(node_with_all(r, &images, &e));
	return pass_to(r, e);
}

static may_suspend struct error *pull(struct request *r, struct str image)
{
	struct str tag = request_param(r, "tag");
	bool digest = str_has_char(tag, ':');
	struct reply_stream out = { r };
	_cleanup_(engine_unrefp) struct engine *only = NULL;
	struct pull_request req = {
		.version = r->version,
		.query = r->in->url.raw_query,
		.image = image,
		.platform = request_param(r, "platform"),
		.registry_auth = http_header(&r->in->head.headers, "X-Registry-Auth"),
	};

	if (!str_empty(tag))
		req.image = arena_printf(r->arena, "%.*s%c%.*s", STR_ARG(image), digest ? '@' : ':',
					 STR_ARG(tag));
	only = cluster_pull_target(r->cluster, request_client(r), req.image);
	req.only = only;
	return reply_progress_end(&out, cluster_pull(r->cluster, &req, reply_stream_emit, &out));
}

/* An import's last line of progress names the image. */
struct import {
	struct build_request req;
	struct build *build;
	struct strbuf tail;
};

#define IMAGE_ID_BYTES (sizeof("sha256:") - 1 + 64)
#define TAIL_KEPT      ((size_t)512)

static void import_fini(struct import *i)
{
	cluster_build_end(i->build);
	strbuf_fini(&i->tail);
}

static may_suspend void keep_tail(void *arg, struct str piece)
{
	struct import *i = arg;

	strbuf_add(&i->tail, piece);
	if (i->tail.n > TAIL_KEPT)
		strbuf_consume(&i->tail, i->tail.n - TAIL_KEPT);
}

static may_suspend void enter_imported(void *arg)
{
	struct import *i = arg;
	struct str tail = strbuf_str(&i->tail);
	ptrdiff_t at = str_find(tail, STR("sha256:"));

	/* Where there is none it failed, and the client reads why. */
	if (at >= 0)
		cluster_build_made(i->build, str_first(str_skip(tail, (size_t)at), IMAGE_ID_BYTES));
}

/* What it will be called; nothing where the client names nothing. */
static struct str imported_name(const struct request *r)
{
	struct str repo = request_param(r, "repo"), tag = request_param(r, "tag");

	if (str_empty(repo) || str_empty(tag))
		return repo;
	return arena_printf(r->arena, "%.*s:%.*s", STR_ARG(repo), STR_ARG(tag));
}

static may_suspend struct error *import(struct request *r)
{
	_cleanup_(import_fini) struct import i = { .tail = STRBUF_INIT };
	struct proxy p = { .path = request_with_query(r, r->path),
			   .on_piece = keep_tail,
			   .on_end = enter_imported,
			   .arg = &i };
	struct str name = imported_name(r);

	i.req = (struct build_request){ .client = request_client(r),
					.platform = request_param(r, "platform"),
					.tags = &name,
					.n_tags = !str_empty(name) };
	TRY(cluster_build_begin(r->cluster, &i.req, &i.build));
	p.engine = cluster_build_engine(i.build);
	return proxy_pass(r, &p);
}

static may_suspend struct error *read_body(void *arg, void *buf, size_t cap, size_t *ret_n)
{
	return http_incoming_read(arg, buf, cap, ret_n);
}

/* The body to every node at once. */
static may_suspend struct error *load(struct request *r, const char *path)
{
	const struct http_request *head = &r->in->head;
	struct reply_stream out = { r };
	struct load_request req = {
		.version = r->version,
		.path = request_with_query(r, str_from(path)),
		.content_type = http_header(&head->headers, "Content-Type"),
		.length = head->framing == HTTP_BODY_CHUNKED ? -1 : (int64_t)head->length,
		.read = read_body,
		.read_arg = r->in,
	};

	return reply_progress_end(&out, cluster_load(r->cluster, &req, reply_stream_emit, &out));
}

may_suspend struct error *images_create(struct request *r)
{
	struct str image = request_param(r, "fromImage");

	if (!str_empty(image))
		return pull(r, image);
	if (!http_has_param(&r->in->url, "fromSrc"))
		return error_new(ERR_INVALID, "the query has neither fromImage nor fromSrc");
	return cluster_config(r->cluster)->compat ? load(r, "/images/create") : import(r);
}

may_suspend struct error *images_load(struct request *r)
{
	return load(r, "/images/load");
}

may_suspend struct error *images_tag(struct request *r)
{
	TRY(cluster_tag(r->cluster, r->name, r->in->url.raw_query, r->version));
	return reply_empty(r, 201);
}

may_suspend struct error *images_remove(struct request *r)
{
	struct str deleted;

	TRY(cluster_remove_image(r->cluster, r->name, r->in->url.raw_query, r->version, r->arena,
				 &deleted));
	return reply_json(r, 200, deleted);
}
