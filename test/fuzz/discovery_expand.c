/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of a discovery entry: what comes out is bounded and all different, and is the entry itself
 * where it has no brackets.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "discovery/discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str pattern, const struct vec *texts)
{
	struct str first, last;

	if (texts->n == 0 || texts->n > LIMIT_RANGE_HOSTS)
		abort();
	first = *(struct str *)texts->v[0];
	last = *(struct str *)texts->v[texts->n - 1];
	/* Two ranges side by side can say one text twice, but never as the first and the last. */
	if (texts->n > 1 && str_eq(first, last))
		abort();
	if (!str_has_char(pattern, '[') && (texts->n != 1 || !str_eq(first, pattern)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(vec_fini) struct vec texts = VEC_INIT;
	struct str pattern = str_of((const char *)data, size);
	struct error *err = discovery_expand(pattern, &arena, &texts);

	if (!err)
		check(pattern, &texts);
	else if (!error_is(err, ERR_INVALID) || texts.n != 0)
		abort();
	error_free(err);
	return 0;
}
