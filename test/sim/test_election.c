/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managers that elect a primary over a store that loses and delays messages, ends leases, stands
 * still and forgets, while they are cut off, stand still, die and start again. At every write that
 * a manager begins, the store must hold it for the leader, and nobody else may be able to write;
 * and once all is well again, one leads and the others know it.
 *
 * SIM_SEED=7 runs one seed, SIM_SEEDS=5000 as many, SIM_LOG=1 shows what happens.
 */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "election/election.h"
#include "fiber/clock.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "sim/store.h"

#define MOST_NODES 4
#define LEADER	   STR("docker/swarm/leader")

struct world;

struct node {
	struct world *world;
	char name[40];
	struct sim_kv kv;
	struct fence fence;
	struct election *election;  /* NULL: the process does not run */
	struct strbuf primary, key; /* as it was told */
	enum election_role role;
	uint64_t writes, refused;
};

struct world {
	struct sim_store store;
	struct node nodes[MOST_NODES];
	size_t n;
	int64_t ttl;
	bool over;
	struct group fibers;
};

static may_suspend void on_elected(void *arg)
{
	struct node *n = arg;

	/* Looking at all nodes takes its time. */
	error_free(fiber_sleep(rand_between(0, n->world->ttl / 3)));
	sim_kv_run(&n->kv);
}

static void on_role(void *arg, enum election_role role, struct str primary)
{
	struct node *n = arg;

	n->role = role;
	strbuf_reset(&n->primary);
	strbuf_add(&n->primary, primary);
	assert_true(role == ELECTION_LEADING || !fence_is_open(&n->fence));
}

static void on_key(void *arg, struct str key)
{
	struct node *n = arg;

	strbuf_reset(&n->key);
	strbuf_add(&n->key, key);
}

static const struct election_observer observer = {
	.elected = on_elected,
	.role = on_role,
	.key = on_key,
};

static void node_start(struct node *n)
{
	n->fence = (struct fence)FENCE_INIT;
	n->role = ELECTION_FOLLOWING;
	strbuf_reset(&n->primary);
	strbuf_reset(&n->key);
	sim_kv_init(&n->kv, &n->world->store);
	n->election = election_new(&(struct election_config){
		.kv = &n->kv.base,
		.advertise = n->name,
		.ttl = n->world->ttl,
		.fence = &n->fence,
		.observer = &observer,
		.arg = n,
	});
	election_start(n->election);
}

/* As SIGTERM does. */
static may_suspend void node_stop(struct node *n)
{
	if (!n->election)
		return;
	election_stop(n->election);
	election_free(take(n->election));
}

/* As SIGKILL does: nobody is told. */
static may_suspend void node_kill(struct node *n)
{
	n->kv.dead = true;
	fence_close(&n->fence);
	node_stop(n);
}

static bool leads(const struct node *n)
{
	return n->election && n->role == ELECTION_LEADING && fence_is_open(&n->fence);
}

static void check_write(struct node *n)
{
	const struct world *w = n->world;

	assert_true(fence_is_open(&n->fence));
	assert_str(sim_store_value(&w->store, LEADER), n->name);
	for (size_t i = 0; i < w->n; i++)
		assert_true(&w->nodes[i] == n || !fence_is_open(&w->nodes[i].fence));
	n->writes++;
}

/* Operations of several writes, one after the other, whenever the process runs. */
static may_suspend struct error *operate(struct node *n)
{
	uint64_t term = n->fence.term;
	struct error *err = fence_enter(&n->fence);

	for (uint64_t i = 1 + rand_below(4); i > 0 && !err; i--) {
		TRY(fiber_sleep(rand_between(0, n->world->ttl / 4)));
		sim_kv_run(&n->kv);
		err = fence_check(&n->fence);
		if (err)
			break;
		assert_int_equal(n->fence.term, term);
		check_write(n);
	}
	n->refused += err != NULL;
	error_free(err);
	return NULL;
}

static may_suspend void write_on_and_on(void *arg)
{
	struct node *n = arg;
	struct error *err = NULL;

	while (!err) {
		err = fiber_sleep(rand_between(0, n->world->ttl / 5));
		sim_kv_run(&n->kv);
		if (!err && n->election)
			err = operate(n);
	}
	error_free(err);
}

