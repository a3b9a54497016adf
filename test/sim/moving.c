/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/moving.h"

#include "sim/internal.h"
#include "sim/records.h"

may_suspend void pool(struct sim *s, int n)
{
	sim_records(s);
	for (int i = 1; i <= n; i++)
		sim_engine(s, sim_text(s, "n%d", i));
	sim_up(s);
}

may_suspend void pool_with_networks(struct sim *s)
{
	sim_records(s);
	sim_engine(s, "n1", SWARM_MODE_WORKER);
	sim_engine(s, "n2", SWARM_MODE_MANAGER);
	sim_up(s);
	assert_status(sim_post(s, "/networks/create", "{\"Name\":\"back\"}"), 201);
	assert_status(sim_post(s, "/networks/create", "{\"Name\":\"front\"}"), 201);
}

may_suspend void end(struct sim *s)
{
	sim_settle(s);
	sim_records_free();
}

size_t copies(struct sim *s, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < s->engines.n; i++)
		n += sim_has_container(s->engines.v[i], name);
	return n;
}

bool runs_on(struct sim *s, const char *on, const char *name)
{
	return sim_is_running(sim_find_engine(s, on), name);
}

may_suspend const char *listed(struct sim *s, const char *path)
{
	struct sim_reply r = sim_get(s, path);
	struct json_iter it = json_iter(r.json), names;
	const char *text = "";
	struct json v, name;

	assert_status(r, 200);
	while (json_next(&it, NULL, &v)) {
		names = json_iter(json_get(v, "Names"));
		while (json_next(&names, NULL, &name))
			text = sim_text(s, "%s%.*s ", text, STR_ARG(json_str(name)));
		text = sim_text(s, "%s%.*s;", text, STR_ARG(json_get_str(v, "State")));
	}
	return text;
}

may_suspend const char *label(struct sim *s, const char *name, const char *key)
{
	struct sim_reply r = sim_get(s, sim_text(s, "/containers/%s/json", name));

	assert_status(r, 200);
	return sim_text(s, "%.*s", STR_ARG(json_get_str(json_path(r.json, "Config.Labels"), key)));
}
