/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rescheduling while everything goes wrong: nodes are cut off, stopped and brought back, managers
 * are killed in the middle of moves, lines break, room is short, people remove things, start and
 * stop them, and put others in their places. In the end, when all is well again and some time has
 * passed: one copy of each container is there, under its name, and runs where it is meant to; what
 * was removed is gone, wherever a copy of it was; nothing else was touched. Told once more what is
 * said arrives late, the clocks of machines are set, forth and back, and the manager is not the
 * primary for a while. And told with several managers, which elect one after the other while their
 * store fails, and are killed, ended and begun again.
 *
 * SIM_SEEDS=2000 tells each for that many seeds.
 */
#include "base/rand.h"
#include "cluster/watchdog.h"
#include "fiber/fence.h"
#include "sim/records.h"
#include "sim/several.h"
#include "sim/sim.h"

#define NODES	   4
#define CONTAINERS 8
#define STEPS	   40

enum fate { THERE, REMOVED, UNCERTAIN };

static struct {
	enum fate fate[CONTAINERS];
	bool runs[CONTAINERS]; /* it is meant to */
	bool cut[NODES];
	const char *swarm_ids[CONTAINERS];
	bool is_known[CONTAINERS]; /* what runs[] says: all who asked were answered */
	bool removing;		   /* clients remove what they can, */
	bool acting;		   /* start and stop it, and make others of its name */
	bool breaking;		   /* the store fails now and then, and no manager dies */
	bool several;		   /* managers, of which one leads */
} told;

static const char *const bodies[] = {
	/* Alone, and with what the next ones need. */
	"",
	"\"HostConfig\":{\"Memory\":3000000000},",
	"\"HostConfig\":{\"VolumesFrom\":[\"box0\"]},",
	"\"HostConfig\":{\"NetworkMode\":\"container:box0\"},",
	"\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}},",
	"\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}},",
	"\"HostConfig\":{\"Memory\":5000000000},",
	"\"HostConfig\":{\"CpuShares\":1},",
};

static struct sim_engine *node(struct sim *s, int i)
{
	return sim_find_engine(s, sim_text(s, "n%d", i + 1));
}

static const char *name_of(struct sim *s, int i)
{
	return sim_text(s, "box%d", i);
}

static may_suspend const char *label(struct sim *s, const char *name, const char *key)
{
	struct sim_reply r = sim_get(s, sim_text(s, "/containers/%s/json", name));

	assert_status(r, 200);
	return sim_text(s, "%.*s", STR_ARG(json_get_str(json_path(r.json, "Config.Labels"), key)));
}

static const char *body_of(struct sim *s, int i)
{
	return sim_text(s, "{\"Image\":\"busybox\",%s\"Env\":[\"reschedule:on-node-failure\"]}",
			bodies[i]);
}

static may_suspend void begin(struct sim *s)
{
	for (int i = 0; i < NODES; i++)
		sim_engine(s, sim_text(s, "n%d", i + 1));
	if (told.several) {
		sim_managers_up(s);
	} else {
		sim_records(s);
		sim_up(s);
	}
	for (int i = 0; i < CONTAINERS; i++) {
		told.runs[i] = i != 7;
		told.is_known[i] = true;
		if (told.runs[i])
			sim_run_container(s, name_of(s, i), body_of(s, i));
		else
			sim_create(s, name_of(s, i), body_of(s, i));
		told.swarm_ids[i] = label(s, name_of(s, i), "com.docker.swarm.id");
	}
	sim_run(s, SECOND);
}

/* One that nothing else needs. */
static int some_container(void)
{
	return 4 + (int)rand_below(CONTAINERS - 4);
}

/* Since then it was said that a client was answered though the store could not be told. */
static bool is_unremembered(const struct sim *s, size_t since)
{
	return str_contains(str_skip(sim_log(s), since),
			    STR("is not remembered over a restart yet"));
}

