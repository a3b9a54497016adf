/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/call.h"

#include "base/limits.h"

may_suspend struct error *call_engine(struct engine *e, struct api_version version,
				      const char *method, struct str path, struct arena *arena,
				      struct str *ret_body)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	struct http_call call = { .method = str_from(method) };
	const struct http_response *response;

	TRY(engine_exchange(e, version, path, &call, &x));
	TRY(http_exchange_response(x, &response));
	if (response->status >= 400)
		return engine_refusal(x);
	return http_exchange_read_all(x, LIMIT_ENGINE_OBJECT, arena, ret_body);
}
