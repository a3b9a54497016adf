/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The election's one fiber, and its role: follow, campaign, lead, and around again. What each of
 * these is, is in follower.c and candidate.c.
 */
#include "election/election.h"

#include <assert.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "election/internal.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "kv/kv.h"

/* A store that failed is asked again after some time between these. */
#define PAUSE_MIN (500 * MILLISECOND)
#define PAUSE_MAX (1500 * MILLISECOND)

struct election *election_new(const struct election_config *config)
{
	struct election *e = mem_new(struct election);

	e->config = *config;
	return e;
}

void election_free(struct election *e)
{
	if (!e)
		return;
	assert(e->fibers.n == 0);
	strbuf_fini(&e->primary);
	strbuf_fini(&e->key);
	free(e);
}

enum election_role election_role(const struct election *e)
{
	return e->role;
}

static bool is_legal(enum election_role from, enum election_role to)
{
	static const bool legal[3][3] = {
		[ELECTION_FOLLOWING] = { [ELECTION_FOLLOWING] = true, [ELECTION_LEADING] = true },
		[ELECTION_LEADING] = { [ELECTION_LAPSED] = true },
		[ELECTION_LAPSED] = { [ELECTION_FOLLOWING] = true, [ELECTION_LEADING] = true },
	};

	return legal[from][to];
}

static void log_role(const struct election *e)
{
	struct str self = str_from(e->config.advertise);

	if (e->role == ELECTION_LEADING)
		log_info("leader elected: this manager is the primary", LOG_STR("primary", self));
	else if (e->role == ELECTION_LAPSED)
		log_warn("leader lost: this manager is not the primary any more",
			 LOG_STR("manager", self));
	else if (e->primary.n)
		log_info("leader elected: another manager is the primary",
			 LOG_STR("primary", strbuf_str(&e->primary)));
	else
		log_info("leader lost: no manager is the primary");
}

void election_set_role(struct election *e, enum election_role role, struct str primary)
{
	if (role == e->role && str_eq(primary, strbuf_str(&e->primary)))
		return;
	assert(is_legal(e->role, role));
	e->role = role;
	strbuf_reset(&e->primary);
	strbuf_add(&e->primary, primary);
	log_role(e);
	e->config.observer->role(e->config.arg, role, primary);
}

void election_set_key(struct election *e, struct str key)
{
	if (str_eq(key, strbuf_str(&e->key)))
		return;
	strbuf_reset(&e->key);
	strbuf_add(&e->key, key);
	e->config.observer->key(e->config.arg, key);
}

static may_suspend struct error *take_part(struct election *e)
{
	bool is_free = false;

	TRY(follow(e, &is_free));
	return is_free ? campaign(e) : NULL;
}

/* Whom this manager follows, it goes on to follow while the store is away. */
static void note_outage(const struct election *e, const struct error *err, bool *away)
{
	const char *store = kv_scheme(e->config.kv);

	if (err)
		log_at(*away ? LOG_DEBUG : LOG_ERROR, "the store of the election cannot be asked",
		       LOG_CSTR("store", store), LOG_ERR(err));
	else if (*away)
		log_info("the store of the election can be asked again", LOG_CSTR("store", store));
	*away = err != NULL;
}

/* Until cancelled. */
static may_suspend void election_main(void *arg)
{
	struct election *e = arg;
	struct error *err = NULL;
	bool away = false;

	while (!error_is(err, ERR_CANCELLED)) {
		error_free(err);
		err = take_part(e);
		if (error_is(err, ERR_CANCELLED))
			break;
		note_outage(e, err, &away);
		if (!err)
			continue;
		error_free(err);
		err = fiber_sleep(rand_between(PAUSE_MIN, PAUSE_MAX));
	}
	error_free(err);
}

void election_start(struct election *e)
{
	group_go(&e->fibers, "election", election_main, e);
}

may_suspend void election_stop(struct election *e)
{
	fence_close(e->config.fence);
	group_finish(&e->fibers);
}
