/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/managers.h"

#include "base/log.h"
#include "cluster/cluster.h"
#include "cluster/watchdog.h"
#include "net/addr.h"

void managers_init(struct managers *m)
{
	*m = (struct managers){ .fence = FENCE_INIT };
}

/*
 * What the primary before did last may not have been told here yet, and a name that it gave away
 * must not be given again.
 */
static may_suspend void on_elected(void *arg)
{
	struct managers *m = arg;
	struct error *err = cluster_reconcile(m->cluster);

	if (err)
		log_warn("not all nodes were looked at before leading", LOG_ERR(err));
	error_free(err);
}

static void follow_primary(struct managers *m, struct str primary)
{
	struct addr addr;
	struct error *err;

	if (str_empty(primary)) {
		api_pass_on(m->api, NULL);
		return;
	}
	err = addr_parse_host_port(primary, &addr);
	if (err)
		log_error("the primary's address in the store is none", LOG_STR("primary", primary),
			  LOG_ERR(err));
	api_pass_on(m->api, err ? NULL : &addr);
	error_free(err);
}

static void on_role(void *arg, enum election_role role, struct str primary)
{
	struct managers *m = arg;
	struct str self = str_from(m->advertise);

	switch (role) {
	case ELECTION_LEADING:
		api_serve(m->api);
		cluster_role_changed(m->cluster);
		cluster_tell_leader(m->cluster, "leader_elected", self);
		break;
	case ELECTION_LAPSED:
		/* Nobody else is known to lead: it goes on to serve what the fence lets through. */
		cluster_tell_leader(m->cluster, "leader_lost", self);
		break;
	case ELECTION_FOLLOWING:
		follow_primary(m, primary);
		if (!str_empty(primary))
			cluster_tell_leader(m->cluster, "leader_elected", primary);
		break;
	}
}

static void on_key(void *arg, struct str key)
{
	struct managers *m = arg;

	api_set_managers_key(m->api, key);
}

static const struct election_observer observer = {
	.elected = on_elected,
	.role = on_role,
	.key = on_key,
};

void managers_start(struct managers *m, struct kv *kv, const char *advertise, int64_t ttl,
		    struct api *api, struct cluster *cluster)
{
	m->api = api;
	m->cluster = cluster;
	m->advertise = advertise;
	m->election = election_new(&(struct election_config){
		.kv = kv,
		.advertise = advertise,
		.ttl = ttl,
		.fence = &m->fence,
		.observer = &observer,
		.arg = m,
	});
	election_start(m->election);
}

may_suspend void managers_stop(struct managers *m)
{
	if (!m->election)
		return;
	election_stop(m->election);
	election_free(take(m->election));
}
