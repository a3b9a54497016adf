/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/pool.h"

#include "sim/internal.h"

may_suspend void pool_up(struct sim *s, int n)
{
	for (int i = 1; i <= n; i++)
		sim_engine(s, sim_text(s, "n%d", i));
	sim_up(s);
}

size_t pool_count(const struct sim *s, pool_has_fn *has, const char *what)
{
	size_t n = 0;

	for (size_t i = 0; i < s->engines.n; i++)
		n += has(s->engines.v[i], what);
	return n;
}

size_t pool_calls(const struct sim *s, const char *request)
{
	size_t n = 0;

	for (size_t i = 0; i < s->engines.n; i++)
		n += sim_calls(s->engines.v[i], request);
	return n;
}

size_t count_lines(struct sim_reply r, const char *part)
{
	struct str rest = r.body, line;
	size_t n = 0;

	while (str_next(&rest, '\n', &line))
		n += str_contains(line, str_from(part));
	return n;
}
