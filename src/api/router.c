/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the row for a request. What the rows are is routes.c.
 */
#include "api/routes.h"

/* "/checkpoints/" of "/containers/{id}/checkpoints/{name}". */
static struct str between_names(struct str pattern)
{
	struct str before, name, rest;

	if (!str_cut(pattern, '}', &before, &rest) || !str_cut(rest, '{', &name, &rest))
		return STR("");
	return name;
}

bool route_pattern_match(struct str pattern, struct str path, struct str *ret_name)
{
	ptrdiff_t open = str_find_char(pattern, '{');
	ptrdiff_t close = str_rfind_char(pattern, '}');
	struct str head, tail, middle;

	*ret_name = STR_NONE;
	if (open < 0)
		return str_eq(pattern, path);
	head = str_first(pattern, (size_t)open);
	tail = str_skip(pattern, (size_t)close + 1);
	if (path.n <= head.n + tail.n || !str_starts(path, head) || !str_ends(path, tail))
		return false;
	*ret_name = str_first(str_skip(path, head.n), path.n - head.n - tail.n);
	middle = between_names(pattern);
	return str_empty(middle) ||
	       (!str_starts(*ret_name, middle) && !str_ends(*ret_name, middle) &&
		str_contains(*ret_name, middle));
}

const struct route *route_find(struct str method, struct str path, struct str *ret_name)
{
	for (size_t i = 0; i < n_routes; i++) {
		const struct route *route = &routes[i];

		if (str_eq(str_from(route->method), method) &&
		    route_pattern_match(str_from(route->pattern), path, ret_name))
			return route;
	}
	*ret_name = STR_NONE;
	return NULL;
}

struct str route_tail(const struct route *route)
{
	struct str pattern = str_from(route->pattern);

	return str_skip(pattern, (size_t)(str_rfind_char(pattern, '}') + 1));
}
