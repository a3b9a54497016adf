/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery/token_service.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/vec.h"
#include "fiber/deadline.h"
#include "http/client.h"
#include "json/json.h"
#include "net/tls.h"

#define CONNECT_TIME (5 * SECOND)
#define CALL_TIME    (10 * SECOND)
#define HTTPS_PORT   443
#define HTTP_PORT    80
#define CLUSTERS     "/v1/clusters"
#define ID_DIGITS    32
#define SHOWN	     64 /* bytes of a strange answer that stand in a message */

struct token_service {
	struct http_client *http;
	char *name; /* "host:port", for messages */
};

static struct error *invalid_address(struct str text, struct error *why)
{
	struct error *err = error_new(
		ERR_INVALID, "invalid token service \"%.*s\": it is host[:port] or a URL, and %s",
		STR_ARG(text), error_message(why));

	error_free(why);
	return err;
}

static bool has_port(struct str host)
{
	ptrdiff_t colon = str_rfind_char(host, ':');

	return colon >= 0 && str_rfind_char(host, ']') < colon;
}

struct error *token_address_parse(struct str text, bool have_tls, struct token_address *ret)
{
	_cleanup_(strbuf_fini) struct strbuf host_port = STRBUF_INIT;
	bool http = str_starts(text, STR("http://")), https = str_starts(text, STR("https://"));
	struct str rest = str_strip_prefix(text, https ? STR("https://") : STR("http://"));
	struct token_address a = { 0 };
	struct error *err;

	/* The path of the service is always the same; a slash at the end is common. */
	if (str_ends(rest, STR("/")))
		rest.n--;
	strbuf_add(&host_port, rest);
	if (!has_port(rest))
		strbuf_addf(&host_port, ":%d", http ? HTTP_PORT : HTTPS_PORT);
	err = addr_parse_host_port(strbuf_str(&host_port), &a.addr);
	if (err)
		return invalid_address(text, err);
	a.tls = https || (!http && (a.addr.port == HTTPS_PORT || have_tls));
	*ret = a;
	return NULL;
}

static struct error *open_client(const struct token_address *a, const struct tls_files *files,
				 struct http_client **ret)
{
	static const struct tls_files anyone = { .verify = true, .system_ca = true };
	struct tls_context *tls = NULL;

	if (a->tls)
		TRY(tls_context_new_client(files ? files : &anyone, &tls));
	*ret = http_client_new(&a->addr, tls);
	tls_context_unref(tls);
	http_client_set_connect_time(*ret, CONNECT_TIME);
	return NULL;
}

struct error *token_service_open(struct str address, const struct tls_files *tls,
				 struct token_service **ret)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	struct token_address a;
	struct token_service *s;
	struct http_client *http;

	TRY(token_address_parse(address, tls != NULL, &a));
	TRY(open_client(&a, tls, &http));
	addr_format(&a.addr, &name);
	s = mem_new(struct token_service);
	s->http = http;
	s->name = strbuf_take(&name);
	*ret = s;
	return NULL;
}

void token_service_close(struct token_service *s)
{
	if (!s)
		return;
	http_client_unref(s->http);
	free(s->name);
	free(s);
}

bool token_id_valid(struct str id)
{
	if (id.n != ID_DIGITS)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		if (!str_has_char(STR("0123456789abcdef"), id.p[i]))
			return false;
	}
	return true;
}

/* What an answer of 400 or more says: our services give a message, others may give anything. */
static struct error *refusal(const struct http_result *answer, struct arena *arena)
{
	struct json v = { 0 };
	struct error *err = json_parse(answer->body, arena, &v);
	struct str message = err ? STR_NONE : json_get_str(v, "message");

	error_free(err);
	if (str_empty(message))
		message = arena_printf(arena, "it answered %d", answer->head.status);
	return error_from_status(answer->head.status, message);
}

static may_suspend struct error *fetch(struct token_service *s, const struct http_call *call,
				       struct arena *arena, struct str *ret_body)
{
	_cleanup_(deadline_end) struct deadline patience = deadline_begin(CALL_TIME);
	struct http_result answer = { 0 };
	struct error *err = http_fetch(s->http, call, LIMIT_DISCOVERY_FILE, arena, &answer);

	/* Calls are rare and joins many: a service would hold a connection for each of them. */
	http_client_close_idle(s->http);

	if (error_is(err, ERR_TIMEOUT) && deadline_passed(&patience)) {
		error_free(err);
		return error_new(ERR_UNAVAILABLE, "%s did not answer in %d s", s->name,
				 (int)(CALL_TIME / SECOND));
	}
	TRY(err);
	if (answer.head.status < 200 || answer.head.status > 299)
		return error_wrap(refusal(&answer, arena), "%s", s->name);
	*ret_body = answer.body;
	return NULL;
}

static may_suspend struct error *call(struct token_service *s, const struct http_call *call,
				      struct arena *arena, struct str *ret_body)
{
	return error_wrap(fetch(s, call, arena, ret_body), "the token service");
}

static struct error *strange(const struct token_service *s, struct str body)
{
	return error_new(ERR_PROTOCOL, "%s is no token service: it answered \"%.*s\"", s->name,
			 STR_ARG(str_first(str_trim(body), SHOWN)));
}

may_suspend struct error *token_service_create(struct token_service *s, struct strbuf *ret_id)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct http_call post = {
		.method = STR("POST"),
		.target = STR(CLUSTERS),
	};
	struct str id;

	TRY(call(s, &post, &arena, &id));
	id = str_trim(id);
	if (!token_id_valid(id))
		return strange(s, id);
	strbuf_add(ret_id, id);
	return NULL;
}

struct error *token_list_parse(struct str body, struct arena *arena, struct vec *ret)
{
	struct json list, item;
	struct json_iter it;
	struct error *err = json_parse(body, arena, &list);

	if (err || json_type(list) != JSON_ARRAY) {
		error_free(err);
		return error_new(ERR_PROTOCOL, "the answer is no list of nodes: \"%.*s\"",
				 STR_ARG(str_first(body, SHOWN)));
	}
	it = json_iter(list);
	while (json_next(&it, NULL, &item)) {
		struct str *entry = arena_new(arena, struct str);

		/* What is no string goes on as it is, to be named where addresses are read. */
		*entry = json_type(item) == JSON_STRING ? json_str(item) : json_raw(item);
		vec_push(ret, entry);
	}
	return NULL;
}

may_suspend struct error *token_service_list(struct token_service *s, struct str id,
					     struct arena *arena, struct vec *ret)
{
	const struct http_call get = {
		.method = STR("GET"),
		.target = arena_printf(arena, CLUSTERS "/%.*s", STR_ARG(id)),
	};
	struct str body;

	TRY(call(s, &get, arena, &body));
	return error_wrap(token_list_parse(body, arena, ret), "the token service: %s", s->name);
}

may_suspend struct error *token_service_enter(struct token_service *s, struct str id,
					      struct str entry, int64_t ttl)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const long long seconds = (ttl + SECOND - 1) / SECOND;
	const struct http_call post = {
		.method = STR("POST"),
		.target = arena_printf(&arena, CLUSTERS "/%.*s?ttl=%lld", STR_ARG(id), seconds),
		.body = entry,
	};
	struct str body;

	return call(s, &post, &arena, &body);
}
