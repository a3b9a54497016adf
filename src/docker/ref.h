/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references as users write them: "busybox", "reg:5000/a/b:tag", "x@sha256:...", an id.
 */
#ifndef DOCKER_REF_H
#define DOCKER_REF_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct image_ref {
	struct str domain; /* "docker.io" where none is written */
	struct str path;   /* "library/busybox" */
	struct str tag;	   /* empty where none is written (or a digest stands for it) */
	struct str digest; /* "sha256:..." or empty */
};

/* ERR_INVALID "invalid reference format" (and what about it). Slices borrow text or the arena. */
must_check struct error *image_ref_parse(struct str text, struct arena *arena,
					 struct image_ref *ret);

/*
 * "busybox:latest", "x@sha256:...": the short form that engines show in RepoTags, RepoDigests. With
 * a digest the tag is left out, as an engine pays no heed to it then; with neither it is "latest".
 */
struct str image_ref_familiar(const struct image_ref *ref, struct arena *arena);
struct str image_ref_familiar_name(const struct image_ref *ref,
				   struct arena *arena); /* "busybox" */

/* A tag or a digest is written: it is not a repository alone. */
bool image_ref_is_tagged(struct str text);

/*
 * The `reference` filter of image lists: a pattern (docker/path_pattern.h: "busy*", "*:1.36")
 * against a tag or digest in its familiar form, or against its name alone.
 */
bool image_ref_match(struct str pattern, struct str familiar);

/* The text is an id: "sha256:" and up to 64 hex digits, or 64 hex digits alone. A short hex text
 * (4 to 63 digits) may be one or the beginning of one: image_id_maybe. */
bool image_id_is(struct str text);
bool image_id_maybe(struct str text);

#endif