/* An answer that failed may have come too late to stop what it asked for. */
static may_suspend void remove_some(struct sim *s)
{
	int i = some_container();
	size_t log = sim_log(s).n;
	struct sim_reply r;

	if (told.fate[i] == REMOVED)
		return;
	/* A client that is never answered would wait for ever. */
	sim_fault_clear(s);
	r = sim_delete(s, sim_text(s, "/containers/%s?force=1", name_of(s, i)));
	if (r.status == 204 && !is_unremembered(s, log))
		told.fate[i] = REMOVED;
	else if (r.status != 404 && r.status != 409)
		told.fate[i] = UNCERTAIN;
}

static may_suspend void start_or_stop(struct sim *s, int i)
{
	static const char *const verbs[] = { "start", "restart", "stop", "kill" };
	size_t verb = rand_below(ARRAY_LEN(verbs)), log = sim_log(s).n;
	struct sim_reply r;

	r = sim_post(s, sim_text(s, "/containers/%s/%s", name_of(s, i), verbs[verb]), NULL);
	if (r.status == 204 || r.status == 304)
		told.runs[i] = verb < 2;
	else if (r.status != 409)
		told.is_known[i] = false;
	if (is_unremembered(s, log))
		told.is_known[i] = false;
}

static may_suspend void make_another(struct sim *s, int i)
{
	struct sim_reply r;

	r = sim_post(s, sim_text(s, "/containers/create?name=%s", name_of(s, i)), body_of(s, i));
	if (r.status != 201) {
		told.fate[i] = UNCERTAIN;
		return;
	}
	told.fate[i] = THERE;
	told.runs[i] = false;
	told.is_known[i] = true;
	told.swarm_ids[i] = NULL; /* where lines are slow it may not be known yet */
}

static may_suspend void act_on_some(struct sim *s)
{
	int i = some_container();

	/* As above. */
	sim_fault_clear(s);
	if (told.fate[i] == REMOVED)
		make_another(s, i);
	if (told.fate[i] == THERE)
		start_or_stop(s, i);
}

static may_suspend void fail_or_mend(struct sim *s, int i)
{
	size_t down = 0;

	for (int k = 0; k < NODES; k++)
		down += told.cut[k];
	if (told.cut[i]) {
		sim_heal(node(s, i));
		told.cut[i] = false;
	} else if (down < NODES - 1) {
		sim_cut(node(s, i));
		told.cut[i] = true;
	}
}

static may_suspend void restart(struct sim *s, bool kill)
{
	sim_fault_clear(s);
	if (told.several)
		sim_managers_disturb(s);
	else if (told.breaking)
		sim_records_break(kill);
	else if (kill)
		sim_kill_manager(s);
	else
		sim_restart_manager(s);
}

/* A second or a day, in either direction. */
static int64_t some_jump(void)
{
	int64_t most = rand_below(2) ? 10 * SECOND : 24 * HOUR;

	return rand_between(-most, most);
}

/* Another one leads meanwhile, and does nothing. */
static may_suspend void lose_the_lead(struct sim *s)
{
	sim_fault_clear(s);
	fence_close(sim_fence(s));
	cluster_role_changed(sim_cluster(s));
	sim_run(s, rand_between(0, MINUTE));
	error_free(cluster_reconcile(sim_cluster(s)));
	fence_open(sim_fence(s), INT64_MAX);
	cluster_role_changed(sim_cluster(s));
}

static may_suspend void disturb(struct sim *s)
{
	switch (rand_below(8)) {
	case 0:
		sim_set_latency(s, rand_below(3) ? rand_between(0, SECOND)
						 : rand_between(0, 6 * SECOND));
		break;
	case 1:
		sim_set_latency(s, 0);
		break;
	case 2:
		sim_step_clock(s, some_jump());
		break;
	case 3:
		sim_step_engine_clock(node(s, (int)rand_below(NODES)), some_jump());
		break;
	case 4:
		lose_the_lead(s);
		break;
	default:
		break;
	}
}