static bool is_settled(const struct world *w)
{
	const struct node *leader = NULL;

	for (size_t i = 0; i < w->n; i++) {
		if (!leads(&w->nodes[i]))
			continue;
		if (leader)
			return false;
		leader = &w->nodes[i];
	}
	for (size_t i = 0; leader && i < w->n; i++) {
		const struct node *n = &w->nodes[i];

		if (!n->key.n || !str_eq(strbuf_str(&n->key), strbuf_str(&leader->key)))
			return false;
		if (n != leader && !(n->role == ELECTION_FOLLOWING &&
				     str_eq(strbuf_str(&n->primary), str_from(leader->name))))
			return false;
	}
	return leader != NULL;
}

/* Fails where they do not agree in the span; how long it took. */
static may_suspend int64_t settle(struct world *w, int64_t span)
{
	int64_t start = clock_now();

	while (!is_settled(w)) {
		assert_true(clock_now() - start < span);
		assert_ok(fiber_sleep(10 * MILLISECOND));
	}
	return clock_now() - start;
}

static struct node *leader_of(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (leads(&w->nodes[i]))
			return &w->nodes[i];
	fail_msg("nobody leads");
	return NULL;
}

typedef may_suspend void world_fn(struct world *w);

static may_suspend void world_run(struct world *w, size_t n, int64_t ttl, world_fn *fn)
{
	w->n = n;
	w->ttl = ttl;
	sim_store_init(&w->store);
	for (size_t i = 0; i < n; i++) {
		struct node *node = &w->nodes[i];

		node->world = w;
		snprintf(node->name, sizeof(node->name), "10.0.0.%zu:4000", i + 1);
		node_start(node);
		group_go(&w->fibers, "writer", write_on_and_on, node);
	}
	fn(w);
	group_finish(&w->fibers);
	for (size_t i = 0; i < n; i++) {
		node_stop(&w->nodes[i]);
		strbuf_fini(&w->nodes[i].primary);
		strbuf_fini(&w->nodes[i].key);
	}
	sim_store_fini(&w->store);
}

static may_suspend void pass(struct world *w, int64_t span)
{
	(void)w;
	assert_ok(fiber_sleep(span));
}

static void cut_or_heal(struct node *n)
{
	n->kv.cut = !n->kv.cut;
}

static void stand_still(struct node *n)
{
	n->kv.paused_until = clock_now() + rand_between(0, 3 * n->world->ttl);
}

static may_suspend void end_or_begin(struct node *n, bool in_order)
{
	if (!n->election)
		node_start(n);
	else if (in_order)
		node_stop(n);
	else
		node_kill(n);
}

/* What a store forgets it forgets only when it was away for longer than any lease. */
static may_suspend void store_fails(struct world *w)
{
	struct sim_store *s = &w->store;

	s->down = true;
	if (rand_below(3) == 0) {
		pass(w, 2 * w->ttl);
		sim_store_wipe(s);
	} else {
		pass(w, rand_between(0, 2 * w->ttl));
	}
	s->down = false;
}

static may_suspend void something_happens(struct world *w)
{
	struct node *n = &w->nodes[rand_below(w->n)];

	switch (rand_below(8)) {
	case 0:
		cut_or_heal(n);
		break;
	case 1:
	case 2:
		stand_still(n);
		break;
	case 3:
		end_or_begin(n, false);
		break;
	case 4:
		end_or_begin(n, true);
		break;
	case 5:
		store_fails(w);
		break;
	case 6:
		sim_store_extend(&w->store);
		break;
	default: /* for once nothing */
		break;
	}
}

static void all_is_well(struct world *w)
{
	w->store.loses = 0;
	w->store.delay = 5 * MILLISECOND;
	for (size_t i = 0; i < w->n; i++) {
		w->nodes[i].kv.cut = false;
		w->nodes[i].kv.paused_until = 0;
		if (!w->nodes[i].election)
			node_start(&w->nodes[i]);
	}
}

static may_suspend void chaos(struct world *w)
{
	int64_t until = clock_now() + 20 * w->ttl;
	uint64_t writes = 0;

	w->store.loses = (unsigned int)rand_below(200);
	w->store.delay = rand_between(MILLISECOND, w->ttl / 10);
	w->store.fast = (unsigned int)rand_below(10);
	if (rand_below(3) == 0)
		w->store.grants_most = rand_between(w->ttl / 2, w->ttl);
	while (clock_now() < until) {
		pass(w, rand_between(0, w->ttl));
		something_happens(w);
	}
	all_is_well(w);
	/* Stand still that began before ends on its own time. */
	pass(w, 3 * w->ttl);
	settle(w, 3 * w->ttl + 30 * SECOND);
	for (size_t i = 0; i < w->n; i++)
		writes += w->nodes[i].writes;
	pass(w, 4 * w->ttl);
	for (size_t i = 0; i < w->n; i++)
		writes -= w->nodes[i].writes;
	/* The fence lets through what it should, too. */
	assert_true((int64_t)writes < 0);
}

