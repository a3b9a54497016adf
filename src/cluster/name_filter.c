/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/name_filter.h"

#include <string.h>

#include "base/strbuf.h"

/* "node-1/web" and "^/node-1/" name a node, "web", "/web" and "^/?web" do not. */
static bool names_a_node(struct str pattern)
{
	while (!str_empty(pattern) && strchr("^/?", pattern.p[0]))
		pattern = str_skip(pattern, 1);
	return str_has_char(pattern, '/');
}

/* A text that begins with a slash, with and without it. */
static bool finds(const struct filter *names, size_t i, struct str text, bool slashed)
{
	return filter_finds(names, i, str_skip(text, 1)) ||
	       (slashed && filter_finds(names, i, text));
}

bool name_filter_match(const struct filters *f, struct str node, struct str name, bool slashed)
{
	_cleanup_(strbuf_fini) struct strbuf full = STRBUF_INIT;
	const struct filter *names = filters_get(f, "name");
	struct str with_node, plain;

	if (!names || !names->n)
		return true;
	strbuf_addf(&full, "/%.*s/%.*s", STR_ARG(node), STR_ARG(name));
	with_node = strbuf_str(&full);
	plain = str_skip(with_node, with_node.n - name.n - 1);
	for (size_t i = 0; i < names->n; i++)
		if (finds(names, i, plain, slashed) ||
		    (names_a_node(names->values[i]) && finds(names, i, with_node, slashed)))
			return true;
	return false;
}
