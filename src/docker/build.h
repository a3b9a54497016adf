/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /build as values: the expressions among its build args, and the images that its progress
 * tells of. What an image is made of is the engine's affair.
 */
#ifndef DOCKER_BUILD_H
#define DOCKER_BUILD_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "docker/config.h"

struct build_args {
	/* With their prefix gone, as of a create: "storage==ssd". */
	struct str_array constraints, affinities, whitelists;
	struct str rest; /* the text for the engine, without them */
};

/*
 * The `buildargs` parameter. A text that is no JSON object has no expressions, and goes on as it is
 * for the engine to refuse. ERR_INVALID where there are too many. In the arena, or of the text.
 */
must_check struct error *build_args_read(struct str text, struct arena *arena,
					 struct build_args *ret);

/* Header X-Swarm-Constraints: a JSON array of strings; empty: none. ERR_INVALID else. */
must_check struct error *build_constraints_read(struct str header, struct arena *arena,
						struct str_array *ret);

/* What a build's progress has told so far. Zero-initialised is at its beginning. */
struct build_output {
	struct strbuf line; /* the one at hand, up to what is of interest */
	struct strbuf ids;  /* "sha256:..." and a newline each, the last of them at most */
};

/* A further piece of the answer's body, cut anywhere. */
void build_output_feed(struct build_output *o, struct str piece);
/* Takes the next id off *rest, which begins as strbuf_str(&o->ids). */
bool build_output_next(struct str *rest, struct str *ret_id);
void build_output_fini(struct build_output *o);

#endif
