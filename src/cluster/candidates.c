/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/candidates.h"

#define SHORT_ID 12

void candidates_fini(struct candidates *c)
{
	strbuf_fini(&c->names);
}

void candidates_add(struct candidates *c, struct str node, struct str name, struct str id)
{
	if (c->n++ >= SHOWN_CANDIDATES)
		return;
	strbuf_addf(&c->names, "%s%.*s/%.*s", c->n > 1 ? ", " : "", STR_ARG(node), STR_ARG(name));
	if (!str_empty(id))
		strbuf_addf(&c->names, " (%.*s)", STR_ARG(str_first(id, SHORT_ID)));
}

struct error *candidates_error(const struct candidates *c, struct str what)
{
	return error_new(ERR_AMBIGUOUS, "%.*s is ambiguous, it may be any of: %.*s%s",
			 STR_ARG(what), STR_ARG(strbuf_str(&c->names)),
			 c->n > SHOWN_CANDIDATES ? " and others" : "");
}
