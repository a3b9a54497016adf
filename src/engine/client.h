/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that the manager makes to an engine, a function for each endpoint; and the plain
 * exchange for what is passed through. Errors: an engine's refusal (error_from_status), or of the
 * transport with the node's address before it, which counts against the node.
 */
#ifndef ENGINE_CLIENT_H
#define ENGINE_CLIENT_H

#include "base/arena.h"
#include "docker/version.h"
#include "engine/engine.h"
#include "http/client.h"

#define ENGINE_CALL_TIME (5 * SECOND) /* to connect, and for the calls of our own that are short */

/*
 * Begins an exchange for a client's request: `path` ("/containers/x/json?all=1", without version)
 * goes in the client's version moved into the engine's window. Connecting is bounded by
 * ENGINE_CALL_TIME; what follows is not.
 */
may_suspend must_check struct error *engine_exchange(struct engine *e, struct api_version version,
						     struct str path, struct http_call *call,
						     struct http_exchange **ret);

/* The version in which a request of a client's version reaches this engine. */
struct api_version engine_version(const struct engine *e, struct api_version client);

/* The error of an answer of 400 or more: its status and `message`. Reads the rest of it. */
may_suspend must_check struct error *engine_refusal(struct http_exchange *x);

/* Does not count by itself: the engine's own fiber does. */
may_suspend must_check struct error *engine_call_ping(struct engine *e);
may_suspend must_check struct error *engine_call_info(struct engine *e, struct arena *arena,
						      struct str *ret);
may_suspend must_check struct error *engine_call_version(struct engine *e, struct arena *arena,
							 struct str *ret);
may_suspend must_check struct error *engine_call_list_containers(struct engine *e, struct str id,
								 struct arena *arena,
								 struct json *ret);
may_suspend must_check struct error *engine_call_inspect_container(struct engine *e, struct str id,
								   struct arena *arena,
								   struct json *ret);
/* Those too that only stand between two others of a classic build. */
may_suspend must_check struct error *engine_call_list_images(struct engine *e, struct arena *arena,
							     struct json *ret);
may_suspend must_check struct error *engine_call_inspect_image(struct engine *e, struct str name,
							       struct arena *arena,
							       struct json *ret);
/* The array of volumes alone; null where the engine has none. */
may_suspend must_check struct error *engine_call_list_volumes(struct engine *e, struct arena *arena,
							      struct json *ret);
may_suspend must_check struct error *engine_call_inspect_volume(struct engine *e, struct str name,
								struct arena *arena,
								struct json *ret);
/* Those whose id begins with `id`; "": all. */
may_suspend must_check struct error *engine_call_list_networks(struct engine *e, struct str id,
							       struct arena *arena,
							       struct json *ret);

/* POST /containers/create: the engine's own answer (201) in the arena. ERR_NO_IMAGE on its 404. */
struct engine_create {
	struct api_version version;
	struct str name;  /* "" lets the engine draw one */
	struct str query; /* further parameters as the client sent them: "platform=..." */
	struct str body;
	const struct http_header *headers;
	size_t n_headers;
};
may_suspend must_check struct error *engine_call_create(struct engine *e,
							const struct engine_create *req,
							struct arena *arena, struct str *ret_body);
may_suspend must_check struct error *engine_call_remove(struct engine *e, struct str id, bool force,
							bool volumes);

typedef may_suspend struct error *engine_line_fn(void *arg, struct str line);

/*
 * The lines of a streamed answer, one call of on_line for each, until it ends. A line that is an
 * `error` of the engine's ends it: that is the error of the call, and on_line does not see it.
 * An answer that does not end where a line does is an error too.
 */
may_suspend must_check struct error *engine_read_lines(struct http_exchange *x,
						       engine_line_fn *on_line, void *arg);

/* POST /images/create?query: pulls. on_line NULL: progress is dropped. */
may_suspend must_check struct error *engine_call_pull(struct engine *e, struct api_version version,
						      struct str query, struct str auth,
						      engine_line_fn *on_line, void *arg);

#endif
