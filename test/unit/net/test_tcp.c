/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams over sockets, made by dialling a listener.
 */
#include "streams.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dial.h"
#include "net/listener.h"

static struct addr at;

static may_suspend void pair_dialled(struct ends *ret)
{
	_cleanup_(listener_closep) struct listener *l = NULL;

	assert_ok(listener_open(&at, NULL, &l));
	assert_ok(dial(listener_addr(l), NULL, &ret->a));
	assert_ok(listener_accept(l, &ret->b));
}

static void test_tcp_v4(_unused_ void **state)
{
	assert_null(addr_parse(STR("127.0.0.1:0"), &at));
	run_stream_cases(LOOP_REAL, pair_dialled);
}

static void test_tcp_v6(_unused_ void **state)
{
	assert_null(addr_parse(STR("[::1]:0"), &at));
	run_stream_cases(LOOP_REAL, pair_dialled);
}

static void unix_case(fiber_fn *fn)
{
	char dir[] = "/tmp/test_tcp.XXXXXX";

	assert_non_null(mkdtemp(dir));
	at = (struct addr){ .kind = ADDR_UNIX };
	snprintf(at.path, sizeof(at.path), "%s/socket", dir);
	loop_run(LOOP_REAL, fn, NULL);
	assert_int_equal(rmdir(dir), 0);
}

/* A unix socket has no reset of its own: whoever closes without a word has ended its stream. */
static void test_unix(_unused_ void **state)
{
	make_pair = pair_dialled;
	for (size_t i = 0; i < ARRAY_LEN(stream_cases); i++)
		if (stream_cases[i].run != case_abort)
			unix_case(stream_cases[i].run);
}

static void peers_main(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	char expected[40];

	pair_dialled(&e);
	if (at.kind == ADDR_UNIX) {
		snprintf(expected, sizeof(expected), "unix:%u", getuid());
		assert_string_equal(e.b->peer, expected);
	} else {
		assert_int_equal(strncmp(e.a->peer, "127.0.0.1:", 10), 0);
		assert_int_equal(strncmp(e.b->peer, "127.0.0.1:", 10), 0);
	}
}

static void test_peers_are_numeric(_unused_ void **state)
{
	assert_null(addr_parse(STR("127.0.0.1:0"), &at));
	loop_run(LOOP_REAL, peers_main, NULL);
	unix_case(peers_main);
}

static int option_of(int descriptor, int level, int option)
{
	socklen_t n = sizeof(int);
	int value = 0;

	assert_int_equal(getsockopt(descriptor, level, option, &value, &n), 0);
	return value;
}

static uint16_t port_of(const struct sockaddr_in *a)
{
	return ntohs(a->sin_port);
}

/* The connected sockets of this process whose own port is that one, or is not. */
static int socket_of(uint16_t port, bool own)
{
	int found = -1;

	for (int i = 0; i < 256; i++) {
		struct sockaddr_in peer, self;
		socklen_t n = sizeof(peer), m = sizeof(self);

		if (getpeername(i, (struct sockaddr *)&peer, &n) != 0 || peer.sin_family != AF_INET)
			continue;
		assert_int_equal(getsockname(i, (struct sockaddr *)&self, &m), 0);
		if ((port_of(&self) == port) != own)
			continue;
		assert_int_equal(found, -1);
		found = i;
	}
	assert_int_not_equal(found, -1);
	return found;
}

static int patience_of(int descriptor)
{
	return option_of(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT);
}

static void tuned_main(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = NULL;
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	int dialled, accepted;

	assert_ok(listener_open(&at, NULL, &l));
	assert_ok(dial(listener_addr(l), NULL, &e.a));
	assert_ok(listener_accept(l, &e.b));
	dialled = socket_of(listener_addr(l)->port, false);
	accepted = socket_of(listener_addr(l)->port, true);
	for (int i = 0; i < 2; i++) {
		int s = i ? accepted : dialled;

		assert_int_equal(option_of(s, IPPROTO_TCP, TCP_NODELAY), 1);
		assert_int_equal(option_of(s, SOL_SOCKET, SO_KEEPALIVE), 1);
		assert_int_equal(option_of(s, IPPROTO_TCP, TCP_KEEPIDLE), 30);
		assert_int_equal(option_of(s, IPPROTO_TCP, TCP_KEEPINTVL), 10);
		assert_int_equal(option_of(s, IPPROTO_TCP, TCP_KEEPCNT), 3);
	}
	assert_int_equal(patience_of(accepted), 0);
	assert_int_equal(patience_of(dialled), 30 * 1000);
	stream_set_patient(e.a, true);
	assert_int_equal(patience_of(dialled), 0);
	stream_set_patient(e.a, false);
	assert_int_equal(patience_of(dialled), 30 * 1000);
}

/* A host that is gone without a word is found; a client that reads nothing is not gone. */
static void test_who_is_taken_for_gone(_unused_ void **state)
{
	assert_null(addr_parse(STR("127.0.0.1:0"), &at));
	loop_run(LOOP_REAL, tuned_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_v4),
		cmocka_unit_test(test_tcp_v6),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_peers_are_numeric),
		cmocka_unit_test(test_who_is_taken_for_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
