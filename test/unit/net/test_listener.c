/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners of each kind: what they answer, leave behind, refuse.
 */
#include "streams.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "net/dial.h"
#include "net/listener.h"
#include "net/sockaddr.h"

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_null(addr_parse(str_from(text), &a));
	return a;
}

/* A connection to `to` goes through `l`. */
static may_suspend void assert_serves(struct listener *l, const char *host)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	struct addr to = *listener_addr(l);

	if (host)
		snprintf(to.host, sizeof(to.host), "%s", host);
	assert_ok(dial(&to, NULL, &e.a));
	assert_ok(listener_accept(l, &e.b));
	assert_ok(stream_write(e.a, STR("hello")));
	assert_reads(e.b, "hello");
}

static void everywhere_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	struct addr a = addr_of(":0");

	assert_ok(listener_open(&a, NULL, &l));
	assert_int_not_equal(listener_addr(l)->port, 0);
	assert_serves(l, "127.0.0.1");
	assert_serves(l, "::1");
}

static void test_a_bare_port_is_every_address(_unused_ void **state)
{
	loop_run(LOOP_REAL, everywhere_main, NULL);
}

static void v4_peer_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	struct addr a = addr_of(":0");

	assert_ok(listener_open(&a, NULL, &l));
	a = *listener_addr(l);
	strcpy(a.host, "127.0.0.1");
	assert_ok(dial(&a, NULL, &e.a));
	assert_ok(listener_accept(l, &e.b));
	assert_int_equal(strncmp(e.b->peer, "127.0.0.1:", 10), 0);
}

static void test_an_ipv4_peer_is_shown_as_such(_unused_ void **state)
{
	loop_run(LOOP_REAL, v4_peer_main, NULL);
}

static void name_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	struct addr a = addr_of("localhost:0");

	assert_ok(listener_open(&a, NULL, &l));
	a = *listener_addr(l);
	assert_string_equal(a.host, "localhost");
}

static void test_a_name_is_looked_up(_unused_ void **state)
{
	loop_run(LOOP_REAL, name_main, NULL);
}

static void taken_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	struct addr a = addr_of("127.0.0.1:0");
	struct listener *second;
	char expected[80];

	assert_ok(listener_open(&a, NULL, &l));
	a.port = listener_addr(l)->port;

	_cleanup_(error_freep) struct error *err = listener_open(&a, NULL, &second);

	snprintf(expected, sizeof(expected),
		 "cannot listen on 127.0.0.1:%u: Address already in use", a.port);
	assert_string_equal(error_message(err), expected);
}

static void test_a_port_that_is_taken(_unused_ void **state)
{
	loop_run(LOOP_REAL, taken_main, NULL);
}

static void again_main(_unused_ void *arg)
{
	struct addr a = addr_of("127.0.0.1:0");

	/* Connections of the first linger in TIME_WAIT, which must not keep the second from it. */
	for (int i = 0; i < 2; i++) {
		_cleanup_(listener_closep) struct listener *l = NULL;
		struct ends e;
		char c;
		size_t n;

		assert_ok(listener_open(&a, NULL, &l));
		a.port = listener_addr(l)->port;
		assert_ok(dial(&a, NULL, &e.a));
		assert_ok(listener_accept(l, &e.b));
		stream_close(e.b);
		assert_ok(stream_read(e.a, &c, 1, &n));
		stream_close(e.a);
	}
}

static void test_a_port_can_be_taken_again(_unused_ void **state)
{
	loop_run(LOOP_REAL, again_main, NULL);
}

static void unix_main(void *dir)
{
	struct listener *l, *second;
	struct addr a = { .kind = ADDR_UNIX };
	struct stat st;

	snprintf(a.path, sizeof(a.path), "%s/swarm.sock", (const char *)dir);
	mode_t mask = umask(0077);

	assert_ok(listener_open(&a, NULL, &l));
	umask(mask);
	assert_int_equal(stat(a.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_serves(l, NULL);

	struct error *err = listener_open(&a, NULL, &second);

	assert_true(error_is(err, ERR_CONFLICT));
	assert_non_null(strstr(error_message(err), "swarm.sock: a running process does"));
	error_free(err);

	/* It found out by knocking. */
	struct stream *probe;

	assert_ok(listener_accept(l, &probe));
	stream_close(probe);
	assert_serves(l, NULL);
	listener_close(l);
	assert_int_equal(stat(a.path, &st), -1);
}

static void stale_main(void *dir)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	struct addr a = { .kind = ADDR_UNIX };
	int left = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.path, sizeof(a.path), "%s/swarm.sock", (const char *)dir);

	struct sockaddr_any at = sockaddr_unix(a.path);

	assert_int_equal(bind(left, &at.any, at.n), 0);
	close(left);
	assert_ok(listener_open(&a, NULL, &l));
	assert_serves(l, NULL);
}

