/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /containers: those that are listed and created, and the many calls that go to the node of one
 * container, with its full id in the path.
 */
#include "api/handlers.h"
#include "api/inspect.h"
#include "api/internal.h"
#include "api/links.h"
#include "api/proxy.h"
#include "api/reply.h"
#include "api/routes.h"
#include "base/log.h"
#include "cluster/images.h"
#include "cluster/list.h"
#include "cluster/place.h"
#include "cluster/watchdog.h"
#include "http/reply.h"
#include "http/url.h"

/* A container and its node; the reference outlives both leaving the pool. */
struct target {
	struct cluster *cluster;
	struct engine *engine;
	struct container *container;
};

static void target_fini(struct target *t)
{
	container_unref(t->container);
	engine_unref(t->engine);
}

static struct error *target_find(struct request *r, struct str ref, struct target *ret)
{
	TRY(cluster_live_container(r->cluster, ref, &ret->container));
	ret->cluster = r->cluster;
	ret->engine = engine_ref(ret->container->engine);
	r->asked_id = arena_dup(r->arena, ret->container->id);
	r->asked_name = ref;
	return NULL;
}

/* "/containers/<id>/start?t=1" out of the route's own pattern. */
static struct str target_path(const struct request *r, const struct target *t)
{
	struct str tail = route_tail(r->route);

	return request_with_query(r, arena_printf(r->arena, "/containers/%.*s%.*s",
						  STR_ARG(t->container->id), STR_ARG(tail)));
}

/* What the client did, its next request sees; where that fails, the node's events will tell. */
static may_suspend void refresh(const struct target *t)
{
	engine_read_back_container(t->engine, t->container->id);
}

static may_suspend void refresh_at_head(void *arg, int status)
{
	/* A refusal says nothing new, but for one: what we know of is not there. */
	if (status < 400 || status == 404)
		refresh(arg);
}

/* To the container's node; what `p` is to do on the way gets the target. */
static may_suspend struct error *pass(struct request *r, struct proxy *p)
{
	_cleanup_(target_fini) struct target t = { NULL, NULL, NULL };

	TRY(target_find(r, r->name, &t));
	p->engine = t.engine;
	p->path = target_path(r, &t);
	p->arg = &t;
	return proxy_pass(r, p);
}

may_suspend struct error *containers_pass(struct request *r)
{
	return pass(r, &(struct proxy){ 0 });
}

/* From a time on, or up to one: the engine goes by its own clock. */
may_suspend struct error *containers_logs(struct request *r)
{
	_cleanup_(target_fini) struct target t = { NULL, NULL, NULL };
	struct proxy p = { 0 };
	struct str query;

	TRY(target_find(r, r->name, &t));
	query = request_query_ahead(r, engine_skew(t.engine));
	p.engine = t.engine;
	p.path = arena_printf(r->arena, "/containers/%.*s/logs%s%.*s", STR_ARG(t.container->id),
			      str_empty(query) ? "" : "?", STR_ARG(query));
	return proxy_pass(r, &p);
}

may_suspend struct error *containers_attach(struct request *r)
{
	return pass(r, &(struct proxy){ .hijacks = true });
}

/* A GET, but stdin goes with it. */
may_suspend struct error *containers_attach_ws(struct request *r)
{
	return pass(r, &(struct proxy){ .writes = true });
}

static may_suspend void refresh_at_any_head(void *arg, int status)
{
	const struct target *t = arg;

	refresh(t);
	if (status < 400)
		cluster_container_acted(t->cluster, t->container->id);
	cluster_await_remembered(t->cluster, t->container->id);
}

/*
 * Also what fails leaves its mark: a start that finds no such command leaves an exit code, or with
 * --rm no container at all. A client that waits for the exit hears of it before it hears of the
 * failure, as from an engine: Docker CLI 20.10 says otherwise that it waited in vain.
 */