static may_suspend void one_is_elected_and_replaced(struct world *w)
{
	struct node *first, *second;

	assert_true(settle(w, w->ttl) < w->ttl / 2);
	first = leader_of(w);
	/* In order: at once. */
	node_stop(first);
	assert_false(fence_is_open(&first->fence));
	pass(w, 3 * SECOND + w->ttl / 3);
	second = leader_of(w);
	assert_ptr_not_equal(first, second);
	node_start(first);
	settle(w, SECOND);
	/*
	 * Dead: when the lease ends. It comes back meanwhile, and does not follow its own shadow.
	 */
	node_kill(second);
	node_start(second);
	pass(w, w->ttl / 4);
	assert_str(sim_store_value(&w->store, LEADER), second->name);
	assert_int_equal(second->role, ELECTION_FOLLOWING);
	assert_int_equal(second->primary.n, 0);
	assert_true(settle(w, 2 * w->ttl) < w->ttl + w->ttl / 2);
}

/* Somebody leads, in that term. */
static may_suspend struct node *somebody_leads(struct world *w, uint64_t *ret_term)
{
	struct node *leader;

	settle(w, w->ttl);
	leader = leader_of(w);
	*ret_term = leader->fence.term;
	return leader;
}

/* After what was done to the store it does not lead as before, and somebody leads. */
static may_suspend void a_new_term_begins(struct world *w, const struct node *before, uint64_t term)
{
	pass(w, SECOND);
	assert_false(leads(before) && before->fence.term == term);
	settle(w, w->ttl);
}

static may_suspend void a_lost_lease_leads_to_a_new_campaign(struct world *w)
{
	uint64_t term;
	struct node *first = somebody_leads(w, &term);

	/* The store has forgotten everything, the lease too. */
	sim_store_wipe(&w->store);
	a_new_term_begins(w, first, term);
	/* The managers know each other by the same key as before. */
	assert_true(str_eq(sim_store_value(&w->store, STR("docker/swarm/managers-key")),
			   strbuf_str(&first->key)));
}

static may_suspend void who_stood_still_steps_down_first(struct world *w)
{
	struct node *first;

	settle(w, w->ttl);
	first = leader_of(w);
	first->kv.paused_until = clock_now() + 3 * w->ttl;
	pass(w, 3 * w->ttl - MILLISECOND);
	assert_false(fence_is_open(&first->fence));
	assert_ptr_not_equal(leader_of(w), first);
	pass(w, 5 * SECOND);
	settle(w, w->ttl);
	assert_int_equal(first->role, ELECTION_FOLLOWING);
}

static may_suspend void without_a_store_one_leads_to_its_leases_end(struct world *w)
{
	struct node *first;
	int64_t gone;

	settle(w, w->ttl);
	first = leader_of(w);
	w->store.down = true;
	gone = clock_now();
	pass(w, w->ttl / 2);
	assert_true(leads(first));
	while (leads(first))
		pass(w, 10 * MILLISECOND);
	assert_true(clock_now() - gone < w->ttl);
	pass(w, 2 * MINUTE);
	assert_int_equal(first->role, ELECTION_LAPSED);
	for (size_t i = 0; i < w->n; i++) {
		const struct node *n = &w->nodes[i];

		/* The others go on to follow it: it still can read. */
		assert_true(n == first || str_eq(strbuf_str(&n->primary), str_from(first->name)));
	}
	w->store.down = false;
	settle(w, 2 * w->ttl);
}

static may_suspend void a_key_taken_away_by_hand_is_noticed(struct world *w)
{
	uint64_t term;
	struct node *first = somebody_leads(w, &term);

	/* At that moment alone the store and the leader may disagree. */
	group_finish(&w->fibers);
	sim_store_remove(&w->store, LEADER);
	a_new_term_begins(w, first, term);
}

/* Swarm 1.2 left the key behind in ZooKeeper, and in Consul where it was stopped in order. */
static may_suspend void a_key_that_nobody_holds_leads_nobody(struct world *w)
{
	sim_store_write(&w->store, LEADER, STR("10.9.9.9:4000"));
	settle(w, w->ttl);
}

