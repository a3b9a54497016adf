/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes://a:2375,b:[2375:2377]: the addresses are in the URI itself, and never change.
 */
#include "base/mem.h"
#include "base/strbuf.h"
#include "discovery/backend.h"
#include "fiber/waitq.h"

struct nodes {
	struct discovery base;
	char *text;
	struct waitq never;
};

static void split(struct str text, struct arena *arena, struct vec *ret)
{
	struct str part;

	while (str_next(&text, ',', &part)) {
		part = str_trim(part);
		if (!str_empty(part))
			discovery_push(arena, ret, part);
	}
}

/* Who wrote the command line is there to mend it: a list without one good address is refused. */
static struct error *check(struct str text)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(vec_fini) struct vec patterns = VEC_INIT, addresses = VEC_INIT;
	_cleanup_(error_freep) struct error *first = NULL;
	struct addr addr;

	split(text, &arena, &patterns);
	for (size_t i = 0; i < patterns.n; i++)
		TRY(discovery_expand(*(struct str *)patterns.v[i], &arena, &addresses));
	for (size_t i = 0; i < addresses.n; i++) {
		struct error *err = addr_parse_host_port(*(struct str *)addresses.v[i], &addr);

		if (!err)
			return NULL;
		error_keep(&first, err);
	}
	if (!first)
		return error_new(ERR_INVALID, "nodes:// names no node");
	return take(first);
}

static struct error *nodes_open(struct str rest, _unused_ const struct discovery_options *options,
				struct discovery **ret)
{
	struct nodes *nodes;

	TRY(check(rest));
	nodes = mem_new(struct nodes);
	nodes->text = str_dup(rest);
	*ret = &nodes->base;
	return NULL;
}

static may_suspend struct error *nodes_fetch(struct discovery *d, struct arena *arena,
					     struct vec *ret)
{
	split(str_from(container_of(d, struct nodes, base)->text), arena, ret);
	return NULL;
}

static may_suspend struct error *nodes_wait(struct discovery *d)
{
	struct nodes *nodes = container_of(d, struct nodes, base);

	for (;;)
		TRY(waitq_wait(&nodes->never, "nothing: nodes:// never changes"));
}

static void nodes_close(struct discovery *d)
{
	struct nodes *nodes = container_of(d, struct nodes, base);

	waitq_fini(&nodes->never);
	free(nodes->text);
	free(nodes);
}

const struct discovery_backend discovery_nodes = {
	.scheme = "nodes",
	.has_ranges = true,
	.open = nodes_open,
	.fetch = nodes_fetch,
	.wait = nodes_wait,
	.close = nodes_close,
};
