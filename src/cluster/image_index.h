/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes have an image, by id, beginning of an id, tag, or digest. Cost: the key's length.
 */
#ifndef CLUSTER_IMAGE_INDEX_H
#define CLUSTER_IMAGE_INDEX_H

#include "cluster/slot.h"
#include "engine/image.h"

struct image_index {
	struct prefix_tree ids; /* of struct slot: without "sha256:" */
	struct map names;	/* of struct slot: tags and digests, the familiar form */
	struct map repos; /* of struct slot: what stands before the tags; a copy for each tag */
};

void image_index_init(struct image_index *x);
void image_index_fini(struct image_index *x);
void image_index_add(struct image_index *x, struct engine *e, const struct image *img);
void image_index_remove(struct image_index *x, struct engine *e, const struct image *img);

/*
 * By any name that a user may write: an id or its beginning (4 digits or more), "busybox",
 * "busybox:1.36", "x@sha256:...". NULL where no node has it, or where it begins several ids. A
 * slot that is found has a copy at least.
 */
const struct slot *image_index_find(const struct image_index *x, struct str name);

/* It was found by its id, or the beginning of that, and by no name. */
bool image_index_is_id(const struct slot *slot);

/* Any image of that repository, "busybox": whatever its tags. NULL where no node has one. */
const struct slot *image_index_repo(const struct image_index *x, struct str repo);

/* The copy on one engine; NULL where it has none. */
const struct image *image_slot_on(const struct slot *slot, const struct engine *e);

#endif
