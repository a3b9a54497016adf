/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Campaigning and leading. The lease's end is counted from before each call that got or renewed it,
 * on CLOCK_BOOTTIME, so that neither a late answer nor a stopped process makes it longer.
 */
#include "base/duration.h"
#include "base/log.h"
#include "base/rand.h"
#include "election/internal.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "kv/kv.h"

/*
 * Parts of the lease: how often it is renewed, how long a renewal that failed waits for the next,
 * how long the manager may prepare to lead, and how long before the end it does not act any more:
 * for clocks that differ in pace, and for what lies between the clock and the network.
 */
#define RENEW_PART   3
#define RETRY_PART   20
#define PREPARE_PART 4
#define MARGIN_PART  10

#define MANAGERS_KEY_DIGITS 32

/* Another one was faster. Or nobody may have the key yet, which is not to be asked in a hurry. */
#define LOST_PAUSE (100 * MILLISECOND)

struct term {
	struct election *election;
	struct kv_lease *lease;
	int64_t ttl;	 /* as granted */
	int64_t renewed; /* clock_boot() right before the call that did it */
};

static may_suspend void term_fini(struct term *t)
{
	kv_lease_end(t->lease);
}

static int64_t end_of(const struct term *t)
{
	return t->renewed + t->ttl - t->ttl / MARGIN_PART;
}

static struct error *lease_over(void)
{
	return error_new(ERR_UNAVAILABLE, "the lease ended before it could be renewed");
}

/* Said once, not at each campaign. */
static void note_granted(struct election *e, int64_t granted)
{
	_cleanup_(strbuf_fini) struct strbuf asked_text = STRBUF_INIT, granted_text = STRBUF_INIT;

	if (granted == e->granted)
		return;
	e->granted = granted;
	if (granted == e->config.ttl)
		return;
	duration_format(e->config.ttl, &asked_text);
	duration_format(granted, &granted_text);
	log_info("the store has a TTL of its own for the primary's lease",
		 LOG_CSTR("store", kv_scheme(e->config.kv)),
		 LOG_STR("asked", strbuf_str(&asked_text)),
		 LOG_STR("granted", strbuf_str(&granted_text)));
}

static may_suspend struct error *begin_term(struct term *t, bool *ret_won)
{
	struct election *e = t->election;
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(STORE_TIME);

	t->renewed = clock_boot();
	TRY(kv_lease_begin(e->config.kv, e->config.ttl, &t->lease));
	t->ttl = kv_lease_ttl(t->lease);
	note_granted(e, t->ttl);
	return kv_lock(e->config.kv, LEADER_KEY, str_from(e->config.advertise), t->lease, ret_won);
}

/* One that this manager knows from before is still what the others know. */
static may_suspend struct error *provide_key(struct election *e)
{
	_cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
	bool found;

	TRY(follow_key(e, &found));
	if (found)
		return NULL;
	strbuf_add(&key, strbuf_str(&e->key));
	if (!key.n)
		rand_hex(&key, MANAGERS_KEY_DIGITS);
	TRY(kv_put(e->config.kv, MANAGERS_KEY, strbuf_str(&key), NULL));
	election_set_key(e, strbuf_str(&key));
	return NULL;
}

/* The key is ours, but for how long? What is not ready in time is not done at all. */
static may_suspend struct error *prepare(struct term *t)
{
	struct election *e = t->election;
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(t->ttl / PREPARE_PART);

	TRY(provide_key(e));
	e->config.observer->elected(e->config.arg);
	return NULL;
}

/* Another one may have been made the leader by hand, or the store be a new one. */
static may_suspend struct error *check_key(const struct term *t, uint64_t *ret_revision)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct election *e = t->election;
	struct kv_value leader;

	TRY(kv_get(e->config.kv, LEADER_KEY, &arena, &leader));
	if (!leader.held || !str_eq(leader.value, str_from(e->config.advertise)))
		return error_new(ERR_NOT_FOUND, "the leader key is not this manager's any more");
	*ret_revision = leader.revision;
	return NULL;
}

/* ERR_NOT_FOUND: the key is lost. ERR_TIMEOUT: it is time to renew. */
static may_suspend struct error *watch_key(const struct term *t)
{
	uint64_t revision = 0;

	for (;;) {
		TRY(check_key(t, &revision));
		TRY(kv_wait(t->election->config.kv, LEADER_KEY, revision));
	}
}

static may_suspend struct error *until_renewal(const struct term *t)
{
	int64_t span = t->renewed + t->ttl / RENEW_PART - clock_boot();
	_cleanup_(deadline_end) struct deadline d = deadline_begin(span);
	struct error *err = watch_key(t);

	if (error_is(err, ERR_CANCELLED) || error_is(err, ERR_NOT_FOUND))
		return err;
	/* A store that cannot be watched now may be again when the lease is to be renewed. */
	error_free(err);
	err = fiber_sleep(span);
	if (!error_is(err, ERR_TIMEOUT))
		return err;
	error_free(err);
	return NULL;
}

static may_suspend struct error *renew(struct term *t)
{
	int64_t asked = clock_boot();
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(end_of(t) - asked);

	TRY(kv_lease_renew(t->lease));
	t->renewed = asked;
	t->ttl = kv_lease_ttl(t->lease);
	return NULL;
}

/* Again and again until the lease ends. */
static may_suspend struct error *renew_in_time(struct term *t)
{
	_cleanup_(error_freep) struct error *err = NULL;

	for (;;) {
		if (clock_boot() >= end_of(t))
			return err ? error_wrap(take(err), "the lease ended") : lease_over();
		error_free(take(err));
		err = renew(t);
		if (!err || error_is(err, ERR_CANCELLED) || error_is(err, ERR_NOT_FOUND))
			return take(err);
		log_warn("the lease as the primary cannot be renewed now", LOG_ERR(err));
		TRY(fiber_sleep(t->ttl / RETRY_PART));
	}
}

static may_suspend struct error *hold(struct term *t)
{
	for (;;) {
		TRY(until_renewal(t));
		TRY(renew_in_time(t));
		fence_extend(t->election->config.fence, end_of(t));
	}
}

static may_suspend struct error *lead(struct term *t)
{
	struct election *e = t->election;
	struct error *err;

	TRY(prepare(t));
	if (clock_boot() >= end_of(t))
		return lease_over();
	fence_open(e->config.fence, end_of(t));
	election_set_role(e, ELECTION_LEADING, STR_NONE);
	err = hold(t);
	/* Before the key goes, which is when another one may have it. */
	fence_close(e->config.fence);
	if (!error_is(err, ERR_CANCELLED))
		log_warn("this manager's time as the primary is over", LOG_ERR(err));
	election_set_role(e, ELECTION_LAPSED, STR_NONE);
	return err;
}

may_suspend struct error *campaign(struct election *e)
{
	_cleanup_(term_fini) struct term t = { .election = e };
	struct error *err;
	bool won = false;

	TRY(begin_term(&t, &won));
	if (!won)
		return fiber_sleep(LOST_PAUSE);
	err = lead(&t);
	/* That is no failure of the store: it says who leads now. */
	if (!error_is(err, ERR_NOT_FOUND))
		return err;
	error_free(err);
	return NULL;
}
