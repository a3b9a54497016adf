/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dialling: what it says when it cannot, and the simulation's hook.
 */
#include "streams.h"

#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fiber/clock.h"
#include "net/dial.h"
#include "net/listener.h"
#include "net/memory.h"
#include "net/sockaddr.h"

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_null(addr_parse(str_from(text), &a));
	return a;
}

/* A port of the loopback on which nobody listens: bound, and so given to no one else. */
static int dead_port(struct sockaddr_any *ret)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(sockaddr_numeric("127.0.0.1", 0, ret));
	assert_int_equal(bind(s, &ret->any, ret->n), 0);
	assert_int_equal(getsockname(s, &ret->any, &ret->n), 0);
	return s;
}

static void refused_main(_unused_ void *arg)
{
	struct sockaddr_any at;
	int s = dead_port(&at);
	struct addr a = addr_of("127.0.0.1:1");
	struct stream *stream;
	char expected[80];

	a.port = sockaddr_port(&at);

	struct error *err = dial(&a, NULL, &stream);

	snprintf(expected, sizeof(expected), "cannot connect to 127.0.0.1:%u: Connection refused",
		 a.port);
	assert_true(error_is(err, ERR_REFUSED));
	assert_string_equal(error_message(err), expected);
	error_free(err);

	/* By name: the same, of one of its addresses. */
	strcpy(a.host, "localhost");
	err = dial(&a, NULL, &stream);
	assert_true(error_is(err, ERR_REFUSED));
	error_free(err);
	close(s);
}

static void test_refused(_unused_ void **state)
{
	loop_run(LOOP_REAL, refused_main, NULL);
}

static void by_name_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	struct addr a = addr_of("127.0.0.1:0");

	/* Where localhost is ::1 first, that address refuses and the next one is tried. */
	assert_ok(listener_open(&a, NULL, &l));
	a = *listener_addr(l);
	strcpy(a.host, "localhost");
	assert_ok(dial(&a, NULL, &e.a));
	assert_ok(listener_accept(l, &e.b));
}

static void test_each_address_of_a_name_is_tried(_unused_ void **state)
{
	loop_run(LOOP_REAL, by_name_main, NULL);
}

static void unknown_main(_unused_ void *arg)
{
	struct addr a = { .kind = ADDR_TCP, .host = "no such host", .port = 80 };
	struct stream *s;
	struct error *err = dial(&a, NULL, &s);

	assert_true(error_is(err, ERR_REFUSED));
	assert_non_null(strstr(error_message(err), "cannot connect to no such host:80: "
						   "cannot look up no such host: "));
	error_free(err);

	a = (struct addr){ .kind = ADDR_UNIX, .path = "/nonexistent/socket" };
	err = dial(&a, NULL, &s);
	assert_true(error_is(err, ERR_REFUSED));
	assert_string_equal(error_message(err),
			    "cannot connect to /nonexistent/socket: No such file or directory");
	error_free(err);
}

static void test_unknown(_unused_ void **state)
{
	loop_run(LOOP_REAL, unknown_main, NULL);
}

/* A full backlog answers nothing: the connection is neither made nor refused. */
static void silent_main(_unused_ void *arg)
{
	struct sockaddr_any at;
	int s = dead_port(&at);
	struct addr a = addr_of("127.0.0.1:1");
	struct stream *made[8];
	size_t n = 0;
	struct error *err = NULL;
	int64_t start = clock_now();

	assert_int_equal(listen(s, 0), 0);
	a.port = sockaddr_port(&at);
	while (!err && n < ARRAY_LEN(made)) {
		_cleanup_(deadline_end) struct deadline d = deadline_begin(50 * MILLISECOND);

		err = dial(&a, NULL, &made[n]);
		n += !err;
	}
	assert_true(error_is(err, ERR_TIMEOUT));
	assert_non_null(strstr(error_message(err), "cannot connect to 127.0.0.1:"));
	error_free(err);
	assert_true(clock_now() - start < 5 * SECOND);
	while (n > 0)
		stream_close(made[--n]);
	close(s);
}

static void test_silence_ends_with_the_deadline(_unused_ void **state)
{
	loop_run(LOOP_REAL, silent_main, NULL);
}

static may_suspend struct error *hook(const struct addr *a, void *arg, struct stream **ret)
{
	struct stream **other = arg;

	if (strcmp(a->host, "down") == 0)
		return error_new(ERR_REFUSED, "down");
	TRY(fiber_sleep(SECOND));
	memory_pair(10, "us", a->host, ret, other);
	return NULL;
}

static void hook_main(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	struct addr up = addr_of("up:1"), down = addr_of("down:1");

	dial_set_hook(hook, &e.b);
	assert_fails(dial(&down, NULL, &e.a), ERR_REFUSED);
	assert_ok(dial(&up, NULL, &e.a));
	assert_string_equal(e.a->peer, "up");
	dial_set_hook(NULL, NULL);
}

static void test_the_hook_takes_its_place(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, hook_main, NULL);
}

static void shortage_main(_unused_ void *arg)
{
	struct rlimit all, none;
	struct addr a = addr_of("127.0.0.1:1");
	struct stream *stream;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = all;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_fails(dial(&a, NULL, &stream), ERR_UNAVAILABLE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
}

/* It is no fault of the other side. */
static void test_out_of_descriptors(_unused_ void **state)
{
	loop_run(LOOP_REAL, shortage_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_of_descriptors),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_each_address_of_a_name_is_tried),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_silence_ends_with_the_deadline),
		cmocka_unit_test(test_the_hook_takes_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
