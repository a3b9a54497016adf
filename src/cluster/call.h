/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole request to one engine whose answer is short: what rename, tag and the fan-outs use.
 */
#ifndef CLUSTER_CALL_H
#define CLUSTER_CALL_H

#include "engine/client.h"

/*
 * Sends `method path`, the second with a JSON body; the answer's body goes to the arena. An answer
 * of 400 or more is the engine's refusal as an error.
 */
may_suspend must_check struct error *call_engine(struct engine *e, struct api_version version,
						 const char *method, struct str path,
						 struct arena *arena, struct str *ret_body);
may_suspend must_check struct error *call_engine_json(struct engine *e, struct api_version version,
						      const char *method, struct str path,
						      struct str json, struct arena *arena,
						      struct str *ret_body);

/* It may have been heard: neither a refusal, nor known not to have been sent. */
bool call_is_unanswered(const struct error *err);

#endif