static may_suspend bool is_led(struct sim *s)
{
	return !told.several || sim_managers_lead(s, 10 * SECOND);
}

static may_suspend void step(struct sim *s)
{
	static const enum fault_kind faults[] = { FAULT_REFUSE, FAULT_RESET, FAULT_STALL,
						  FAULT_GARBAGE, FAULT_CUT };

	switch (rand_below(10)) {
	case 0:
	case 1:
	case 2:
		fail_or_mend(s, (int)rand_below(NODES));
		break;
	case 3:
		sim_fault(s, NULL, faults[rand_below(ARRAY_LEN(faults))],
			  rand_below(2) ? "POST /containers" : NULL, (unsigned int)rand_below(12));
		break;
	case 4:
		restart(s, true);
		break;
	case 5:
		restart(s, rand_below(2));
		break;
	case 6:
		if ((told.removing || rand_below(3) == 0) && is_led(s))
			remove_some(s);
		break;
	case 7:
	case 8:
		if (told.acting && is_led(s))
			act_on_some(s);
		break;
	default:
		break;
	}
	/* Short, in the middle of what the last one began; or until that is known and done. */
	sim_run(s, rand_below(3) ? rand_between(0, 500 * MILLISECOND)
				 : rand_between(SECOND, 2 * MINUTE));
}

static may_suspend void mend_all(struct sim *s)
{
	sim_fault_clear(s);
	sim_set_latency(s, 0);
	sim_records_break(false);
	if (told.several)
		sim_managers_mend(s);
	for (int i = 0; i < NODES; i++) {
		sim_heal(node(s, i));
		told.cut[i] = false;
	}
	sim_run(s, 30 * MINUTE);
}

static may_suspend void check_one(struct sim *s, int i)
{
	const char *name = name_of(s, i);
	size_t copies = 0, running = 0;

	for (int k = 0; k < NODES; k++) {
		copies += sim_has_container(node(s, k), name);
		running += sim_is_running(node(s, k), name);
	}
	if (told.fate[i] == REMOVED) {
		if (copies)
			fail_msg("%s was removed, and %zu copies are there", name, copies);
		return;
	}
	/*
	 * Where it was let go of while an engine had been asked to make it again, what that made
	 * late is there, and was never started.
	 */
	if (told.fate[i] == UNCERTAIN && (copies == 0 || (copies == 1 && !running)))
		return;
	if (copies != 1)
		fail_msg("there are %zu copies of %s", copies, name);
	if (told.is_known[i] && running != told.runs[i])
		fail_msg("%s %s", name, running ? "runs" : "does not run");
}

static may_suspend void check_names(struct sim *s)
{
	for (int i = 0; i < CONTAINERS; i++) {
		const char *swarm_id;

		if (told.fate[i] != THERE)
			continue;
		swarm_id = label(s, name_of(s, i), "com.docker.swarm.id");
		if (told.swarm_ids[i])
			assert_string_equal(swarm_id, told.swarm_ids[i]);
	}
}

static may_suspend void tell(struct sim *s, bool disturbed)
{
	begin(s);
	for (int i = 0; i < STEPS; i++) {
		if (disturbed)
			disturb(s);
		step(s);
	}
	mend_all(s);
	for (int i = 0; i < CONTAINERS; i++)
		check_one(s, i);
	check_names(s);
	if (told.several) {
		sim_run(s, 3 * MINUTE);
		sim_managers_check(s);
		sim_managers_down(s);
	} else {
		sim_settle(s);
		sim_records_free();
	}
}

static may_suspend void nothing_is_lost_or_doubled(struct sim *s)
{
	tell(s, false);
}

static may_suspend void nothing_that_is_removed_comes_back(struct sim *s)
{
	told.removing = true;
	if (sim_seed(s) % 2)
		sim_config(s)->fence = sim_fence(s);
	tell(s, sim_seed(s) % 2);
}

