/* SPDX-License-Identifier: Apache-2.0 */
/* The registry that all engines share; that they pull from it is engine_image.c's affair. */
#include "base/duration.h"
#include "base/mem.h"
#include "sim/engine.h"
#include "sim/internal.h"

struct registry_image *fake_registry_find(const struct sim *s, struct str ref)
{
	for (size_t i = 0; i < s->registry.n; i++) {
		struct registry_image *image = s->registry.v[i];

		if (str_eq(str_from(image->ref), ref))
			return image;
	}
	return NULL;
}

void sim_registry_put(struct sim *s, const char *ref, bool private)
{
	struct registry_image *image = mem_new(struct registry_image);
	_cleanup_(mem_freep) char *id = NULL;
	struct str name;

	image->ref = arena_cstr(&s->arena, fake_image_familiar(str_from(ref), &s->arena));
	id = fake_image_id_of(image->ref);
	image->id = arena_cstr(&s->arena, str_from(id));
	str_rcut(str_from(image->ref), ':', &name, &(struct str){ 0 });
	image->digest = sim_text(s, "%.*s@%s", STR_ARG(name), id);
	image->private = private;
	image->takes = 2 * SECOND;
	vec_push(&s->registry, image);
}

void sim_registry_mirror(struct sim *s, const char *ref, const char *of)
{
	struct registry_image *image;
	struct str name;

	sim_registry_put(s, ref, false);
	image = s->registry.v[s->registry.n - 1];
	image->id = fake_registry_find(s, fake_image_familiar(str_from(of), &s->arena))->id;
	str_rcut(str_from(image->ref), ':', &name, &(struct str){ 0 });
	image->digest = sim_text(s, "%.*s@%s", STR_ARG(name), image->id);
}

void sim_registry_set(struct sim *s, const char *ref, int64_t takes, const char *error)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct registry_image *image =
		fake_registry_find(s, fake_image_familiar(str_from(ref), &arena));

	assert_non_null(image);
	image->takes = takes;
	image->error = error;
}

void sim_registry_bars(struct sim *s, const char *ref, int bars)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

	fake_registry_find(s, fake_image_familiar(str_from(ref), &arena))->bars = bars;
}

const struct registry_image *fake_registry_next(const struct sim *s, struct str repository,
						size_t *at)
{
	while (*at < s->registry.n) {
		const struct registry_image *image = s->registry.v[(*at)++];
		struct str name, tag;

		if (str_rcut(str_from(image->ref), ':', &name, &tag) && str_eq(name, repository))
			return image;
	}
	return NULL;
}
