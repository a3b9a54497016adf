/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/failures.h"

#define NAMED 20 /* nodes; of more the client learns how many */

static bool is_same(const struct error *a, const struct error *b)
{
	return error_kind(a) == error_kind(b) && error_status(a) == error_status(b) &&
	       str_eq(str_from(error_message(a)), str_from(error_message(b)));
}

void failures_add(struct failures *f, const struct engine *e, struct error *err)
{
	f->nodes++;
	if (!err)
		return;
	f->failed++;
	if (!f->first)
		f->first = error_copy(err);
	else
		f->differ = f->differ || !is_same(f->first, err);
	if (f->failed > NAMED)
		error_free(err);
	else
		f->named = error_join(f->named, error_wrap(err, "%.*s", STR_ARG(engine_name(e))));
}

struct error *failures_join(struct failures *f)
{
	_cleanup_(error_freep) struct error *first = take(f->first), *named = take(f->named);
	struct failures was = *f;

	*f = (struct failures){ 0 };
	if (!was.failed)
		return NULL;
	if (was.failed == was.nodes && !was.differ)
		return take(first);
	if (was.failed <= NAMED)
		return take(named);
	return error_join(take(named),
			  error_new(ERR_ENGINE, "and %zu nodes more", was.failed - NAMED));
}