static may_suspend void what_a_client_was_told_lasts(struct sim *s)
{
	told.acting = true;
	if (sim_seed(s) % 2)
		sim_config(s)->fence = sim_fence(s);
	tell(s, sim_seed(s) % 2);
}

static may_suspend void nor_where_the_store_fails(struct sim *s)
{
	told.removing = told.acting = told.breaking = true;
	tell(s, sim_seed(s) % 2);
}

static may_suspend void nor_where_clocks_jump_and_news_is_late(struct sim *s)
{
	sim_config(s)->fence = sim_fence(s);
	tell(s, true);
}

static may_suspend void nor_where_one_manager_follows_another(struct sim *s)
{
	told.removing = told.acting = told.several = true;
	tell(s, false);
}

static void tell_many(void **state)
{
	sim_tell_seeds(*state, 20);
}

/*
 * They found a generation given twice, and a guard that followed what was left of an earlier copy.
 */
static void tell_known(void **state)
{
	sim_tell_seed(*state, 139);
	sim_tell_seed(*state, 1191);
}

/*
 * They found a copy that was made, and asked for once more in vain, and was never started; a later
 * copy that was out of sight when an earlier one was removed; a copy that was taken for the remains
 * of a container which nobody had removed; and a record that outlived its container, whose removal
 * had been answered already when the manager was killed.
 */
static void tell_known_disturbed(void **state)
{
	sim_tell_seed(*state, 1245);
	sim_tell_seed(*state, 141);
	sim_tell_seed(*state, 63);
	sim_tell_seed(*state, 850);
	sim_tell_seed(*state, 1398);
}

/* It found a container that was started because what was left of it elsewhere ran. */
static void tell_known_told(void **state)
{
	sim_tell_seed(*state, 395);
	sim_tell_seed(*state, 511);
}

/*
 * They found records that were newer than what a standby had seen, and had not counted, and a removal
 * that was answered as remembered when its manager had lost the lease.
 */
static void tell_known_several(void **state)
{
	sim_tell_seed(*state, 16);
	sim_tell_seed(*state, 116);
	sim_tell_seed(*state, 326);
}

int main(void)
{
	static struct story calm = { "nothing_is_lost_or_doubled", nothing_is_lost_or_doubled };
	static struct story disturbed = { "nor_where_clocks_jump_and_news_is_late",
					  nor_where_clocks_jump_and_news_is_late };
	static struct story removed = { "nothing_that_is_removed_comes_back",
					nothing_that_is_removed_comes_back };
	static struct story told_of = { "what_a_client_was_told_lasts",
					what_a_client_was_told_lasts };
	static struct story breaking = { "nor_where_the_store_fails", nor_where_the_store_fails };
	static struct story several = { "nor_where_one_manager_follows_another",
					nor_where_one_manager_follows_another };
	const struct CMUnitTest tests[] = {
		{ .name = calm.name, .test_func = tell_many, .initial_state = &calm },
		{ .name = disturbed.name, .test_func = tell_many, .initial_state = &disturbed },
		{ .name = removed.name, .test_func = tell_many, .initial_state = &removed },
		{ .name = told_of.name, .test_func = tell_many, .initial_state = &told_of },
		{ .name = breaking.name, .test_func = tell_many, .initial_state = &breaking },
		{ .name = several.name, .test_func = tell_many, .initial_state = &several },
		{ .name = "known_seeds", .test_func = tell_known, .initial_state = &calm },
		{ .name = "known_seeds_disturbed",
		  .test_func = tell_known_disturbed,
		  .initial_state = &disturbed },
		{ .name = "known_seeds_told_of",
		  .test_func = tell_known_told,
		  .initial_state = &told_of },
		{ .name = "known_seeds_several",
		  .test_func = tell_known_several,
		  .initial_state = &several },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
