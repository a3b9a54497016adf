/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What config_read.c and config_write.c have in common: the kinds of expressions, each with its
 * prefix in Env and its label, and how names stand in a body; specification.c needs the latter,
 * too.
 */
#ifndef DOCKER_CONFIG_INTERNAL_H
#define DOCKER_CONFIG_INTERNAL_H

#include "docker/config.h"

#define EXPR_KINDS 6

struct config_expr_kind {
	struct str env_prefix;
	const char *label;
};

/* In the order constraints, affinities, whitelists, reschedule, spreads, limits. */
extern const struct config_expr_kind config_expr_kinds[EXPR_KINDS];

/* The kind that an item of Env is of, by its prefix; NULL: a variable of the container's own. */
const struct config_expr_kind *config_expr_kind(struct str env);

/*
 * Where the name of another container stands in "db:ro", "/db:/web/alias" and "container:db"; the
 * rest of the text goes on as it is. An empty name: the text names none.
 */
struct str config_name_in_volumes_from(struct str text);
struct str config_name_in_link(struct str text);
struct str config_name_in_mode(struct str text);
/* The volume in a bind "name:/path[:opts]"; empty for a path of the host. */
struct str config_name_in_bind(struct str text);
/* Not one of the networks that each engine has of its own, nor a container's. */
bool config_network_is_named(struct str mode);

#endif
