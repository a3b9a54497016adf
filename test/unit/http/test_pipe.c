/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two streams joined. `client` and `engine` are what is at the far ends.
 */
#include "unit/http/wire.h"

#include "fiber/clock.h"
#include "http/pipe.h"

struct joint {
	struct stream *client, *a, *b, *engine;
	const char *early_a, *early_b;
	struct group group;
	struct error *err;
	bool over;
};

static may_suspend void join(void *arg)
{
	struct joint *j = arg;

	j->err = pipe_join(j->a, str_from(j->early_a), j->b, str_from(j->early_b));
	/* As every caller does. */
	if (j->err) {
		stream_abort(take(j->a));
		stream_abort(take(j->b));
	}
	stream_close(take(j->a));
	stream_close(take(j->b));
	j->over = true;
}

static void joint_start(struct joint *j)
{
	memory_pair(100, "client", "proxy", &j->client, &j->a);
	memory_pair(100, "engine", "proxy", &j->engine, &j->b);
	group_go(&j->group, "join", join, j);
}

static may_suspend void joint_fini(struct joint *j)
{
	group_finish(&j->group);
	stream_close(j->client);
	stream_close(j->engine);
	error_free(j->err);
}

#define JOINT(name, ...)                                                                \
	_cleanup_(joint_fini) struct joint name = { .group = GROUP_INIT, __VA_ARGS__ }; \
	joint_start(&name)

FIBER_TEST(test_both_ways_then_both_ends)
{
	JOINT(j);

	say(j.client, "question");
	hear(j.engine, "question");
	say(j.engine, "answer");
	hear(j.client, "answer");

	/* Half-close: the other way goes on. */
	assert_ok(stream_shutdown(j.client));
	hear_end(j.engine);
	say(j.engine, "more");
	hear(j.client, "more");
	assert_false(j.over);
	assert_ok(stream_shutdown(j.engine));
	hear_end(j.client);
	settle();
	assert_true(j.over);
	assert_ok(take(j.err));
}

FIBER_TEST(test_half_close_by_the_engine)
{
	JOINT(j);

	say(j.engine, "all");
	assert_ok(stream_shutdown(j.engine));
	hear(j.client, "all");
	hear_end(j.client);
	say(j.client, "still here");
	hear(j.engine, "still here");
	assert_ok(stream_shutdown(j.client));
	hear_end(j.engine);
	settle();
	assert_true(j.over);
	assert_ok(take(j.err));
}