static void no_socket_main(void *dir)
{
	struct listener *l;
	struct addr a = { .kind = ADDR_UNIX };

	snprintf(a.path, sizeof(a.path), "%s/file", (const char *)dir);
	close(open(a.path, O_CREAT | O_WRONLY, 0600));

	struct error *err = listener_open(&a, NULL, &l);

	assert_non_null(strstr(error_message(err), "it exists and is no socket"));
	error_free(err);
	assert_int_equal(unlink(a.path), 0);
}

/* Another process has replaced the file: it is not ours to remove. */
static void replaced_main(void *dir)
{
	struct listener *l;
	struct addr a = { .kind = ADDR_UNIX };

	snprintf(a.path, sizeof(a.path), "%s/swarm.sock", (const char *)dir);
	assert_ok(listener_open(&a, NULL, &l));
	/* Held open, so that the file's number is not given out again. */
	int held = open(a.path, O_PATH);

	assert_int_equal(unlink(a.path), 0);
	close(open(a.path, O_CREAT | O_WRONLY, 0600));
	listener_close(l);
	close(held);
	assert_int_equal(unlink(a.path), 0);
}

static void test_unix_sockets(_unused_ void **state)
{
	static fiber_fn *const cases[] = { unix_main, stale_main, no_socket_main, replaced_main };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char dir[] = "/tmp/test_listener.XXXXXX";

		assert_non_null(mkdtemp(dir));
		loop_run(LOOP_REAL, cases[i], dir);
		assert_int_equal(rmdir(dir), 0);
	}
}

static int listening_socket(struct sockaddr_any *ret)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(sockaddr_numeric("127.0.0.1", 0, ret));
	assert_int_equal(bind(s, &ret->any, ret->n), 0);
	assert_int_equal(listen(s, 5), 0);
	assert_int_equal(getsockname(s, &ret->any, &ret->n), 0);
	return s;
}

static struct sockaddr_any passed_at[2];

static may_suspend void assert_reaches(struct listener *l, int which)
{
	struct addr to = addr_of("127.0.0.1:1");
	struct ends e;

	to.port = sockaddr_port(&passed_at[which]);
	assert_ok(dial(&to, NULL, &e.a));
	assert_ok(listener_accept(l, &e.b));
	ends_fini(&e);
}

static void assert_tells_its_places(const struct listener *l)
{
	struct addr at;

	for (size_t i = 0; i < 2; i++) {
		assert_true(listener_socket(l, i, &at));
		assert_int_equal(at.kind, ADDR_TCP);
		assert_string_equal(at.host, "127.0.0.1");
		assert_int_equal(at.port, sockaddr_port(&passed_at[i]));
	}
	assert_false(listener_socket(l, 2, &at));
}

static void passed_main(_unused_ void *arg)
{
	struct addr all = addr_of("fd://"), one = addr_of("fd://second");
	struct addr number = addr_of("fd://3"), none = addr_of("fd://third");
	struct listener *l;

	_cleanup_(error_freep) struct error *err = listener_open(&none, NULL, &l);

	assert_string_equal(error_message(err),
			    "the service manager passed no socket named \"third\"");

	/* Duplicates, because each listener closes what it took. */
	int saved[2] = { dup(3), dup(4) };

	assert_ok(listener_open(&all, NULL, &l));
	assert_reaches(l, 1);
	assert_reaches(l, 0);
	assert_reaches(l, 1);
	assert_tells_its_places(l);
	listener_close(l);

	dup2(saved[0], 3);
	dup2(saved[1], 4);
	assert_ok(listener_open(&one, NULL, &l));
	assert_reaches(l, 1);
	listener_close(l);
	assert_ok(listener_open(&number, NULL, &l));
	assert_reaches(l, 0);
	listener_close(l);
	close(saved[0]);
	close(saved[1]);
}

