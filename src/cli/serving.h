/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands that serve have in common: their addresses, their state directory, their limits.
 */
#ifndef CLI_SERVING_H
#define CLI_SERVING_H

#include <stddef.h>

#include "base/error.h"
#include "base/vec.h"
#include "net/addr.h"
#include "net/tls.h"

struct listener;
struct user;

struct serving {
	const struct addr *hosts;
	size_t n_hosts;
	struct tls_context *tls; /* NULL: in the clear */
	bool verify;		 /* clients have to show certificates */
};

/* Opens them all, each appended to ret: where one fails, those before it are there. */
may_suspend must_check struct error *serving_open(const struct serving *s, struct vec *ret);

/* Tells where it listens, and warns of `exposed` (what anybody can do who reaches it). */
void serving_log(const struct serving *s, const struct listener *l, const char *exposed);

/*
 * A connection takes a descriptor, and an engine several: as many as the system allows. Answers how
 * many clients' connections that leaves room for, at most `wanted`.
 */
size_t serving_room(size_t wanted);
/* Says so where the room is less: once it serves, so that a refusal to start is one line. */
void serving_log_room(size_t room, size_t wanted);

/*
 * signal_wait, but for SIGHUP, at which certificates are read again: connections that are there go
 * on, and a context with a file at fault stays as it was.
 */
may_suspend must_check struct error *serving_wait(const int *signals, size_t n, int *ret_signal);

/*
 * Makes the directory where it is not there, for the user alone (NULL: who we are), and checks that
 * they can write there. Its files are a secret. Blocks: before the loop runs.
 */
must_check struct error *serving_make_state_dir(const char *dir, const struct user *u);

#endif