static may_suspend void a_key_written_by_hand_begins_an_election(struct world *w)
{
	uint64_t term;
	struct node *first = somebody_leads(w, &term);

	/* At that moment alone the store and the leader may disagree. */
	group_finish(&w->fibers);
	sim_store_write(&w->store, LEADER, str_from(first->name));
	a_new_term_begins(w, first, term);
}

static size_t times_said;

static void hear(_unused_ enum log_level level, struct str line, _unused_ void *arg)
{
	times_said += str_contains(line, STR("another manager has the same --advertise"));
}

static may_suspend void one_with_the_leaders_address_says_so(struct world *w)
{
	struct node *other;

	settle(w, w->ttl);
	other = leader_of(w) == &w->nodes[0] ? &w->nodes[1] : &w->nodes[0];
	node_stop(other);
	snprintf(other->name, sizeof(other->name), "%s", leader_of(w)->name);
	log_set_level(LOG_WARN);
	log_set_sink(hear, NULL);
	node_start(other);
	pass(w, MINUTE);
	assert_int_equal(times_said, 1);
	assert_int_equal(other->role, ELECTION_FOLLOWING);
	assert_int_equal(other->primary.n, 0);
}

static void hear_grant(_unused_ enum log_level level, struct str line, _unused_ void *arg)
{
	times_said += str_contains(line, STR("lease\" store=sim asked=10s granted=4s"));
}

/* It leads no longer than that without the store, though it asked for more; it is told once. */
static may_suspend void what_the_store_grants_counts(struct world *w)
{
	struct node *first;
	int64_t gone;

	w->store.grants_most = 4 * SECOND;
	log_set_level(LOG_INFO);
	log_set_sink(hear_grant, NULL);
	settle(w, w->ttl);
	first = leader_of(w);
	pass(w, MINUTE);
	assert_true(leads(first));
	w->store.down = true;
	gone = clock_now();
	while (leads(first))
		pass(w, 10 * MILLISECOND);
	assert_true(clock_now() - gone < 4 * SECOND);
	w->store.down = false;
	settle(w, 2 * w->ttl);
	pass(w, MINUTE);
	assert_in_range(times_said, 1, w->n);
}

struct told {
	world_fn *fn;
	size_t nodes;
	int64_t ttl;
	uint64_t seed;
};

static may_suspend void told_main(void *arg)
{
	const struct told *t = arg;
	struct world w = { 0 };

	world_run(&w, t->nodes, t->ttl, t->fn);
}

static void tell_in_process(void *arg)
{
	const struct told *t = arg;

	log_set_level(getenv("SIM_LOG") ? LOG_DEBUG : LOG_FATAL);
	log_set_clock(clock_wall);
	rand_seed(t->seed);
	loop_run(LOOP_VIRTUAL, told_main, arg);
}

static void tell_story(uint64_t seed, void *arg)
{
	struct told t = *(const struct told *)arg;

	t.seed = seed;
	sim_apart("an election", seed, tell_in_process, &t);
}

static void tell_chaos(uint64_t seed, void *arg)
{
	struct told t = { .fn = chaos, .seed = seed };

	(void)arg;
	t.nodes = 2 + seed % (MOST_NODES - 1);
	t.ttl = (int64_t)(1 + seed % 10) * SECOND;
	sim_apart("chaos", seed, tell_in_process, &t);
}

static void test_story(void **state)
{
	sim_each_seed(5, tell_story, *state);
}

static void test_chaos(_unused_ void **state)
{
	sim_each_seed(300, tell_chaos, NULL);
}

#define ELECTION(story)                                                                  \
	{                                                                                \
		.name = #story, .test_func = test_story, .initial_state = &(struct told) \
		{                                                                        \
			.fn = (story), .nodes = 3, .ttl = 10 * SECOND                    \
		}                                                                        \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ELECTION(one_is_elected_and_replaced),
		ELECTION(a_lost_lease_leads_to_a_new_campaign),
		ELECTION(who_stood_still_steps_down_first),
		ELECTION(without_a_store_one_leads_to_its_leases_end),
		ELECTION(a_key_taken_away_by_hand_is_noticed),
		ELECTION(a_key_that_nobody_holds_leads_nobody),
		ELECTION(a_key_written_by_hand_begins_an_election),
		ELECTION(one_with_the_leaders_address_says_so),
		ELECTION(what_the_store_grants_counts),
		cmocka_unit_test(test_chaos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
