/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process for each seed: what it does to memory, signals and descriptors stays its own, and an
 * assertion ends it alone.
 */
#include "sim/internal.h"

#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "descriptors.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Of real time: a story takes a fraction of a second, where it has a processor. */
#define PATIENCE  900
#define LOG_SHOWN (4 * KIB)

/* What the manager had to say, where the story ends in an assertion. */
static void show_log(_unused_ int signal)
{
	if (!the_sim)
		return;

	struct str log = strbuf_str(&the_sim->log);

	log = str_skip(log, log.n > LOG_SHOWN ? log.n - LOG_SHOWN : 0);
	fprintf(stderr, "# %s at %.4f s; the manager's log says:\n%.*s", sim_title,
		(double)clock_now() / SECOND - 3600, STR_ARG(log));
}

static void out_of_patience(_unused_ int signal)
{
	struct strbuf fibers = STRBUF_INIT;

	fiber_dump(&fibers);
	fprintf(stderr, "# not done after %d s:\n%s", PATIENCE, fibers.p ? fibers.p : "");
	abort();
}

/* A failed assertion must not jump from a fiber's stack back into the test runner. */
static void prepare_process(void)
{
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	setenv("CMOCKA_MESSAGE_OUTPUT", "STDOUT", 1);
	signal(SIGABRT, show_log);
	signal(SIGALRM, out_of_patience);
	alarm(PATIENCE);
}

/* The part of an object's data that stays writable: what relocation alone wrote comes first. */
static int own_data(struct dl_phdr_info *object, _unused_ size_t size, void *page_size)
{
	uintptr_t page = *(const uintptr_t *)page_size;
	uintptr_t sealed = 0;

	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];

		if (part->p_type == PT_GNU_RELRO)
			sealed = object->dlpi_addr + part->p_vaddr + part->p_memsz;
	}
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + part->p_vaddr;
		uintptr_t end = start + part->p_memsz;

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_W))
			continue;
		start = MAX(start, sealed) & ~(page - 1);
		if (end > start) /* a kernel that cannot leaves it slow */
			(void)madvise((void *)start, end - start, MADV_POPULATE_WRITE);
	}
	return 0;
}

/*
 * LeakSanitizer reads all data at the end of each process, and its megabytes that are still the
 * file's would be mapped page by page in each; pages of our own come along with the fork.
 */
static void share_data(void)
{
	static bool done;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	if (!done)
		dl_iterate_phdr(own_data, &page);
	done = true;
}

void sim_apart(const char *name, uint64_t seed, void (*fn)(void *arg), void *arg)
{
	int status = -1;
	pid_t pid;

	share_data();
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prepare_process();
		descriptors_note();
		fn(arg);
		exit(descriptors_as_noted() ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail_msg("cannot fork for %s", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	fail_msg("%s failed (%s %d); again: SIM_SEED=%llu", name,
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 (unsigned long long)seed);
}
