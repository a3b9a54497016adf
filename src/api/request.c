/* SPDX-License-Identifier: Apache-2.0 */
#include "api/request.h"

#include "api/replica.h"
#include "base/duration.h"
#include "base/limits.h"
#include "docker/time_arg.h"
#include "http/url.h"
#include "net/stream.h"

static bool is_version_char(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

bool request_take_version(struct str *path, struct str *ret_version)
{
	struct str rest = *path;
	size_t n = 0;

	if (!str_starts(rest, STR("/v")))
		return false;
	rest = str_skip(rest, 2);
	while (n < rest.n && is_version_char(rest.p[n]))
		n++;
	if (n == 0 || n == rest.n || rest.p[n] != '/')
		return false;
	*ret_version = str_first(rest, n);
	*path = str_skip(rest, n);
	return true;
}

struct str request_param(const struct request *r, const char *name)
{
	return http_param(&r->in->url, name);
}

bool request_flag(const struct request *r, const char *name)
{
	return http_param_bool(&r->in->url, name, false);
}

struct error *request_filters(const struct request *r, struct filters *ret)
{
	return filters_parse(request_param(r, "filters"), r->arena, ret);
}

static void add_param(struct strbuf *query, struct str name, struct str value)
{
	if (query->n)
		strbuf_addc(query, '&');
	http_encode_query(query, name);
	strbuf_addc(query, '=');
	http_encode_query(query, value);
}

struct str request_query_without(const struct request *r, const char *name)
{
	const struct http_url *url = &r->in->url;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < url->n_params; i++)
		if (!str_eq(url->params[i].name, str_from(name)))
			add_param(&out, url->params[i].name, url->params[i].value);
	return arena_dup(r->arena, strbuf_str(&out));
}

/* What is no time in seconds is the engine's to refuse, and 0 is none to it. */
static struct str shift_time(const struct request *r, const struct http_param *p, int64_t ahead)
{
	bool is_time = str_eq(p->name, STR("since")) || str_eq(p->name, STR("until"));

	if (!is_time || strspn(arena_cstr(r->arena, p->value), "0123456789.") != p->value.n)
		return p->value;
	return time_arg_ahead(p->value, ahead, r->arena);
}

struct str request_query_ahead(const struct request *r, int64_t ahead)
{
	const struct http_url *url = &r->in->url;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	if (!ahead)
		return url->raw_query;
	for (size_t i = 0; i < url->n_params; i++)
		add_param(&out, url->params[i].name, shift_time(r, &url->params[i], ahead));
	return arena_dup(r->arena, strbuf_str(&out));
}

struct str request_with_query(const struct request *r, struct str path)
{
	struct str query = r->in->url.raw_query;

	if (str_empty(query))
		return path;
	return arena_printf(r->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query));
}

/* Written anew for each hop by whoever sends the message. */
static bool is_of_the_codec(struct str name)
{
	return str_eq_nocase(name, STR("Host")) || str_eq_nocase(name, STR("Content-Length")) ||
	       str_eq_nocase(name, STR("Expect"));
}

struct http_headers request_headers(const struct request *r)
{
	const struct http_headers *all = &r->in->head.headers;
	struct http_headers kept = { arena_new_array(r->arena, struct http_header, all->n), 0 };

	for (size_t i = 0; i < all->n; i++)
		if (!http_header_is_hop(all, all->v[i].name) && !is_of_the_codec(all->v[i].name) &&
		    !replica_is_header(all->v[i].name))
			kept.v[kept.n++] = all->v[i];
	return kept;
}

struct str client_identity(struct str certificate, struct str peer)
{
	struct str host, port;

	if (!str_empty(certificate))
		return certificate;
	if (str_starts(peer, STR("unix:")) || !str_rcut(peer, ':', &host, &port))
		return peer;
	return host;
}

struct str request_client(const struct request *r)
{
	const struct stream *s = r->in->client;
	struct str told = replica_client(r);

	if (!str_empty(told))
		return told;
	return client_identity(str_from(s->certificate), str_from(s->peer));
}

struct error *request_check_json(const struct request *r)
{
	const struct http_request *head = &r->in->head;
	struct str type = http_header(&head->headers, "Content-Type"), media, parameters;

	if (str_empty(type) && (head->framing == HTTP_BODY_NONE ||
				(head->framing == HTTP_BODY_LENGTH && head->length == 0)))
		return NULL;
	str_cut(type, ';', &media, &parameters);
	if (str_eq_nocase(str_trim(media), STR("application/json")))
		return NULL;
	return error_new(ERR_INVALID, "Content-Type specified (%.*s) must be 'application/json'",
			 STR_ARG(str_first(type, 200)));
}

may_suspend struct error *request_body(struct request *r, struct str *ret)
{
	return http_incoming_read_all(r->in, LIMIT_JSON_BODY, ret);
}