may_suspend struct error *containers_act(struct request *r)
{
	return pass(r, &(struct proxy){ .on_head = refresh_at_any_head });
}

static may_suspend void refresh_at_exit(void *arg, _unused_ struct str piece)
{
	refresh(arg);
}

/* The head comes at once, the body when the container has exited. */
may_suspend struct error *containers_wait(struct request *r)
{
	return pass(r, &(struct proxy){ .on_piece = refresh_at_exit });
}

static may_suspend void forget_at_head(void *arg, int status)
{
	const struct target *t = arg;

	if (status < 300)
		engine_forget_container(t->engine, t->container->id);
	else
		refresh_at_head(arg, status);
	cluster_await_removed(t->cluster);
}

may_suspend struct error *containers_remove(struct request *r)
{
	struct error *err;

	if (request_flag(r, "link"))
		return links_remove(r);
	err = pass(r, &(struct proxy){ .on_head = forget_at_head });
	if (!error_is(err, ERR_NODE_DOWN) && !error_is(err, ERR_NOT_FOUND))
		return err;
	err = cluster_abandon(r->cluster, r->name, request_flag(r, "force"), err);
	cluster_await_removed(r->cluster);
	return err;
}

/* The route's one name is "<container>/checkpoints/<checkpoint>". */
may_suspend struct error *containers_drop_checkpoint(struct request *r)
{
	static const struct str middle = STR_INIT("/checkpoints/");
	_cleanup_(target_fini) struct target t = { NULL, NULL, NULL };
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	ptrdiff_t at = str_find(r->name, middle);
	struct proxy p = { 0 };

	TRY(target_find(r, str_first(r->name, (size_t)at), &t));
	strbuf_addf(&path, "/containers/%.*s", STR_ARG(t.container->id));
	http_encode_path(&path, str_skip(r->name, (size_t)at));
	p.engine = t.engine;
	p.path = request_with_query(r, strbuf_str(&path));
	return proxy_pass(r, &p);
}

may_suspend struct error *containers_rename(struct request *r)
{
	_cleanup_(container_unrefp) struct container *ct = NULL;

	TRY(cluster_live_container(r->cluster, r->name, &ct));
	TRY(cluster_rename(r->cluster, ct, request_param(r, "name"), r->version));
	cluster_await_remembered(r->cluster, ct->id);
	return reply_empty(r, 204);
}

static may_suspend void remember_at_head(void *arg, int status)
{
	const struct target *t = arg;

	refresh_at_head(arg, status);
	cluster_await_remembered(t->cluster, t->container->id);
}

may_suspend struct error *containers_update(struct request *r)
{
	_cleanup_(target_fini) struct target t = { NULL, NULL, NULL };
	struct proxy p = { .on_head = remember_at_head, .arg = &t };
	struct str body;

	TRY(request_check_json(r));
	TRY(request_body(r, &body));
	TRY(target_find(r, r->name, &t));
	TRY(cluster_update_body(r->cluster, t.container, body, r->arena, &body));
	p.engine = t.engine;
	p.path = target_path(r, &t);
	p.body = &body;
	return proxy_pass(r, &p);
}

may_suspend struct error *containers_inspect(struct request *r)
{
	_cleanup_(target_fini) struct target t = { NULL, NULL, NULL };
	struct proxy_answer answer;

	TRY(target_find(r, r->name, &t));
	TRY(proxy_fetch(r, t.engine, target_path(r, &t), &answer));
	if (answer.status == 200)
		TRY(inspect_add_node(answer.body, t.engine, r->arena, &answer.body));
	else if (answer.status == 404)
		refresh(&t);
	return proxy_reply(r, &answer);
}

