/* SPDX-License-Identifier: Apache-2.0 */
/* Image references: the short form of one names the same image, and is its own short form. */
#include <stdlib.h>

#include "docker/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "docker.io/a.b/c" has the short form "a.b/c", which means another image: to engines as well. */
static bool is_ambiguous(const struct image_ref *ref)
{
	struct str first, rest;

	return str_eq(ref->domain, STR("docker.io")) && str_cut(ref->path, '/', &first, &rest) &&
	       (str_has_char(first, '.') || str_eq(first, STR("localhost")));
}

static void check(const struct image_ref *ref, struct arena *arena)
{
	struct str familiar = image_ref_familiar(ref, arena);
	struct image_ref again;

	if (is_ambiguous(ref))
		return;
	if (image_ref_parse(familiar, arena, &again))
		abort();
	if (!str_eq(ref->domain, again.domain) || !str_eq(ref->path, again.path))
		abort();
	if (!str_eq(ref->digest, again.digest))
		abort();
	if (!str_eq(familiar, image_ref_familiar(&again, arena)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = str_of((const char *)data, size);
	struct image_ref ref;
	struct error *err = image_ref_parse(text, &arena, &ref);

	(void)image_id_is(text);
	(void)image_id_maybe(text);
	if (!err)
		check(&ref, &arena);
	else if (!error_is(err, ERR_INVALID))
		abort();
	error_free(err);
	return 0;
}
