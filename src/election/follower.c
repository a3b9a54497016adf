/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following: who leads, and what the managers know each other by, as the store has it.
 */
#include "base/duration.h"
#include "base/log.h"
#include "election/internal.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "kv/kv.h"

/* A primary makes the managers' key right after it was elected for the first time. */
#define KEY_PAUSE (200 * MILLISECOND)

static may_suspend struct error *read_value(struct election *e, struct str key, struct arena *arena,
					    struct kv_value *ret)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(STORE_TIME);

	return kv_get(e->config.kv, key, arena, ret);
}

may_suspend struct error *follow_key(struct election *e, bool *ret_found)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_value value;

	TRY(read_value(e, MANAGERS_KEY, &arena, &value));
	*ret_found = value.found && !str_empty(value.value);
	if (*ret_found)
		election_set_key(e, value.value);
	return NULL;
}

/* Said once, as long as it lasts. */
static void note_self(struct election *e, bool is_self)
{
	if (is_self && !e->saw_self)
		log_warn(
			"the leader key has this manager's own address: it is left from an earlier "
			"run and goes when its lease ends, or another manager has the same "
			"--advertise",
			LOG_CSTR("advertise", e->config.advertise));
	e->saw_self = is_self;
}

may_suspend struct error *follow(struct election *e, bool *ret_free)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_value leader;
	bool has_key = false;

	TRY(read_value(e, LEADER_KEY, &arena, &leader));
	*ret_free = !leader.found || !leader.held;
	if (leader.found && !leader.held)
		log_warn("the leader key names a manager that does not hold it: it is free",
			 LOG_STR("manager", leader.value));
	note_self(e, !*ret_free && str_eq(leader.value, str_from(e->config.advertise)));
	if (*ret_free)
		return NULL;

	TRY(follow_key(e, &has_key));
	/* What is left of this manager's last life leads nobody, and goes when its lease does. */
	if (!str_eq(leader.value, str_from(e->config.advertise)))
		election_set_role(e, ELECTION_FOLLOWING, leader.value);
	else if (e->role == ELECTION_FOLLOWING)
		election_set_role(e, ELECTION_FOLLOWING, STR(""));
	if (!has_key)
		return fiber_sleep(KEY_PAUSE);
	return kv_wait(e->config.kv, LEADER_KEY, leader.revision);
}
