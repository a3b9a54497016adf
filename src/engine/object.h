/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One volume or network on an engine, as its list shows it: immutable, shared by reference.
 */
#ifndef ENGINE_OBJECT_H
#define ENGINE_OBJECT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "json/json.h"

enum object_kind { OBJECT_VOLUME, OBJECT_NETWORK };
#define OBJECT_KINDS 2

struct object {
	unsigned int refs;
	enum object_kind kind;
	struct str key; /* what the engine's table has it under: a volume's name, a network's id */
	struct str name, driver, scope; /* "web", "bridge", "local" */
	bool global;			/* one thing of several nodes: scope "global", or "swarm" */
	struct str project;		/* of Compose, by its label; else empty */
	struct str entry;		/* as in GET /volumes (its Volumes) and GET /networks */
};

/*
 * Out of an element of either list, or of what inspect says of a volume, which is the same but for
 * what its driver adds in Status. ERR_PROTOCOL where it has no name or, a network, no Id.
 */
must_check struct error *object_new(enum object_kind kind, struct json entry, struct object **ret);
struct object *object_ref(struct object *o);
void object_unref(struct object *o); /* NULL is fine */

/* "volume", "network" */
const char *object_kind_name(enum object_kind kind);

DEFINE_CLEANUP(struct object *, object_unref)

#endif