/* More than all that is between them can hold. */
static const char lots[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
			   "0123456789012345678901234567890123456789012345678901234567890123456789"
			   "0123456789012345678901234567890123456789012345678901234567890123456789";

static may_suspend void pour(void *arg)
{
	error_free(stream_write(arg, str_from(lots)));
}

/* As an engine leaves an exec that has ended, whatever its client still sends. */
FIBER_TEST(test_an_engine_that_ended_and_takes_nothing)
{
	JOINT(j);

	assert_ok(stream_shutdown(j.engine));
	hear_end(j.client);
	group_go(&j.group, "pour", pour, j.client);
	assert_ok(fiber_sleep(9 * SECOND));
	assert_false(j.over);
	assert_ok(fiber_sleep(12 * SECOND));
	assert_true(j.over);
	assert_error(take(j.err), ERR_CLOSED, "engine takes nothing more");
}

/* A process that reads its input slowly has all of it, though it closed its output. */
FIBER_TEST(test_an_engine_that_ended_and_takes_its_time)
{
	char got[20];
	size_t n = 0, all = 0;
	JOINT(j);

	assert_ok(stream_shutdown(j.engine));
	group_go(&j.group, "pour", pour, j.client);
	while (all < sizeof(lots) - 1) {
		assert_ok(fiber_sleep(6 * SECOND));
		assert_ok(stream_read(j.engine, got, sizeof(got), &n));
		all += n;
	}
	assert_false(j.over);
}

/* And a client that is paused has all the time. */
FIBER_TEST(test_a_client_that_ended_and_takes_nothing)
{
	JOINT(j);

	assert_ok(stream_shutdown(j.client));
	group_go(&j.group, "pour", pour, j.engine);
	assert_ok(fiber_sleep(10 * MINUTE));
	assert_false(j.over);
	hear(j.client, "0123456789");
}

FIBER_TEST(test_early_bytes_go_first)
{
	JOINT(j, .early_a = "from the client ", .early_b = "from the engine ");

	say(j.client, "then more");
	say(j.engine, "and more");
	hear(j.engine, "from the client then more");
	hear(j.client, "from the engine and more");
	assert_ok(stream_shutdown(j.client));
	assert_ok(stream_shutdown(j.engine));
	settle();
	assert_true(j.over);
	assert_ok(take(j.err));
}

FIBER_TEST(test_a_reset_is_passed_on_at_once)
{
	JOINT(j);
	int64_t before = clock_now();

	stream_abort(take(j.client));
	hear_reset(j.engine);
	settle();
	assert_true(j.over);
	assert_true(clock_now() - before < MILLISECOND);
	assert_error(take(j.err), ERR_CLOSED, "cannot read from client: Connection reset by peer");
}

FIBER_TEST(test_a_reset_after_a_half_close)
{
	JOINT(j);

	assert_ok(stream_shutdown(j.client));
	hear_end(j.engine);
	stream_abort(take(j.engine));
	hear_reset(j.client);
}

/*
 * A container that ends while its client still sends: the engine closes with input unread. All
 * that it said arrives, then an end; the client closes, and that is that.
 */
FIBER_TEST(test_last_words_arrive)
{
	JOINT(j);
	char junk[1000];

	memset(junk, 'x', sizeof(junk));
	assert_ok(stream_write(j.client, str_of(junk, 200)));
	settle();
	say(j.engine, "last words");
	stream_close(take(j.engine));
	assert_ok(stream_write(j.client, str_of(junk, sizeof(junk))));
	hear(j.client, "last words");
	hear_end(j.client);
	assert_false(j.over);
	stream_close(take(j.client));
	settle();
	assert_true(j.over);
	assert_error(take(j.err), ERR_CLOSED, NULL);
}

/* ... and who does not close is cut off after a while. */
FIBER_TEST(test_lingering_ends)
{
	JOINT(j);
	int64_t before = clock_now();

	stream_close(take(j.client));
	hear_end(j.engine);
	say(j.engine, "is anybody there?");
	while (!j.over)
		assert_ok(fiber_sleep(SECOND));
	assert_true(clock_now() - before >= 5 * SECOND);
	assert_true(clock_now() - before <= 7 * SECOND);
	assert_error(take(j.err), ERR_CLOSED, "client is gone");
	hear_reset(j.engine);
}

/* A listener that goes is missed although nobody has anything to say to it. */
FIBER_TEST(test_a_listener_that_goes_is_noticed)
{
	JOINT(j);

	assert_ok(stream_shutdown(j.client));
	hear_end(j.engine);
	assert_ok(fiber_sleep(HOUR));
	assert_false(j.over);
	stream_close(take(j.client));
	assert_ok(fiber_sleep(7 * SECOND));
	assert_true(j.over);
	assert_error(take(j.err), ERR_CLOSED, "client is gone");
	hear_reset(j.engine);
}

/*
 * A reader that stops makes the writer wait: nothing is kept for it but one buffer and a stream's.
 */
FIBER_TEST(test_backpressure)
{
	JOINT(j);
	_cleanup_(deadline_end) struct deadline d = deadline_begin(HOUR);
	char junk[100];
	size_t n = 0;

	memset(junk, 'x', sizeof(junk));
	while (!deadline_passed(&d)) {
		struct error *err = stream_write(j.client, str_of(junk, sizeof(junk)));

		if (err) {
			assert_error(err, ERR_TIMEOUT, NULL);
			break;
		}
		n += sizeof(junk);
	}
	assert_true(n <= 400);
	deadline_end(&d);
}

FIBER_TEST(test_cancelled)
{
	JOINT(j);

	settle();
	group_cancel(&j.group);
	settle();
	assert_true(j.over);
	assert_error(take(j.err), ERR_CANCELLED, NULL);
	hear_reset(j.engine);
	hear_reset(j.client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways_then_both_ends),
		cmocka_unit_test(test_half_close_by_the_engine),
		cmocka_unit_test(test_an_engine_that_ended_and_takes_nothing),
		cmocka_unit_test(test_an_engine_that_ended_and_takes_its_time),
		cmocka_unit_test(test_a_client_that_ended_and_takes_nothing),
		cmocka_unit_test(test_early_bytes_go_first),
		cmocka_unit_test(test_a_reset_is_passed_on_at_once),
		cmocka_unit_test(test_a_reset_after_a_half_close),
		cmocka_unit_test(test_last_words_arrive),
		cmocka_unit_test(test_lingering_ends),
		cmocka_unit_test(test_a_listener_that_goes_is_noticed),
		cmocka_unit_test(test_backpressure),
		cmocka_unit_test(test_cancelled),
	};

	return run_fiber_tests(tests);
}