static void in_child_with_sockets(void)
{
	int a = fcntl(listening_socket(&passed_at[0]), F_DUPFD, 20);
	int b = fcntl(listening_socket(&passed_at[1]), F_DUPFD, 20);
	char pid[16];

	dup2(a, 3);
	dup2(b, 4);
	close(a);
	close(b);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "first:second", 1);
	loop_run(LOOP_REAL, passed_main, NULL);
	_exit(0);
}

static void none_passed_main(_unused_ void *arg)
{
	struct addr all = addr_of("fd://");
	struct listener *l;

	/* Meant for another process. */
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);

	_cleanup_(error_freep) struct error *err = listener_open(&all, NULL, &l);

	assert_string_equal(error_message(err),
			    "the service manager passed no socket (LISTEN_FDS)");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

static void test_passed_sockets(_unused_ void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		in_child_with_sockets();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	loop_run(LOOP_REAL, none_passed_main, NULL);
}

static void accept_one(void *arg)
{
	struct stream *s = NULL;
	struct error *err = listener_accept(arg, &s);

	stream_close(s);
	trace_end("accept", err);
}

static void cancel_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct addr a = addr_of("127.0.0.1:0");

	assert_ok(listener_open(&a, NULL, &l));
	group_go(&g, "accept", accept_one, l);
	assert_ok(fiber_yield());
	group_finish(&g);
	assert_trace("accept:cancelled");
}

static void test_accept_can_be_cancelled(_unused_ void **state)
{
	loop_run(LOOP_REAL, cancel_main, NULL);
}

static int warnings;

static void count_warnings(enum log_level level, struct str line, _unused_ void *arg)
{
	assert_int_equal(level, LOG_WARN);
	assert_true(str_contains(line, STR("out of file descriptors")));
	warnings++;
}

static void shortage_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct addr a = addr_of("127.0.0.1:0");
	struct stream *client, *second;
	struct rlimit old, none;

	assert_ok(listener_open(&a, NULL, &l));
	assert_ok(dial(listener_addr(l), NULL, &client));
	group_go(&g, "accept", accept_one, l);

	/* The number that comes next is over the limit. */
	int next = dup(0);

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_ok(fiber_sleep(250 * MILLISECOND));
	assert_trace("");
	assert_int_equal(warnings, 1);

	/* Two, since valgrind loses the connection that it plays the shortage with. */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_ok(dial(listener_addr(l), NULL, &second));
	assert_ok(group_wait(&g));
	assert_trace("accept:ok");
	stream_close(client);
	stream_close(second);
}

static void test_out_of_descriptors_is_waited_out(_unused_ void **state)
{
	log_set_sink(count_warnings, NULL);
	loop_set_hog_limit(0); /* it would warn of a slow machine, too */
	loop_run(LOOP_REAL, shortage_main, NULL);
	log_set_sink(NULL, NULL);
}

static void memory_main(_unused_ void *arg)
{
	struct listener *l = listener_memory();
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct ends one, two;
	char c;
	size_t n;

	group_go(&g, "accept", accept_one, l);
	assert_ok(fiber_yield());
	one.a = listener_connect(l, "first");
	assert_ok(group_wait(&g));
	assert_trace("accept:ok");
	assert_ok(stream_read(one.a, &c, 1, &n));
	assert_int_equal(n, 0);
	stream_close(one.a);

	one.a = listener_connect(l, "one");
	two.a = listener_connect(l, "two");
	assert_ok(listener_accept(l, &one.b));
	assert_string_equal(one.b->peer, "one");
	ends_fini(&one);

	/* Whom nobody has accepted sees a reset. */
	listener_close(l);
	assert_fails(stream_read(two.a, &c, 1, &n), ERR_CLOSED);
	stream_close(two.a);
}

static void test_in_memory(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, memory_main, NULL);
	loop_run(LOOP_REAL, memory_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bare_port_is_every_address),
		cmocka_unit_test(test_an_ipv4_peer_is_shown_as_such),
		cmocka_unit_test(test_a_name_is_looked_up),
		cmocka_unit_test(test_a_port_that_is_taken),
		cmocka_unit_test(test_a_port_can_be_taken_again),
		cmocka_unit_test(test_unix_sockets),
		cmocka_unit_test(test_passed_sockets),
		cmocka_unit_test(test_accept_can_be_cancelled),
		cmocka_unit_test(test_out_of_descriptors_is_waited_out),
		cmocka_unit_test(test_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
