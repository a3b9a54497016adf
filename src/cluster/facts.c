/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter may ask of a node: look-ups in the indexes where the value is plain text, a walk
 * over that one node's containers or images where it is a pattern.
 */
#include "cluster/internal.h"
#include "fiber/fiber.h"

static struct str port_holder(const struct sched_node *n, const struct host_port *want)
{
	const struct member *m = member_of_node(n);
	struct container_port port;
	const struct port_use *use;

	if (!port_from_config(want, &port))
		return STR_NONE;
	use = port_table_find(&m->ports, &port);
	if (!use)
		return STR_NONE;
	return str_empty(use->name) ? STR("a container being created") : use->name;
}

static bool container_matches(const struct container *ct, struct match *m)
{
	return match_test(m, ct->name) || match_test(m, ct->id) ||
	       (!str_empty(ct->swarm_id) && match_test(m, ct->swarm_id));
}

static bool has_named_container(const struct member *m, struct str ref)
{
	const struct index *x = &m->cluster->containers;
	struct container *ct;
	struct error *err;
	bool alone;

	ct = index_by_name(x, str_strip_prefix(ref, STR("/")), &alone);
	if (ct && alone)
		return ct->engine == m->engine;
	if (ct) {
		list_for_each(link, &ct->by_name)
			if (list_item(link, struct container, by_name)->engine == m->engine)
				return true;
		return ct->engine == m->engine;
	}
	err = index_find(x, ref, &ct);
	if (err) {
		error_free(err);
		return false;
	}
	return ct->engine == m->engine;
}

static bool has_container(const struct sched_node *n, struct match *match)
{
	const struct member *m = member_of_node(n);
	const struct container *ct;
	NO_SUSPEND;

	list_for_each(link, &m->flights) {
		const struct flight *f = list_item(link, struct flight, at_member);

		if (!str_empty(f->name) && match_test(match, f->name))
			return true;
	}
	if (match->kind == MATCH_PLAIN)
		return has_named_container(m, match->text);
	for (size_t i = 0; (ct = map_next(engine_containers(m->engine), &i));)
		if (container_matches(ct, match))
			return true;
	return false;
}

static bool image_matches(const struct image *img, struct match *match)
{
	if (match_test(match, img->id))
		return true;
	for (size_t i = 0; i < img->n_tags; i++) {
		struct str repo, tag;

		str_rcut(img->tags[i], ':', &repo, &tag);
		if (match_test(match, img->tags[i]) || match_test(match, repo))
			return true;
	}
	return false;
}

static bool has_image(const struct sched_node *n, struct match *match)
{
	const struct member *m = member_of_node(n);
	const struct slot *slot;
	const struct image *img;
	NO_SUSPEND;

	if (match->kind == MATCH_PLAIN) {
		slot = image_index_find(&m->cluster->images, match->text);
		if (image_slot_on(slot, m->engine))
			return true;
	}
	for (size_t i = 0; (img = map_next(engine_images(m->engine), &i));)
		if (image_matches(img, match))
			return true;
	return false;
}

static bool label_matches(const struct container *ct, struct str key, struct match *match,
			  struct arena *arena)
{
	struct json_iter it;
	struct json root, value;
	struct str name;
	struct error *err = json_parse(ct->entry, arena, &root);

	if (err) {
		error_free(err);
		return false;
	}
	it = json_iter(json_get(root, "Labels"));
	while (json_next(&it, &name, &value))
		if (str_eq(name, key) && match_test(match, json_str(value)))
			return true;
	return false;
}

static bool has_container_label(const struct sched_node *n, struct str key, struct match *match)
{
	const struct member *m = member_of_node(n);
	const struct container *ct;
	NO_SUSPEND;

	for (size_t i = 0; (ct = map_next(engine_containers(m->engine), &i));) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

		if (str_contains(ct->entry, key) && label_matches(ct, key, match, &arena))
			return true;
	}
	return false;
}

const struct sched_lookups cluster_lookups = {
	.port_holder = port_holder,
	.has_container = has_container,
	.has_image = has_image,
	.has_container_label = has_container_label,
};
