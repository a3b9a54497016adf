/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What placement asks of containers' labels and images, kept in tallies: entered with a container
 * or a creation under way, taken out with it. A container's labels are its whole life the same, so
 * that most news of it changes nothing here.
 */
#include <assert.h>

#include "cluster/internal.h"
#include "docker/ref.h"

/* "busybox" and "docker.io/library/busybox:latest" are one. What is no reference is itself. */
struct str kind_of_image(struct str image, struct arena *arena)
{
	struct image_ref ref;
	struct error *err = image_ref_parse(image, arena, &ref);

	if (!err)
		return image_ref_familiar(&ref, arena);
	error_free(err);
	return image;
}

static void step_image(struct member *m, struct str image, tally_step_fn *step)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

	step(&m->cluster->kinds, STR(KIND_IMAGE), kind_of_image(image, &arena), m->sched.number);
}

/* Each container has a swarm id of its own: index.c finds it. */
static void step_labels(struct member *m, struct json labels, tally_step_fn *step)
{
	struct json_iter it = json_iter(labels);
	struct json value;
	struct str key;

	while (json_type(labels) == JSON_OBJECT && json_next(&it, &key, &value))
		if (json_type(value) == JSON_STRING && !str_eq(key, STR(LABEL_SWARM_ID)))
			step(&m->cluster->labels, key, json_str(value), m->sched.number);
}

void labels_enter(struct member *m, struct json labels, struct str image)
{
	step_labels(m, labels, tally_add);
	step_image(m, image, tally_add);
}

void labels_leave(struct member *m, struct json labels, struct str image)
{
	step_labels(m, labels, tally_remove);
	step_image(m, image, tally_remove);
}

static struct str labels_text(const struct container *ct)
{
	return str_of(ct->entry.p + ct->labels.at, ct->labels.n);
}

static void step_container(struct member *m, const struct container *ct, tally_step_fn *step)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json labels = { 0 };
	struct error *err = ct->labels.n ? json_parse(labels_text(ct), &arena, &labels) : NULL;

	/* A run of a text that was parsed once. */
	assert(!err);
	step_labels(m, labels, step);
	step_image(m, ct->image, step);
}

void labels_of_container(struct member *m, const struct container *before,
			 const struct container *after)
{
	if (before && after && str_eq(labels_text(before), labels_text(after)) &&
	    str_eq(before->image, after->image))
		return;
	if (before)
		step_container(m, before, tally_remove);
	if (after)
		step_container(m, after, tally_add);
}
