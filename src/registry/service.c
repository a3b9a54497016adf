/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token service's requests: parsed, done, answered.
 */
#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "http/reply.h"
#include "http/server.h"
#include "json/build.h"
#include "net/stream.h"
#include "registry/registry.h"
#include "registry/request.h"

/* Whose share of the service it takes: the certificate's, else the address's. */
static struct str client_of(const struct http_incoming *in)
{
	struct strbuf name = STRBUF_INIT;

	if (in->client->certificate[0])
		return str_from(in->client->certificate);
	addr_subscriber(str_from(in->client->peer), &name);
	arena_adopt(in->arena, name.p, name.cap);
	return strbuf_str(&name);
}

static may_suspend struct error *serve_create(struct registry *r, struct http_incoming *in)
{
	_cleanup_(strbuf_fini) struct strbuf id = STRBUF_INIT;

	TRY(registry_create(r, client_of(in), &id));
	return http_reply(in, 200, "text/plain; charset=utf-8", NULL, 0, strbuf_str(&id));
}

static may_suspend struct error *serve_list(struct registry *r, struct http_incoming *in,
					    struct str id)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	_cleanup_(vec_fini) struct vec nodes = VEC_INIT;
	struct json_out o = json_out(&text);
	uint64_t version;

	TRY(registry_list(r, id, in->arena, &nodes, &version));
	json_begin_array(&o);
	for (size_t i = 0; i < nodes.n; i++)
		json_str_value(&o, *(struct str *)nodes.v[i]);
	json_end_array(&o);
	strbuf_addc(&text, '\n');
	return http_reply(in, 200, "application/json", NULL, 0, strbuf_str(&text));
}

static may_suspend struct error *serve_enter(struct registry *r, struct http_incoming *in,
					     const struct registry_request *req)
{
	struct str body;
	struct addr node;

	TRY(http_incoming_read_all(in, LIMIT_TOKEN_BODY, &body));
	TRY(registry_node_parse(body, &node));
	TRY(registry_enter(r, req->id, &node, req->ttl, client_of(in)));
	return http_reply(in, 200, NULL, NULL, 0, STR_NONE);
}

may_suspend struct error *registry_serve(struct registry *r, struct http_incoming *in)
{
	struct registry_request req;

	TRY(registry_request_parse(in->head.method, &in->url, &req));
	switch (req.verb) {
	case REGISTRY_CREATE:
		return serve_create(r, in);
	case REGISTRY_LIST:
		return serve_list(r, in, req.id);
	case REGISTRY_ENTER:
		return serve_enter(r, in, &req);
	case REGISTRY_END:
		break;
	}
	TRY(registry_end(r, req.id));
	return http_reply(in, 204, NULL, NULL, 0, STR_NONE);
}
