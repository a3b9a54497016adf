/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds under every fault at every step: they end in their image or in one clear error, and no
 * build, session or name of one is left on the nodes or in the manager.
 */
#include "sim/acting.h"

static size_t left(struct sim *s)
{
	size_t n = 0;

	for (int i = 1; i <= 2; i++) {
		const struct sim_engine *e = sim_find_engine(s, sim_text(s, "n%d", i));

		n += sim_running_builds(e) + sim_build_links(e);
	}
	return n;
}

static bool succeeded(void)
{
	return acting.reply.status == 200 &&
	       str_contains(acting.reply.body, STR("Successfully built")) &&
	       !str_contains(acting.reply.body, STR("errorDetail"));
}

static may_suspend void check_left(struct sim *s)
{
	/* An engine that hears nothing does not hear that its client has left either. */
	if (sim_fault_kind(s) != FAULT_STALL)
		assert_int_equal(left(s), 0);
	if (succeeded())
		assert_status(sim_get(s, "/images/app/json"), 200);
}

static may_suspend void build_act(struct sim *s)
{
	act(s, "POST", "/build?t=app", "FROM x\nstage\n", NULL);
	check_progress(s);
}

static may_suspend void build_after(struct sim *s)
{
	check_left(s);
}

static struct sim_hijack *session;

static may_suspend void open_session(struct sim *s)
{
	session = sim_converse(s, "192.168.0.1",
			       "POST /session HTTP/1.1\r\nHost: m\r\nConnection: Upgrade\r\n"
			       "Upgrade: h2c\r\nX-Docker-Expose-Session-Uuid: abc\r\n\r\nhello");
	assert_int_equal(session->status, 101);
}

static may_suspend void session_prepare(struct sim *s)
{
	two_nodes(s);
	open_session(s);
}

static may_suspend void session_act(struct sim *s)
{
	act(s, "POST", "/build?version=2&session=abc&t=app", NULL, NULL);
	check_progress(s);
	if (!sim_fault_fired(s))
		assert_true(sim_hijack_expect(session, "session at", SECOND));
	sim_hijack_close(session);
}

/* Its id is free again, whatever became of it. */
static may_suspend void session_after(struct sim *s)
{
	check_left(s);
	open_session(s);
	sim_hijack_close(session);
}

/*
 * Says something, hears an echo, and ends; where it is refused later than promised, it is closed.
 */
static may_suspend void grpc_act(struct sim *s)
{
	struct sim_hijack *h =
		sim_converse(s, "192.168.0.1",
			     "POST /grpc HTTP/1.1\r\nHost: m\r\nConnection: Upgrade\r\n"
			     "Upgrade: h2c\r\n\r\nPRI");

	assert_int_equal(h->status, 101);
	if (sim_hijack_expect(h, "PRI", 2 * MINUTE))
		sim_hijack_end(h);
	if (sim_fault_kind(s) != FAULT_STALL && sim_fault_kind(s) != FAULT_SLOW) {
		sim_hijack_to_end(h, 2 * MINUTE);
		assert_true(h->ended);
	}
	sim_hijack_close(h);
}

static may_suspend void grpc_after(struct sim *s)
{
	acting.reply = (struct sim_reply){ 0 };
	check_left(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_STORY(build, two_nodes),
		FAULT_STORY(session, session_prepare),
		FAULT_STORY(grpc, two_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
