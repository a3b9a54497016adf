/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs what must abort in a child process and looks at what it said.
 */
#ifndef TEST_FIBER_ABORTS_H
#define TEST_FIBER_ABORTS_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fiber/loop.h"

#define OUTSIDE_OF_A_LOOP (-1)

/* The child's stderr has `text` in it and abort() ended it. */
static inline void assert_loop_aborts(int kind, fiber_fn *fn, void *arg, const char *text)
{
	char said[8192];
	size_t n = 0;
	ssize_t got;
	int out[2], status;

	assert_int_equal(pipe(out), 0);
	pid_t child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		/* cmocka's and the sanitizers' handlers would make an exit of the abort. */
		signal(SIGABRT, SIG_DFL);
		dup2(out[1], STDERR_FILENO);
		if (kind == OUTSIDE_OF_A_LOOP)
			fn(arg);
		else
			loop_run((enum loop_kind)kind, fn, arg);
		_exit(0);
	}
	assert_true(child > 0);
	close(out[1]);
	while (n < sizeof(said) - 1 && (got = read(out[0], said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || !strstr(said, text))
		fail_msg("status %x, said: %s", (unsigned)status, said);
}

#endif
