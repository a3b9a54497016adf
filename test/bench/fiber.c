/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fibers cost: memory while parked, a switch, a start, a wait for a socket.
 *   build/test/bench/bench-fiber [number of fibers]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/fd.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "net/memory.h"

#define ROUNDS 500000

static size_t parked = 20000;

static void or_die(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", error_message(err));
	exit(1);
}

/* A line of /proc/self/status, in KiB. */
static long status_kib(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name) + 1, NULL, 10);
	fclose(f);
	return kib;
}

static size_t map_count(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	size_t n = 0;
	int c;

	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static size_t touch(size_t kib)
{
	char frame[1024];

	/* Lent out, so that no compiler makes a loop of it. */
	__asm__ volatile("" : : "r"(frame) : "memory");
	frame[0] = frame[1023] = 1;
	return kib == 0 ? 0 : touch(kib - 1) + (size_t)frame[0];
}

/* As deep as a TLS handshake or the parsing of a large reply. */
static void park_deep(void *arg)
{
	touch(*(size_t *)arg);
	error_free(fiber_sleep(HOUR));
}

static void report(const char *when, long rss, long tables)
{
	printf("  %-28s %6.2f KiB resident, %.2f KiB of page tables\n", when,
	       (double)(status_kib("VmRSS:") - rss) / (double)parked,
	       (double)(status_kib("VmPTE:") - tables) / (double)parked);
}

static void memory_of(const char *what, size_t depth)
{
	struct group g = GROUP_INIT;
	long rss = status_kib("VmRSS:"), tables = status_kib("VmPTE:");
	int64_t start = clock_exact();

	printf("%s, for each of %zu:\n", what, parked);
	for (size_t i = 0; i < parked; i++)
		group_go(&g, "parked", park_deep, &depth);
	or_die(fiber_yield());
	printf("  %-28s %6.2f us\n", "started and parked in",
	       (double)(clock_exact() - start) / 1e3 / (double)parked);
	report("just parked", rss, tables);
	or_die(fiber_sleep(2500 * MILLISECOND));
	report("after two seconds", rss, tables);
	printf("  %-28s %6zu\n", "mappings in all", map_count());
	start = clock_exact();
	group_finish(&g);
	printf("  %-28s %6.2f us\n", "cancelled and joined in",
	       (double)(clock_exact() - start) / 1e3 / (double)parked);
}

static void print_each(const char *what, int64_t start, size_t rounds)
{
	printf("%-30s %6.0f ns\n", what, (double)(clock_exact() - start) / (double)rounds);
}

static void yielder(_unused_ void *arg)
{
	for (size_t i = 0; i < ROUNDS / 2; i++)
		or_die(fiber_yield());
}

static void measure_switch(void)
{
	struct group g = GROUP_INIT;
	int64_t start = clock_exact();

	group_go(&g, "a", yielder, NULL);
	group_go(&g, "b", yielder, NULL);
	or_die(group_wait(&g));
	print_each("a yield and back", start, ROUNDS);
}

static void nothing(_unused_ void *arg)
{
}

static void measure_start(void)
{
	int64_t start = clock_exact();

	for (size_t i = 0; i < ROUNDS; i++) {
		struct group g = GROUP_INIT;

		group_go(&g, "brief", nothing, NULL);
		or_die(group_wait(&g));
	}
	print_each("a start and its join", start, ROUNDS);
}

static void echo(void *arg)
{
	struct stream *s = arg;
	char c;
	size_t n;

	for (;;) {
		or_die(stream_read(s, &c, 1, &n));
		if (n == 0)
			return;
		or_die(stream_write(s, str_of(&c, 1)));
	}
}

static void measure_memory_stream(void)
{
	struct group g = GROUP_INIT;
	struct stream *a, *b;
	char c = 'x';
	size_t n;

	memory_pair(100, "a", "b", &a, &b);
	group_go(&g, "echo", echo, b);

	int64_t start = clock_exact();

	for (size_t i = 0; i < ROUNDS; i++) {
		or_die(stream_write(a, str_of(&c, 1)));
		or_die(stream_read(a, &c, 1, &n));
	}
	print_each("a byte and back in memory", start, ROUNDS);
	stream_close(a);
	or_die(group_wait(&g));
	stream_close(b);
}

static void reader(void *arg)
{
	char c;

	for (size_t i = 0; i < ROUNDS / 5; i++) {
		while (recv(fd_descriptor(arg), &c, 1, 0) != 1)
			or_die(fd_wait_readable(arg));
		if (send(fd_descriptor(arg), &c, 1, 0) != 1)
			exit(1);
	}
}

static void measure_socket(void)
{
	struct group g = GROUP_INIT;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
		exit(1);

	struct fd *a = fd_new(ends[0]), *b = fd_new(ends[1]);
	int64_t start = clock_exact();

	group_go(&g, "a", reader, a);
	group_go(&g, "b", reader, b);
	if (send(ends[0], "x", 1, 0) != 1)
		exit(1);
	or_die(group_wait(&g));
	print_each("a byte and back by socket", start, ROUNDS / 5);
	fd_close(a);
	fd_close(b);
}

static void bench(_unused_ void *arg)
{
	measure_switch();
	measure_start();
	measure_memory_stream();
	measure_socket();
	memory_of("Fibers that sleep", 0);
	memory_of("Fibers that were 16 KiB deep", 16);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		parked = strtoul(argv[1], NULL, 10);
	loop_set_hog_limit(0);
	loop_run(LOOP_REAL, bench, NULL);
	return 0;
}
