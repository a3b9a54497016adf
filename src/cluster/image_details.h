/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What engines work out about their images only when they are asked: how much of each other images
 * share (`shared-size`, API 1.42), what containerd's store has of its platforms (`manifests`, 1.47).
 */
#ifndef CLUSTER_IMAGE_DETAILS_H
#define CLUSTER_IMAGE_DETAILS_H

#include "base/map.h"
#include "cluster/images.h"
#include "json/edit.h"

struct image_details {
	struct arena arena;
	struct map by_id; /* of struct image_detail */
	struct map users; /* of struct manifest_users */
};

struct image_detail {
	struct str id;
	int64_t shared_size;  /* bytes; -1: no node tells */
	struct str manifests; /* a JSON array as an engine wrote it; empty: no node has one */
	size_t n_available;   /* of these the node has all that it takes */
};

/* The containers on all nodes that run what a manifest of an image describes. */
struct manifest_users {
	struct str key; /* the image's id, a space, the manifest's */
	struct manifest_user *first;
	bool told;
};

struct manifest_user {
	struct manifest_user *next;
	struct str container; /* its id */
};

/*
 * Asks every healthy engine at once for what the query wants, which may be nothing; one that fails
 * is logged, and its images go without.
 */
may_suspend must_check struct error *image_details_fetch(struct image_details *d,
							 const struct cluster *c,
							 const struct image_query *q);
void image_details_fini(struct image_details *d); /* zero-initialised is fine */

/*
 * Sets the members in the image's list entry, where they are known; what they are is in `arena`. Once
 * for each image: each container is told of once.
 */
must_check struct error *image_details_put(struct image_details *d, struct str id,
					   struct json_edit *edit, struct json entry,
					   struct arena *arena);

#endif
