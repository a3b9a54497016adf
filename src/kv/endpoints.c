/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failing over. One address is tried for a few seconds; a store of three of which two are dead has
 * answered before a lease of the usual length ends.
 */
#include "kv/endpoints.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "json/json.h"

/* In which one endpoint connects, and answers. */
#define ANSWER_TIME (4 * SECOND)

#define REFUSAL_SHOWN 200 /* bytes of it */

void kv_endpoints_init(struct kv_endpoints *e, const struct kv_target *target)
{
	e->v = mem_realloc_array(NULL, target->n_addrs, sizeof(struct http_client *));
	e->n = target->n_addrs;
	e->at = 0;
	for (size_t i = 0; i < e->n; i++)
		e->v[i] = http_client_new(&target->addrs[i], target->tls);
}

void kv_endpoints_fini(struct kv_endpoints *e)
{
	for (size_t i = 0; i < e->n; i++)
		http_client_unref(e->v[i]);
	free(e->v);
	*e = (struct kv_endpoints){ 0 };
}

/* What stores say in JSON ("error", "message"), or the text as it is. */
static struct str said(struct str body, struct arena *arena)
{
	struct json answer;
	struct error *err = json_parse(body, arena, &answer);
	struct str text = err ? STR("") : json_get_str(answer, "error");

	error_free(err);
	if (str_empty(text))
		text = str_trim(body);
	return str_first(text, REFUSAL_SHOWN);
}

static struct error *refusal(const struct http_client *c, int status, struct str body)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	struct str text = said(body, &arena);

	addr_format(http_client_addr(c), &name);
	return error_new(status >= 500 ? ERR_UNAVAILABLE : ERR_PROTOCOL, "%.*s answers %d%s%.*s",
			 STR_ARG(strbuf_str(&name)), status, str_empty(text) ? "" : ": ",
			 STR_ARG(text));
}

struct error *kv_endpoints_refusal(const struct kv_endpoints *e, int status, struct str body)
{
	return refusal(e->v[e->at], status, body);
}

/* A call and where its answer goes: all of it to `result`, or as it comes to `exchange`. */
struct attempt {
	const struct http_call *call;
	int64_t time; /* in which one endpoint answers; 0: ANSWER_TIME */
	struct arena *arena;
	struct http_result *result;
	struct http_exchange **exchange;
};

static may_suspend struct error *fetch_at(struct http_client *c, const struct attempt *a)
{
	TRY(http_fetch(c, a->call, LIMIT_KV_REPLY, a->arena, a->result));
	if (a->result->head.status >= 500)
		return refusal(c, a->result->head.status, a->result->body);
	return NULL;
}

static may_suspend struct error *begin_at(struct http_client *c, const struct attempt *a)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct http_response *head;
	struct str body;

	TRY(http_exchange_begin(c, a->call, &x));
	TRY(http_exchange_response(x, &head));
	if (head->status >= 500) {
		TRY(http_exchange_read_all(x, LIMIT_KV_REPLY, &arena, &body));
		return refusal(c, head->status, body);
	}
	*a->exchange = take(x);
	return NULL;
}

static may_suspend struct error *try_at(struct http_client *c, const struct attempt *a)
{
	_cleanup_(deadline_end) struct deadline patience =
		deadline_begin(a->time ? a->time : ANSWER_TIME);
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	struct error *err = a->result ? fetch_at(c, a) : begin_at(c, a);

	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&patience))
		return err;
	addr_format(http_client_addr(c), &name);
	error_free(err);
	return error_new(ERR_CLOSED, "%.*s does not answer", STR_ARG(strbuf_str(&name)));
}

/* Where another endpoint may do better: not where the caller's time is over, or its fence closed. */
static bool may_pass_on(const struct error *err)
{
	return !error_is(err, ERR_CANCELLED) && !error_is(err, ERR_TIMEOUT) &&
	       !error_is(err, ERR_TOO_LARGE) && !error_is(err, ERR_NOT_PRIMARY);
}

static may_suspend struct error *try_all(struct kv_endpoints *e, const struct attempt *a)
{
	_cleanup_(error_freep) struct error *first = NULL;
	size_t from = e->at;

	for (size_t i = 0; i < e->n; i++) {
		size_t at = (from + i) % e->n;
		struct error *err = try_at(e->v[at], a);

		if (!err) {
			e->at = at;
			return NULL;
		}
		if (!may_pass_on(err))
			return err;
		error_keep(&first, err);
	}
	/* The next call begins elsewhere, in case that this one only hung. */
	e->at = (from + 1) % e->n;
	return take(first);
}

may_suspend struct error *kv_endpoints_fetch(struct kv_endpoints *e, const struct http_call *call,
					     struct arena *arena, struct http_result *ret)
{
	return kv_endpoints_fetch_slow(e, call, 0, arena, ret);
}

may_suspend struct error *kv_endpoints_fetch_slow(struct kv_endpoints *e,
						  const struct http_call *call, int64_t time,
						  struct arena *arena, struct http_result *ret)
{
	const struct attempt a = { .call = call, .time = time, .arena = arena, .result = ret };

	return try_all(e, &a);
}

may_suspend struct error *kv_endpoints_begin(struct kv_endpoints *e, const struct http_call *call,
					     struct http_exchange **ret)
{
	return try_all(e, &(struct attempt){ .call = call, .exchange = ret });
}
