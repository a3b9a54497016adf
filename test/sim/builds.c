/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/builds.h"

struct sim_engine *node(struct sim *s, const char *name)
{
	return sim_find_engine(s, name);
}

bool has_line(struct str body, const char *part)
{
	return str_contains(body, str_from(part));
}

may_suspend struct sim_reply built(struct sim *s, const char *query, const char *context)
{
	struct sim_reply r = sim_post(s, sim_text(s, "/build?%s", query), context);

	assert_status(r, 200);
	if (!has_line(r.body, "Successfully built"))
		fail_msg("not built: %.*s", STR_ARG(r.body));
	return r;
}