/* What follows about this exec goes to the same node. */
may_suspend struct error *containers_exec(struct request *r)
{
	_cleanup_(target_fini) struct target t = { NULL, NULL, NULL };
	struct proxy_answer answer;
	struct json created;

	TRY(target_find(r, r->name, &t));
	TRY(proxy_fetch(r, t.engine, target_path(r, &t), &answer));
	if (answer.status == 201) {
		TRY(json_parse(answer.body, r->arena, &created));
		exec_table_put(&r->api->execs, json_get_str(created, "Id"), t.engine);
	}
	return proxy_reply(r, &answer);
}

/* The new image is known before the client hears of it. */
static may_suspend void enter_committed(struct request *r, struct engine *e, struct str body)
{
	struct str name = request_param(r, "repo"), tag = request_param(r, "tag");
	struct json created;
	struct error *err = json_parse(body, r->arena, &created);

	if (err) {
		log_debug("a new image could not be read", LOG_STR("node", engine_name(e)),
			  LOG_ERR(err));
		error_free(err);
		return;
	}
	if (!str_empty(name) && !str_empty(tag))
		name = arena_printf(r->arena, "%.*s:%.*s", STR_ARG(name), STR_ARG(tag));
	cluster_image_made(r->cluster, request_client(r), name, json_get_str(created, "Id"), e);
}

may_suspend struct error *containers_commit(struct request *r)
{
	_cleanup_(target_fini) struct target t = { NULL, NULL, NULL };
	struct str rest = request_query_without(r, "container");
	struct proxy_answer answer;
	struct str path;

	TRY(request_check_json(r));
	if (str_empty(request_param(r, "container")))
		return error_new(ERR_INVALID, "invalid name or ID supplied: \"\"");
	TRY(target_find(r, request_param(r, "container"), &t));
	path = arena_printf(r->arena, "/commit?container=%.*s%s%.*s", STR_ARG(t.container->id),
			    str_empty(rest) ? "" : "&", STR_ARG(rest));
	TRY(proxy_fetch(r, t.engine, path, &answer));
	if (answer.status == 201)
		enter_committed(r, t.engine, answer.body);
	return proxy_reply(r, &answer);
}

/* API 1.24 has `since` and `before` beside the filters; later ones took them in. */
static void add_old_filter(const struct request *r, const char *name, struct filters *f)
{
	struct str value = request_param(r, name);

	if (!str_empty(value) && !filters_get(f, name))
		filters_add(f, name, value, r->arena);
}

static struct error *read_limit(const struct request *r, int64_t *ret)
{
	struct str text = request_param(r, "limit");

	*ret = 0;
	if (str_empty(text))
		return NULL;
	if (!str_to_i64(text, ret))
		return error_new(ERR_INVALID, "invalid limit \"%.*s\": it must be a number",
				 STR_ARG(str_first(text, 100)));
	*ret = MAX(*ret, 0);
	return NULL;
}

may_suspend struct error *containers_list(struct request *r)
{
	struct reply_stream out = { r };
	struct container_query q = { .all = request_flag(r, "all"),
				     .size = request_flag(r, "size") };

	TRY(read_limit(r, &q.limit));
	TRY(request_filters(r, &q.filters));
	add_old_filter(r, "since", &q.filters);
	add_old_filter(r, "before", &q.filters);
	TRY(cluster_list_containers(r->cluster, &q, reply_stream_emit, &out));
	return reply_stream_end(&out);
}

may_suspend struct error *containers_create(struct request *r)
{
	struct http_headers headers = request_headers(r);
	struct create_request create = {
		.version = r->version,
		.client = request_client(r),
		.name = request_param(r, "name"),
		.query = request_query_without(r, "name"),
		.platform = request_param(r, "platform"),
		.registry_auth = http_header(&r->in->head.headers, "X-Registry-Auth"),
		.headers = headers.v,
		.n_headers = headers.n,
	};
	struct str reply;

	TRY(request_check_json(r));
	TRY(request_body(r, &create.body));
	TRY(cluster_create(r->cluster, &create, r->arena, &reply));
	return reply_json(r, 201, reply);
}
