/* SPDX-License-Identifier: Apache-2.0 */
#include "api/reply.h"

#include "api/internal.h"
#include "base/log.h"
#include "http/reply.h"
#include "json/build.h"

#define JSON_TYPE "application/json"

int reply_status(const struct error *err)
{
	if (error_status(err))
		return error_status(err);

	switch (error_kind(err)) {
	case ERR_INVALID:
	case ERR_AMBIGUOUS:
		return 400;
	case ERR_UNAUTHORIZED:
		return 401;
	case ERR_FORBIDDEN:
		return 403;
	case ERR_NOT_FOUND:
	case ERR_NO_IMAGE:
		return 404;
	case ERR_BAD_METHOD:
		return 405;
	case ERR_CONFLICT:
		return 409;
	case ERR_TOO_LARGE:
		return 413;
	case ERR_HEAD_TOO_LARGE:
		return 431;
	case ERR_NOT_IMPLEMENTED:
		return 501;
	case ERR_UNAVAILABLE:
	case ERR_NOT_PRIMARY:
		return 503;
	/* A node that should have answered and did not. */
	case ERR_REFUSED:
	case ERR_CLOSED:
	case ERR_PROTOCOL:
	case ERR_TLS:
		return 502;
	case ERR_TIMEOUT:
		return 504;
	case ERR_INTERNAL:
	case ERR_NO_NODE:
	case ERR_NODE_DOWN:
	case ERR_ENGINE:
	case ERR_CANCELLED:
		return 500;
	}
	return 500;
}

void reply_error_body(_unused_ int status, const char *message, struct strbuf *ret_body)
{
	struct json_out o = json_out(ret_body);

	json_begin_object(&o);
	json_put_str(&o, "message", str_from(message));
	json_end_object(&o);
	strbuf_addc(ret_body, '\n');
}

bool reply_is_limit(int status)
{
	return status == 408 || status == 413 || status == 429;
}

/*
 * Faults of ours, and of nodes that cannot be talked to, are for the operator too; what an engine
 * refuses is for the client, and that one hangs up in the middle is no fault.
 */
static void log_failure(const struct request *r, const struct error *err, int status)
{
	bool fault = status >= 500 && status != 501 && status != 503 && !error_status(err);
	bool limit = (error_is_over_limit(err) && !fault) || reply_is_limit(status);

	if (limit && http_server_may_log(r->api->server))
		log_info("request over a limit", LOG_STR("client", request_client(r)),
			 LOG_STR("path", r->path), LOG_NUM("status", status), LOG_ERR(err));
	log_at(fault && !http_reply_begun(r->in) ? LOG_WARN : LOG_DEBUG, "request failed",
	       LOG_STR("method", r->in->head.method), LOG_STR("path", r->path),
	       LOG_NUM("status", status), LOG_ERR(err));
}

/* Seconds: a new primary is there about then, or a little later. */
static const struct http_header come_again[] = { { STR_INIT("Retry-After"), STR_INIT("5") } };

may_suspend void reply_error(struct request *r, struct error *failure)
{
	_cleanup_(error_freep) struct error *err = failure;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	size_t n_headers = 0;
	int status;

	if (!err || error_is(err, ERR_CANCELLED))
		return;
	status = reply_status(err);
	log_failure(r, err, status);
	if (http_reply_begun(r->in))
		return;
	reply_error_body(status, error_message(err), &body);
	if (error_is(err, ERR_NOT_PRIMARY))
		n_headers = ARRAY_LEN(come_again);
	/* Where even this cannot be sent, the client has gone. */
	error_free(http_reply(r->in, status, JSON_TYPE, come_again, n_headers, strbuf_str(&body)));
}

may_suspend struct error *reply_json(struct request *r, int status, struct str json)
{
	return http_reply(r->in, status, JSON_TYPE, NULL, 0, json);
}

may_suspend struct error *reply_empty(struct request *r, int status)
{
	return http_reply(r->in, status, NULL, NULL, 0, STR_NONE);
}

static may_suspend struct error *stream_begin(struct reply_stream *s)
{
	static const struct http_header type[] = {
		{ STR_INIT("Content-Type"), STR_INIT(JSON_TYPE) },
	};

	if (http_reply_begun(s->request->in))
		return NULL;
	return http_reply_begin(s->request->in, 200, STR_NONE, type, ARRAY_LEN(type), -1);
}

may_suspend struct error *reply_stream_emit(void *stream, struct str piece)
{
	struct reply_stream *s = stream;

	TRY(stream_begin(s));
	return http_reply_write(s->request->in, piece);
}

may_suspend struct error *reply_stream_end(struct reply_stream *s)
{
	TRY(stream_begin(s));
	return http_reply_end(s->request->in);
}

static void write_failure(const struct error *err, struct strbuf *out)
{
	struct str message = str_from(error_message(err));
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_key(&o, "errorDetail");
	json_begin_object(&o);
	/* An engine that tells no code is taken to mean 500. */
	if (error_status(err) && error_status(err) != 500)
		json_put_i64(&o, "code", error_status(err));
	json_put_str(&o, "message", message);
	json_end_object(&o);
	json_put_str(&o, "error", message);
	json_end_object(&o);
	strbuf_add(out, STR("\r\n"));
}

may_suspend struct error *reply_progress_end(struct reply_stream *s, struct error *failure)
{
	_cleanup_(error_freep) struct error *err = failure;
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;

	if (!err)
		return reply_stream_end(s);
	if (error_is(err, ERR_CANCELLED) || !http_reply_begun(s->request->in))
		return take(err);
	write_failure(err, &line);
	TRY(http_reply_write(s->request->in, strbuf_str(&line)));
	return http_reply_end(s->request->in);
}
