/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes a request to an engine and its answer back: the client's own headers, query and body, both
 * bodies at once and at the pace of whoever takes them, no limit of time. An engine that upgrades
 * is joined to the client byte for byte.
 */
#ifndef API_PROXY_H
#define API_PROXY_H

#include "api/request.h"
#include "engine/engine.h"

struct proxy {
	struct engine *engine;
	struct str path; /* for the engine, query included: "/containers/<id>/logs?stdout=1" */
	/*
	 * Instead of an engine: the primary manager. `path` is the whole target, version included.
	 */
	struct http_client *manager;
	const struct http_headers *headers; /* instead of the client's own; or NULL */
	/* Attach and exec: without Upgrade the engine answers 200 and takes the connection over. */
	bool hijacks;
	/* Held to the manager's fence (fiber/fence.h), whatever the method. */
	bool writes;
	/* The body is lines of progress: where the node breaks it off, a last line tells of it. */
	bool progress;
	const struct str *body; /* instead of the client's, which was read already; or NULL */

	/*
	 * What is done before the client gets that part of the answer, so that its next request
	 * finds what it did with this one. Each may be NULL.
	 */
	may_suspend void (*on_head)(void *arg, int status);
	may_suspend void (*on_piece)(void *arg, struct str piece); /* of the body */
	may_suspend void (*on_end)(void *arg);
	void *arg;
};
may_suspend must_check struct error *proxy_pass(struct request *r, const struct proxy *p);

/* An engine's whole answer, in the request's arena. */
struct proxy_answer {
	int status;
	struct http_headers headers; /* those to pass on */
	struct str body;
};

/* For answers that are read before they go on: at most LIMIT_ENGINE_OBJECT. */
may_suspend must_check struct error *proxy_fetch(struct request *r, struct engine *e,
						 struct str path, struct proxy_answer *ret);
/* Answers the client with it. */
may_suspend must_check struct error *proxy_reply(struct request *r, const struct proxy_answer *a);

#endif
