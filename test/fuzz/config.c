/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of a create: without changes the same bytes go on; with changes what is written reads
 * again with the same expressions, and has none left in Env.
 */
#include <stdlib.h>

#include "docker/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool env_has_expressions(const struct container_config *c)
{
	struct json env = json_field(c->root, "Env"), item;
	struct json_iter it = json_iter(env);

	while (json_type(env) == JSON_ARRAY && json_next(&it, NULL, &item))
		if (str_starts(json_str(item), STR("constraint:")))
			return true;
	return false;
}

/* A name for each dependency, volume and network, so that all of them are written over. */
static size_t rename_all(const struct str_array *names, struct config_rename *renames, size_t max)
{
	size_t n = 0;

	for (; n < names->n && n < max; n++)
		renames[n] = (struct config_rename){ names->v[n], STR("re\"named") };
	return n;
}

static void check(const struct container_config *c, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct config_rename containers[8], volumes[8], networks[8];
	const struct config_changes changes = {
		.swarm_id = STR("5af3"),
		.label_cpus = 1500000000,
		.cpu_shares = 384,
		.containers = containers,
		.n_containers = rename_all(&c->dependencies, containers, 8),
		.volumes = volumes,
		.n_volumes = rename_all(&c->volumes, volumes, 8),
		.networks = networks,
		.n_networks = rename_all(&c->networks, networks, 8),
	};
	enum json_type labels = json_type(json_field(c->root, "Labels"));
	struct container_config again;

	container_config_write(c, &changes, arena, &out);
	if (container_config_read(strbuf_str(&out), arena, &again))
		abort();
	if (env_has_expressions(&again))
		abort();
	if (labels == JSON_OBJECT || labels == JSON_MISSING || labels == JSON_NULL)
		if (again.constraints.n != c->constraints.n ||
		    again.affinities.n != c->affinities.n || str_empty(again.swarm_id) ||
		    again.label_nano_cpus != 1500000000)
			abort();
}

/* Nothing to say and nothing to change: a body with a weight or expressions has some. */
static void check_untouched(const struct container_config *c, struct str body, struct arena *arena)
{
	const struct config_changes none = { .cpu_shares = -1 };
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	if (c->cpu_shares > 0 || c->constraints.n || c->affinities.n || c->whitelists.n ||
	    c->reschedule.n || c->spreads.n || c->limits.n)
		return;
	container_config_write(c, &none, arena, &out);
	if (!str_eq(strbuf_str(&out), body))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str body = str_of((const char *)data, size);
	struct container_config c;
	struct error *err = container_config_read(body, &arena, &c);

	if (!err) {
		check_untouched(&c, body, &arena);
		check(&c, &arena);
	} else if (!error_is(err, ERR_INVALID)) {
		abort();
	}
	error_free(err);
	return 0;
}
