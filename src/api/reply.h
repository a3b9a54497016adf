/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes back to the client: errors as an engine words them, JSON, lists and progress piece by
 * piece.
 */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/request.h"
#include "base/strbuf.h"

/* The one place where kinds of errors become statuses. An engine's own status is kept. */
int reply_status(const struct error *err);
/* One that says by itself that the client went over a limit, which the operator is told. */
bool reply_is_limit(int status);

/* {"message":"..."} and a newline, as engines write it. An http_error_fn. */
void reply_error_body(int status, const char *message, struct strbuf *ret_body);

/*
 * Takes err (NULL is fine) and answers with it. A cancelled request has nobody to answer; an answer
 * that had begun is broken off by the server when the handler returns.
 */
may_suspend void reply_error(struct request *r, struct error *err);

may_suspend must_check struct error *reply_json(struct request *r, int status, struct str json);
may_suspend must_check struct error *reply_empty(struct request *r, int status);

/* An answer made of pieces, of which nobody knows how many there will be. */
struct reply_stream {
	struct request *request;
};

/* An emit_fn (cluster/list.h): the head, 200 and JSON, goes out before the first piece. */
may_suspend struct error *reply_stream_emit(void *stream, struct str piece) must_check;

/* Ends it, begun or not. */
may_suspend must_check struct error *reply_stream_end(struct reply_stream *s);

/*
 * Ends a stream of progress, where a failure (taken) has no status any more once a piece is out: it
 * is the last line, {"errorDetail":{...},"error":"..."}, as an engine writes it. Before the first
 * piece it is answered like any other, and so returned.
 */
may_suspend must_check struct error *reply_progress_end(struct reply_stream *s,
							struct error *failure);

#endif
