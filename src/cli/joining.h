/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `swarm join` does once its flags are read: asks the engine, and keeps its entry in the
 * discovery for as long as it answers.
 */
#ifndef CLI_JOINING_H
#define CLI_JOINING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"

struct discovery;
struct tls_context;

struct joining {
	struct discovery *discovery;
	struct addr engine;
	struct tls_context *tls; /* to try on the engine first; NULL: none given */
	int64_t heartbeat, ttl;
	bool tried; /* to enter it, by joining_run: there may be an entry */
};

/*
 * Until cancelled, or until it is told that it never can: that error. Never registers an engine
 * that does not answer, and never renews one.
 */
may_suspend must_check struct error *joining_run(struct joining *j);

/*
 * Whether a Docker Engine answers there, in whichever of the two ways: an engine with TLS says to
 * a plain request that it wants TLS, and that is an answer too.
 */
may_suspend must_check struct error *joining_ask_engine(const struct joining *j);

#endif
