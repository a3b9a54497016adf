/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many clients do what clients do while engines are cut off, stopped and started, and connections
 * break: every request gets an answer, and when all is well again everything is in order.
 */
#include "sim/sim.h"

#include "base/rand.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

#define CLIENTS 20
#define NODES	4

struct client {
	struct sim *s;
	int number;
	int64_t until;
	size_t answers, successes;
};

/* No request may go unanswered, whatever is broken: the worst is an error after five minutes. */
static void took(struct client *c, const struct sim_reply *r)
{
	c->answers++;
	c->successes += r->status > 0 && r->status < 400;
	if (r->status >= 400 && r->status != 404 && !str_contains(r->body, STR("message")))
		fail_msg("status %d without a message: %.*s", r->status, STR_ARG(r->body));
}

static may_suspend void ask(struct client *c, const char *method, const char *path,
			    const char *body)
{
	struct sim_reply r = sim_request_as(c->s, sim_text(c->s, "192.168.1.%d", c->number), method,
					    path, body, NULL);

	took(c, &r);
}

/* A name that other clients want, too. */
static const char *some_name(struct client *c)
{
	return sim_text(c->s, "box%d", (int)rand_below(40));
}

static may_suspend void do_something(struct client *c)
{
	const char *name = some_name(c);
	struct sim *s = c->s;

	switch (rand_below(10)) {
	case 0:
	case 1:
	case 2:
		ask(c, "POST", sim_text(s, "/containers/create?name=%s", name),
		    "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":104857600}}");
		break;
	case 3:
		ask(c, "POST", sim_text(s, "/containers/%s/start", name), NULL);
		break;
	case 4:
		ask(c, "POST", sim_text(s, "/containers/%s/stop", name), NULL);
		break;
	case 5:
	case 6:
		ask(c, "DELETE", sim_text(s, "/containers/%s?force=1", name), NULL);
		break;
	case 7:
		ask(c, "POST", sim_text(s, "/containers/%s/rename?name=%s", name, some_name(c)),
		    NULL);
		break;
	case 8:
		ask(c, "GET", "/containers/json?all=1", NULL);
		break;
	default:
		ask(c, "GET", sim_text(s, "/containers/%s/json", name), NULL);
	}
}

static may_suspend void client_main(void *arg)
{
	struct client *c = arg;

	while (clock_now() < c->until) {
		do_something(c);
		assert_ok(fiber_sleep(rand_between(0, 200 * MILLISECOND)));
	}
}

static struct client *start_clients(struct sim *s, int64_t span)
{
	struct client *clients = arena_new_array(sim_arena(s), struct client, CLIENTS);

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ .s = s, .number = i, .until = clock_now() + span };
		sim_go(s, "client", client_main, &clients[i]);
	}
	return clients;
}

/* Names are in the pool once. */
static may_suspend void check_names(struct sim *s)
{
	for (int i = 0; i < 40; i++) {
		size_t n = 0;

		for (int k = 1; k <= NODES; k++)
			n += sim_has_container(sim_find_engine(s, sim_text(s, "n%d", k)),
					       sim_text(s, "box%d", i));
		if (n > 1)
			fail_msg("box%d is there %zu times", i, n);
	}
}

static void check_answers(const struct client *clients, size_t least)
{
	size_t successes = 0;

	for (int i = 0; i < CLIENTS; i++) {
		assert_true(clients[i].answers > 0);
		successes += clients[i].successes;
	}
	assert_true(successes >= least);
}

static may_suspend void nodes(struct sim *s)
{
	for (int i = 1; i <= NODES; i++)
		sim_engine(s, sim_text(s, "n%d", i));
	sim_up(s);
}

static struct sim_engine *some_engine(struct sim *s)
{
	return sim_find_engine(s, sim_text(s, "n%d", 1 + (int)rand_below(NODES)));
}

static may_suspend void many_clients_and_a_calm_network(struct sim *s)
{
	struct client *clients;

	nodes(s);
	clients = start_clients(s, 15 * SECOND);
	sim_join(s);
	check_answers(clients, 300);
	sim_settle(s);
	check_names(s);
}

static may_suspend void connections_break(struct sim *s)
{
	struct client *clients;

	nodes(s);
	clients = start_clients(s, 20 * SECOND);
	for (int i = 0; i < 100; i++) {
		enum fault_kind kind = rand_below(2) ? FAULT_RESET : FAULT_CUT;

		sim_fault(s, NULL, kind, NULL, (unsigned int)rand_below(40));
		sim_run(s, 200 * MILLISECOND);
	}
	sim_fault_clear(s);
	sim_join(s);
	check_answers(clients, 300);
	sim_settle(s);
	check_names(s);
}

/*
 * From here on a name may be there twice: an engine that dies with a creation unanswered is not
 * waited for, and may have made the container.
 */
static may_suspend void engines_come_and_go(struct sim *s)
{
	struct client *clients;

	nodes(s);
	clients = start_clients(s, 80 * SECOND);
	for (int i = 0; i < 6; i++) {
		struct sim_engine *e = some_engine(s);

		sim_stop(e);
		sim_run(s, rand_between(100 * MILLISECOND, 20 * SECOND));
		sim_start(e);
		sim_run(s, rand_between(0, 5 * SECOND));
	}
	sim_join(s);
	check_answers(clients, 300);
	sim_settle(s);
}

static may_suspend void lines_are_cut(struct sim *s)
{
	struct client *clients;

	nodes(s);
	clients = start_clients(s, 2 * MINUTE);
	for (int i = 0; i < 4; i++) {
		struct sim_engine *e = some_engine(s);

		sim_cut(e);
		sim_run(s, rand_between(SECOND, 50 * SECOND));
		sim_heal(e);
		sim_run(s, rand_between(0, 10 * SECOND));
	}
	sim_join(s);
	check_answers(clients, 300);
	sim_settle(s);
}

/* The list of nodes changes under way, and the manager itself is replaced. */
static may_suspend void nodes_are_listed_and_unlisted(struct sim *s)
{
	struct client *clients;

	nodes(s);
	clients = start_clients(s, 30 * SECOND);
	for (int i = 0; i < 10; i++) {
		struct sim_engine *e = some_engine(s);

		sim_unlist(e);
		sim_discover(s);
		sim_run(s, rand_between(0, 3 * SECOND));
		sim_list(e);
		sim_discover(s);
		sim_run(s, rand_between(0, 3 * SECOND));
	}
	sim_join(s);
	check_answers(clients, 300);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(many_clients_and_a_calm_network),
		STORY(connections_break),
		STORY(engines_come_and_go),
		STORY(lines_are_cut),
		STORY(nodes_are_listed_and_unlisted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
