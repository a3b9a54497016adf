/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image on an engine: immutable, shared by reference.
 */
#ifndef ENGINE_IMAGE_H
#define ENGINE_IMAGE_H

#include "base/error.h"
#include "base/str.h"
#include "json/json.h"

struct image {
	unsigned int refs;
	struct str id;	   /* "sha256:..." */
	struct str parent; /* its id: what a classic build has made it from; else "" */
	struct str entry;  /* as in GET /images/json; slices below point into it or behind it */
	int64_t created;   /* unix s */
	const struct str *tags,
		*digests; /* "busybox:latest", "busybox@sha256:..."; <none> left out */
	uint32_t n_tags, n_digests;
};

/* Out of an element of GET /images/json. */
must_check struct error *image_new_from_list(struct json entry, struct image **ret);
/* Out of GET /images/{name}/json, put into the list's shape. */
must_check struct error *image_new_from_inspect(struct json inspect, struct image **ret);
struct image *image_ref(struct image *i);
void image_unref(struct image *i);

DEFINE_CLEANUP(struct image *, image_unref)

#endif
