/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host that we call, and its idle connections. What happens on a connection is in exchange.c.
 */
#include "http/client.h"

#include <assert.h>

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "http/client_core.h"
#include "http/pool.h"
#include "net/dial.h"
#include "net/tls.h"

struct http_client {
	unsigned refs;
	struct addr addr;
	char *name; /* as errors show it */
	struct tls_context *tls;
	struct pool_host idle;
	int64_t connect_time; /* 0: no limit of our own */
	const struct fence *fence;
	char peer[64];
};

struct http_client *http_client_new(const struct addr *a, struct tls_context *tls)
{
	struct http_client *c = mem_new(struct http_client);
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

	addr_format(a, &name);
	c->refs = 1;
	c->addr = *a;
	c->name = strbuf_take(&name);
	c->tls = tls ? tls_context_ref(tls) : NULL;
	return c;
}

struct http_client *http_client_ref(struct http_client *c)
{
	assert(c->refs > 0);
	c->refs++;
	return c;
}

void http_client_unref(struct http_client *c)
{
	if (!c || --c->refs > 0)
		return;
	pool_close(&c->idle);
	tls_context_unref(c->tls);
	free(c->name);
	free(c);
}

void http_client_close_idle(struct http_client *c)
{
	pool_close(&c->idle);
}

size_t http_clients_idle(void)
{
	return pool_idle();
}

const struct addr *http_client_addr(const struct http_client *c)
{
	return &c->addr;
}

const char *http_client_name(const struct http_client *c)
{
	return c->name;
}

struct stream *http_client_idle(struct http_client *c)
{
	return pool_get(&c->idle);
}

void http_client_set_connect_time(struct http_client *c, int64_t span)
{
	c->connect_time = span;
}

void http_client_set_fence(struct http_client *c, const struct fence *fence)
{
	c->fence = fence;
}

const struct fence *http_client_fence(const struct http_client *c)
{
	return c->fence;
}

struct str http_client_peer(const struct http_client *c)
{
	return str_from(c->peer);
}

static may_suspend struct error *dial_in_time(struct http_client *c, struct stream **ret)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(c->connect_time);
	struct error *err = dial(&c->addr, c->tls, ret);

	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return error_new(ERR_REFUSED, "no connection within %d seconds",
			 (int)(c->connect_time / SECOND));
}

/* "10.0.0.1:2375", "[fd00::1]:2375", or a name in memory. */
static void note_peer(struct http_client *c, struct str peer)
{
	struct str host = peer, port;

	str_rcut(peer, ':', &host, &port);
	host = str_strip_prefix(host, STR("["));
	if (str_ends(host, STR("]")))
		host.n--;
	host = str_first(host, sizeof(c->peer) - 1);
	memcpy(c->peer, host.p, host.n);
	c->peer[host.n] = '\0';
}

may_suspend struct error *http_client_dial(struct http_client *c, struct stream **ret)
{
	TRY(c->connect_time ? dial_in_time(c, ret) : dial(&c->addr, c->tls, ret));
	note_peer(c, str_from((*ret)->peer));
	return NULL;
}

void http_client_give_back(struct http_client *c, struct stream *s)
{
	pool_put(&c->idle, s);
}

struct error *http_client_error(const struct http_client *c, struct error *err)
{
	if (!err || error_is(err, ERR_CANCELLED) || error_is(err, ERR_NOT_PRIMARY) ||
	    strstr(error_message(err), c->name))
		return err;
	return error_wrap(err, "%s", c->name);
}

may_suspend struct error *http_fetch(struct http_client *c, const struct http_call *call,
				     size_t max, struct arena *arena, struct http_result *ret)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	const struct http_response *head;
	struct str body;

	assert(call->send == HTTP_SEND_NOTHING);
	TRY(http_exchange_begin_in(c, call, arena, &x));
	TRY(http_exchange_response(x, &head));
	TRY(http_exchange_read_all(x, max, arena, &body));
	*ret = (struct http_result){ *head, body };
	return NULL;
}
