/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updating a container: what its CPU shares mean is said here and in a create alike.
 */
#include "cluster/placement.h"
#include "json/edit.h"

struct error *cluster_update_body(const struct cluster *c, const struct container *ct,
				  struct str body, struct arena *arena, struct str *ret)
{
	const struct engine_info *info = engine_info(ct->engine);
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json root, asked;
	struct json_edit *edit;
	int64_t shares, cores;

	*ret = body;
	TRY(json_parse(body, arena, &root));
	asked = json_field(root, "CpuShares");
	if (!json_to_i64(asked, &shares))
		return NULL;
	cores = config_shares_as_nano_cpus(shares, c->config.cpushares,
					   placement_largest_node_cpus(c));
	if (!cores)
		return NULL;

	shares = config_nano_cpus_as_shares(cores, info ? info->cpus : 0);
	edit = json_edit_new(root, arena);
	json_edit_replace(edit, asked, arena_printf(arena, "%lld", (long long)shares));
	json_edit_apply(edit, &out);
	*ret = arena_dup(arena, strbuf_str(&out));
	return NULL;
}
