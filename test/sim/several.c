/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/several.h"

#include <stdio.h>

#include "base/rand.h"
#include "cli/managers.h"
#include "cli/record_kv.h"
#include "fiber/clock.h"
#include "net/listener.h"
#include "sim/internal.h"
#include "sim/store.h"

#define TTL (5 * SECOND)

struct manager {
	struct addr addr;
	char advertise[sizeof("10.9.0.1:4000")];
	struct sim_kv kv;
	struct record_kv records;
	struct managers managers;
	struct cluster *cluster; /* NULL: the process does not run */
	struct api *api;
	struct listener *listener;
};

static struct {
	struct sim_store store;
	struct manager v[SIM_MANAGERS];
} all;

static struct listener *listener_of(const struct addr *a)
{
	for (size_t i = 0; i < SIM_MANAGERS; i++)
		if (strcmp(all.v[i].addr.host, a->host) == 0)
			return all.v[i].listener;
	return NULL;
}

/* The story's requests and checks are about this one, which may be none. */
static void turn_to(struct sim *s, const struct manager *m)
{
	s->cluster = m->cluster;
	s->api = m->api;
	s->listener = m->listener;
}

static may_suspend void begin(struct sim *s, struct manager *m)
{
	struct cluster_config config = s->config;

	managers_init(&m->managers);
	sim_kv_init(&m->kv, &all.store);
	record_kv_init(&m->records, &m->kv.base, &m->managers.fence);
	config.fence = &m->managers.fence;
	config.records = &m->records.store;
	sim_begin_manager(s, &config);
	m->cluster = s->cluster;
	m->api = s->api;
	m->listener = s->listener;
	managers_start(&m->managers, &m->kv.base, m->advertise, TTL, m->api, m->cluster);
	sim_discover(s);
}

static may_suspend void end(struct sim *s, struct manager *m)
{
	if (!m->cluster)
		return;
	m->listener = NULL;
	api_stop(m->api);
	managers_stop(&m->managers);
	cluster_stop(m->cluster);
	api_free(take(m->api));
	cluster_free(take(m->cluster));
	turn_to(s, m);
}

/* Nobody is told, and nothing that it still says counts. */
static may_suspend void kill(struct sim *s, struct manager *m)
{
	m->kv.dead = true;
	fence_close(&m->managers.fence);
	end(s, m);
}

static struct manager *leader(void)
{
	struct manager *ret = NULL;

	for (size_t i = 0; i < SIM_MANAGERS; i++) {
		struct manager *m = &all.v[i];

		if (!m->cluster || !fence_is_open(&m->managers.fence))
			continue;
		assert_null(ret);
		ret = m;
	}
	return ret;
}

may_suspend bool sim_managers_lead(struct sim *s, int64_t within)
{
	int64_t until = clock_now() + within;

	while (!leader()) {
		if (clock_now() >= until)
			return false;
		sim_run(s, 10 * MILLISECOND);
	}
	turn_to(s, leader());
	return true;
}

may_suspend void sim_managers_up(struct sim *s)
{
	s->manager_at = listener_of;
	sim_store_init(&all.store);
	for (size_t i = 0; i < SIM_MANAGERS; i++) {
		struct manager *m = &all.v[i];

		*m = (struct manager){ .addr = { .kind = ADDR_TCP, .port = 4000 } };
		snprintf(m->addr.host, sizeof(m->addr.host), "10.9.0.%zu", i + 1);
		snprintf(m->advertise, sizeof(m->advertise), "%s:4000", m->addr.host);
		begin(s, m);
	}
	assert_true(sim_managers_lead(s, MINUTE));
	assert_ok(cluster_wait_settled(s->cluster));
}

static may_suspend void end_or_begin(struct sim *s, struct manager *m, bool in_order)
{
	if (!m->cluster)
		begin(s, m);
	else if (in_order)
		end(s, m);
	else
		kill(s, m);
}

may_suspend void sim_managers_disturb(struct sim *s)
{
	/* Mostly the one that matters. */
	struct manager *m = rand_below(3) ? leader() : NULL;

	if (!m)
		m = &all.v[rand_below(SIM_MANAGERS)];
	switch (rand_below(6)) {
	case 0:
	case 1:
		end_or_begin(s, m, false);
		break;
	case 2:
		end_or_begin(s, m, true);
		break;
	case 3:
		m->kv.cut = !m->kv.cut;
		break;
	case 4:
		all.store.down = !all.store.down;
		break;
	default:
		all.store.loses = (unsigned int)rand_below(200);
		all.store.delay = rand_between(MILLISECOND, SECOND);
		break;
	}
}

may_suspend void sim_managers_mend(struct sim *s)
{
	all.store.down = false;
	all.store.loses = 0;
	all.store.delay = 5 * MILLISECOND;
	for (size_t i = 0; i < SIM_MANAGERS; i++) {
		struct manager *m = &all.v[i];

		m->kv.cut = false;
		if (!m->cluster)
			begin(s, m);
	}
	assert_true(sim_managers_lead(s, 10 * MINUTE));
}

void sim_managers_check(struct sim *s)
{
	for (size_t i = 0; i < SIM_MANAGERS; i++) {
		turn_to(s, &all.v[i]);
		sim_check(s);
	}
	turn_to(s, leader());
}

may_suspend void sim_managers_down(struct sim *s)
{
	for (size_t i = 0; i < SIM_MANAGERS; i++)
		end(s, &all.v[i]);
	sim_store_fini(&all.store);
}
