/* SPDX-License-Identifier: Apache-2.0 */
#include "api/replica.h"

#include "api/handlers.h"
#include "api/internal.h"
#include "api/proxy.h"
#include "api/routes.h"
#include "base/duration.h"
#include "fiber/fence.h"
#include "fiber/group.h"
#include "http/reply.h"
#include "net/tls.h"

/* To the primary: a manager that is gone shows within this time. */
#define CONNECT_TIME (5 * SECOND)

#define KEY_HEADER    "X-Swarm-Manager"
#define CLIENT_HEADER "X-Swarm-Client"

/* A request with the primary, on a fiber of its own so that it can be given up. */
struct passing {
	struct list link;
	struct request *r;
	const struct proxy *proxy;
	struct group group;
	struct error *err;
	bool given_up;
};

static may_suspend void passing_fini(struct passing *s)
{
	list_remove(&s->link);
	group_finish(&s->group);
	error_free(s->err);
}

void replica_init(struct replica *r, const struct fence *fence, struct tls_context *tls)
{
	*r = (struct replica){ .fence = fence, .tls = tls ? tls_context_ref(tls) : NULL };
	r->passes_on = fence != NULL;
	list_init(&r->passing);
}

static void forget_primary(struct replica *r)
{
	http_client_unref(take(r->primary));
	strbuf_reset(&r->primary_name);
}

void replica_fini(struct replica *r)
{
	forget_primary(r);
	strbuf_fini(&r->primary_name);
	strbuf_fini(&r->key);
	tls_context_unref(r->tls);
}

static bool is_at(const struct http_client *c, const struct addr *a)
{
	const struct addr *at = http_client_addr(c);

	return a && at->port == a->port && strcmp(at->host, a->host) == 0;
}

/*
 * Another one leads: what the one before has not answered yet it may never, be it that it stands
 * still. What it has begun to answer goes on.
 */
static void give_up_unanswered(struct replica *r, const struct addr *primary)
{
	list_for_each(link, &r->passing) {
		struct passing *s = list_item(link, struct passing, link);

		if (http_reply_begun(s->r->in) || is_at(s->proxy->manager, primary))
			continue;
		s->given_up = true;
		group_cancel(&s->group);
	}
}

void api_set_managers_key(struct api *a, struct str key)
{
	strbuf_reset(&a->replica.key);
	strbuf_add(&a->replica.key, key);
}

void api_serve(struct api *a)
{
	a->replica.passes_on = false;
	give_up_unanswered(&a->replica, NULL);
	forget_primary(&a->replica);
}

void api_pass_on(struct api *a, const struct addr *primary)
{
	struct replica *r = &a->replica;

	r->passes_on = true;
	forget_primary(r);
	if (!primary)
		return;
	give_up_unanswered(r, primary);
	r->primary = http_client_new(primary, r->tls);
	http_client_set_connect_time(r->primary, CONNECT_TIME);
	addr_format(primary, &r->primary_name);
}

bool replica_is_primary(const struct replica *r)
{
	return !r->passes_on && fence_is_open(r->fence);
}

struct str replica_primary(const struct replica *r)
{
	return r->primary ? strbuf_str(&r->primary_name) : STR("none");
}

/* An operator asks it what it is; a balancer, whether it is there. */
static bool is_about_the_manager(struct str path)
{
	return str_eq(path, STR("/_ping")) || str_eq(path, STR("/info")) ||
	       str_eq(path, STR("/debug")) || str_starts(path, STR("/debug/"));
}

bool replica_is_own(const struct request *r)
{
	return !r->api->replica.passes_on || is_about_the_manager(r->path);
}

/* A GET that carries a container's stdin is no reading. */
bool replica_changes_nothing(const struct request *r)
{
	struct str method = r->in->head.method;

	if (r->route && r->route->handler == containers_attach_ws)
		return false;
	return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD"));
}

struct error *replica_enter(const struct request *r)
{
	struct error *err = fence_enter(r->api->replica.fence);

	if (!err || !replica_changes_nothing(r))
		return err;
	error_free(err);
	return NULL;
}

bool replica_is_header(struct str name)
{
	return str_eq_nocase(name, STR(KEY_HEADER)) || str_eq_nocase(name, STR(CLIENT_HEADER));
}

/* In the same time wherever they differ. */
static bool is_same_key(struct str a, struct str b)
{
	unsigned differ = a.n != b.n;

	for (size_t i = 0; i < MIN(a.n, b.n); i++)
		differ |= (unsigned char)a.p[i] ^ (unsigned char)b.p[i];
	return !differ;
}

static bool is_from_a_manager(const struct request *r)
{
	struct str key = strbuf_str(&r->api->replica.key);

	return !str_empty(key) && is_same_key(http_header(&r->in->head.headers, KEY_HEADER), key);
}

struct str replica_client(const struct request *r)
{
	if (!is_from_a_manager(r))
		return STR_NONE;
	return http_header(&r->in->head.headers, CLIENT_HEADER);
}

static struct http_headers headers_to_pass(const struct request *r)
{
	struct http_headers own = request_headers(r);
	struct http_headers all = { arena_new_array(r->arena, struct http_header, own.n + 2),
				    own.n };

	for (size_t i = 0; i < own.n; i++)
		all.v[i] = own.v[i];
	all.v[all.n++] =
		(struct http_header){ STR(KEY_HEADER),
				      arena_dup(r->arena, strbuf_str(&r->api->replica.key)) };
	all.v[all.n++] = (struct http_header){ STR(CLIENT_HEADER), request_client(r) };
	return all;
}

static struct error *check_may_pass(const struct request *r)
{
	const struct replica *replica = &r->api->replica;

	if (!replica->primary || !replica->key.n)
		return error_new(ERR_NOT_PRIMARY, "no primary manager is known at present");
	/* Each of two managers may take the other one for the primary, for a moment. */
	if (is_from_a_manager(r))
		return error_new(ERR_NOT_PRIMARY, "this manager is not the primary any more");
	return NULL;
}

static may_suspend void pass(void *arg)
{
	struct passing *s = arg;

	s->err = proxy_pass(s->r, s->proxy);
}

static may_suspend struct error *pass_unless_given_up(struct request *r, const struct proxy *p)
{
	_cleanup_(passing_fini) struct passing s = { .r = r, .proxy = p, .group = GROUP_INIT };

	list_append(&r->api->replica.passing, &s.link);
	group_go(&s.group, "passed on", pass, &s);
	TRY(group_wait(&s.group));
	if (s.given_up && error_is(s.err, ERR_CANCELLED))
		return error_new(ERR_NOT_PRIMARY,
				 "the primary manager was replaced before it answered");
	return take(s.err);
}

may_suspend struct error *replica_pass(struct request *r)
{
	_cleanup_(http_client_unrefp) struct http_client *primary = NULL;
	struct proxy p = { .path = r->in->head.target, .hijacks = true };
	struct http_headers headers;
	struct error *err;

	TRY(check_may_pass(r));
	primary = http_client_ref(r->api->replica.primary);
	headers = headers_to_pass(r);
	p.manager = primary;
	p.headers = &headers;
	err = pass_unless_given_up(r, &p);
	/* Nothing was sent: it has gone, and another one is about to take its place. */
	if (error_is(err, ERR_REFUSED))
		err = error_as(ERR_NOT_PRIMARY, error_wrap(err, "the primary manager"));
	return err;
}
