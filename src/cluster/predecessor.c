/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/predecessor.h"

#define LABEL_REPLACES "com.docker.compose.replace"
#define SHORT_ID       12

/* Compose 1.x stops the old "web" and renames it to "0123456789ab_web", by its own id. */
static bool made_way(const struct container *ct, struct str name)
{
	struct str short_id = str_first(ct->id, SHORT_ID);

	return !container_status_is_up(ct->state.status) && ct->name.n == SHORT_ID + 1 + name.n &&
	       str_starts(ct->name, short_id) && ct->name.p[SHORT_ID] == '_' &&
	       str_eq(str_skip(ct->name, SHORT_ID + 1), name);
}

static const struct container *find(const struct cluster *c, struct str ref)
{
	struct container *ct = NULL;
	struct error *err = index_find(&c->containers, ref, &ct);

	error_free(err);
	return err ? NULL : ct;
}

/* Among those that hold its ports. */
static const struct container *one_that_made_way(const struct placement *p)
{
	for (size_t i = 0; i < p->c->nodes.n; i++) {
		const struct member *m = member_of_node(p->c->nodes.v[i]);

		for (size_t k = 0; k < p->flight.n_ports; k++) {
			const struct port_use *use =
				port_table_find(&m->ports, &p->flight.ports[k]);
			const struct container *ct = NULL;

			if (use && use->name.n == SHORT_ID + 1 + p->name.n)
				ct = find(p->c, str_first(use->name, SHORT_ID));
			if (ct && made_way(ct, p->name))
				return ct;
		}
	}
	return NULL;
}

const struct container *predecessor_of(const struct placement *p)
{
	/* Compose 2.x says it, and stops the old one only when there is the new one. */
	struct str replaces = json_get_str(p->config.labels, LABEL_REPLACES);

	if (!str_empty(replaces))
		return find(p->c, replaces);
	return str_empty(p->name) ? NULL : one_that_made_way(p);
}

static void step(const struct container *ct, int sign)
{
	struct member *m = member_of(ct->engine);

	m->sched.containers += sign;
	m->sched.reserved_nano_cpus += sign * ct->nano_cpus;
	m->sched.reserved_memory += sign * ct->memory;
	devices_step_container(m, ct, sign);
}

void predecessor_withdraw(const struct container *ct)
{
	struct member *m = member_of(ct->engine);

	step(ct, -1);
	labels_of_container(m, ct, NULL);
	for (size_t i = 0; i < ct->n_ports; i++)
		port_table_remove(&m->ports, &ct->ports[i], ct);
}

void predecessor_let_in(const struct container *ct)
{
	struct member *m = member_of(ct->engine);

	step(ct, 1);
	labels_of_container(m, NULL, ct);
	for (size_t i = 0; i < ct->n_ports; i++)
		port_table_add(&m->ports, &ct->ports[i], ct, ct->name);
}
