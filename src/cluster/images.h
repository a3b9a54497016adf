/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images over all nodes: which nodes have one, lists merged by id, and what goes to several nodes.
 */
#ifndef CLUSTER_IMAGES_H
#define CLUSTER_IMAGES_H

#include "base/vec.h"
#include "cluster/cluster.h"
#include "cluster/list.h"
#include "docker/version.h"

/* Healthy nodes that have it: by id, id prefix, tag, digest. New references; n is 0 where none. */
void cluster_image_nodes(const struct cluster *c, struct str image, struct engines *ret);

/*
 * Some copy of it has a RepoDigest: it came from a registry, and may be pulled from there. Not by
 * an id or the beginning of one, which no registry knows.
 */
bool cluster_image_is_pullable(const struct cluster *c, struct str image);

/*
 * ERR_NOT_FOUND "No such image: X:latest", ERR_INVALID where it is no reference; as an engine has
 * it.
 */
must_check struct error *cluster_no_such_image(struct str image);

/* A node to ask about an image. ERR_NOT_FOUND as above where none has it. */
must_check struct error *cluster_image_node(const struct cluster *c, struct str image,
					    struct engine **ret);

/*
 * A node that has every tag of a repository ("busybox"), to push them all from. ERR_NOT_FOUND where
 * the pool has none; ERR_CONFLICT where no one node has them all.
 */
must_check struct error *cluster_repository_node(const struct cluster *c, struct str repository,
						 struct engine **ret);

/*
 * What an engine saves by that name: every tag of a repository that is named alone ("busybox"), in
 * their order; else the one image. Adds struct str in the arena.
 */
void cluster_saved_images(const struct cluster *c, struct str image, struct arena *arena,
			  struct vec *ret);

struct image_query {
	struct api_version version; /* the shape that the client knows */
	bool all, digests;
	bool shared_size, manifests; /* image_details.h: asks the engines */
	struct filters filters;
};

/* GET /images/json: one entry for each id, RepoTags and RepoDigests merged, newest first. */
may_suspend must_check struct error *cluster_list_images(struct cluster *c,
							 const struct image_query *q, emit_fn *emit,
							 void *arg);

/*
 * Pull on every healthy node at once, or on `only`. Progress lines (JSON, "\r\n" behind each, `id`
 * prefixed by the node where there are several) go to emit; a node's failure is reported and, at
 * the end, is the error; where nothing was emitted yet, as a plain error.
 */
struct pull_request {
	struct api_version version;
	struct str query;    /* as sent: "fromImage=busybox&tag=latest" */
	struct str image;    /* "busybox:latest" */
	struct str platform; /* as in the query; may be empty */
	struct str registry_auth;
	struct engine *only;
};
may_suspend must_check struct error *cluster_pull(struct cluster *c, const struct pull_request *req,
						  emit_fn *emit, void *arg);

/*
 * POST /images/load: the body goes to every healthy node at once, at the pace of the slowest; a
 * node that takes no byte for 60 s while others wait is dropped and named.
 */
struct load_request {
	struct api_version version;
	struct str path; /* query included: "/images/load?quiet=1" */
	struct str content_type;
	int64_t length; /* of the body; -1: not known */
	/* The body: 0 bytes at its end. */
	may_suspend struct error *(*read)(void *arg, void *buf, size_t cap, size_t *ret_n);
	void *read_arg;
};
may_suspend must_check struct error *cluster_load(struct cluster *c, const struct load_request *req,
						  emit_fn *emit, void *arg);

/*
 * An image was made on this node for the client, by that name ("" for none): it is in the tables
 * when this returns, and the client's next create of it goes there.
 */
may_suspend void cluster_image_made(struct cluster *c, struct str client, struct str name,
				    struct str id, struct engine *e);

/* POST /images/{name}/tag on every node that has it. 404 where none has. */
may_suspend must_check struct error *cluster_tag(struct cluster *c, struct str image,
						 struct str query, struct api_version version);

/*
 * DELETE /images/{name} on every node that has it: the lists of what was untagged and deleted,
 * joined.
 */
may_suspend must_check struct error *cluster_remove_image(struct cluster *c, struct str image,
							  struct str query,
							  struct api_version version,
							  struct arena *arena,
							  struct str *ret_json);

#endif
