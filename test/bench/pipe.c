/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hijacked stream costs on its way through us: bytes from one process to another over
 * loopback TCP, directly, and through pipe_join in a third.
 *   build/test/bench/bench-pipe [MiB]
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/loop.h"
#include "http/pipe.h"
#include "net/listener.h"

enum { CHUNK = 64 * 1024 };

static size_t amount = 2048 * MIB;

static void or_die(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", error_message(err));
	exit(1);
}

/* The far ends are processes of their own, with blocking sockets and no loop. */
static _noreturn_ void run_end(uint16_t port, bool sends)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *buf = mem_zalloc(CHUNK);

	if (connect(s, (struct sockaddr *)&to, sizeof(to)) != 0)
		_exit(1);
	for (size_t total = 0; sends && total < amount; total += CHUNK) {
		if (send(s, buf, CHUNK, 0) != CHUNK)
			_exit(1);
	}
	shutdown(s, SHUT_WR);
	while (recv(s, buf, CHUNK, 0) > 0)
		;
	_exit(0);
}

static void spawn(const struct listener *l, bool sends)
{
	if (fork() == 0)
		run_end(listener_addr(l)->port, sends);
}

static may_suspend struct listener *listen_somewhere(void)
{
	struct addr a;
	struct listener *l;

	or_die(addr_parse(STR("tcp://127.0.0.1:0"), &a));
	or_die(listener_open(&a, NULL, &l));
	return l;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void report(const char *how, int64_t began, double cpu_before)
{
	double s = (double)(clock_exact() - began) / (double)SECOND;
	double mib = (double)amount / (double)MIB;

	printf("%-8s %7.0f MiB/s, %5.2f s of this process's CPU for %.0f MiB\n", how, mib / s,
	       cpu_seconds() - cpu_before, mib);
}

/* Two clients of ours, joined. */
static may_suspend void piped(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = listen_somewhere();
	_cleanup_(stream_closep) struct stream *a = NULL, *b = NULL;
	double cpu = cpu_seconds();
	int64_t began;

	spawn(l, true);
	or_die(listener_accept(l, &a));
	spawn(l, false);
	or_die(listener_accept(l, &b));
	began = clock_exact();
	or_die(pipe_join(a, STR_NONE, b, STR_NONE));
	report("piped", began, cpu);
}

/* One client that sends to us. */
static may_suspend void direct(_unused_ void *arg)
{
	_cleanup_(listener_closep) struct listener *l = listen_somewhere();
	_cleanup_(stream_closep) struct stream *s = NULL;
	_cleanup_(mem_freep) char *buf = mem_alloc(CHUNK);
	double cpu = cpu_seconds();
	size_t n = 1;
	int64_t began;

	spawn(l, true);
	or_die(listener_accept(l, &s));
	began = clock_exact();
	while (n > 0)
		or_die(stream_read(s, buf, CHUNK, &n));
	report("direct", began, cpu);
	or_die(stream_shutdown(s));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		amount = strtoul(argv[1], NULL, 10) * MIB;
	setvbuf(stdout, NULL, _IOLBF, 0);
	loop_run(LOOP_REAL, direct, NULL);
	loop_run(LOOP_REAL, piped, NULL);
	while (wait(NULL) > 0)
		;
	return 0;
}
