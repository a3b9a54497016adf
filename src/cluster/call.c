/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/call.h"

#include "base/limits.h"

static may_suspend struct error *read_answer(struct http_exchange *x, struct arena *arena,
					     struct str *ret_body)
{
	const struct http_response *response;

	TRY(http_exchange_response(x, &response));
	if (response->status >= 400)
		return engine_refusal(x);
	return http_exchange_read_all(x, LIMIT_ENGINE_REPLY, arena, ret_body);
}

static may_suspend struct error *send_call(struct engine *e, struct api_version version,
					   struct str path, struct http_call *call,
					   struct arena *arena, struct str *ret_body)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	struct error *err;

	TRY(engine_exchange(e, version, path, call, &x));
	err = read_answer(x, arena, ret_body);
	/* A deadline of the caller's says nothing of the engine. */
	if (error_is_transport(err) && !error_is(err, ERR_TIMEOUT))
		engine_failed(e, err);
	return err;
}

may_suspend struct error *call_engine(struct engine *e, struct api_version version,
				      const char *method, struct str path, struct arena *arena,
				      struct str *ret_body)
{
	struct http_call call = { .method = str_from(method) };

	return send_call(e, version, path, &call, arena, ret_body);
}

may_suspend struct error *call_engine_json(struct engine *e, struct api_version version,
					   const char *method, struct str path, struct str json,
					   struct arena *arena, struct str *ret_body)
{
	struct http_header type = { STR("Content-Type"), STR("application/json") };
	struct http_call call = {
		.method = str_from(method), .headers = &type, .n_headers = 1, .body = json
	};

	return send_call(e, version, path, &call, arena, ret_body);
}

bool call_is_unanswered(const struct error *err)
{
	return error_is(err, ERR_CANCELLED) ||
	       (error_is_transport(err) && !error_is(err, ERR_REFUSED));
}
