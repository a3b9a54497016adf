/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fault stories share: an operation as a client's request on a fiber of its own, and what
 * its outcome may be.
 */
#ifndef SIM_ACTING_H
#define SIM_ACTING_H

#include "cluster/fan.h"
#include "sim/pool.h"

/* Longer than any deadline of the manager's; what goes on then is the client's to end. */
#define PATIENCE (FAN_LONG + MINUTE)

struct acting {
	struct sim_reply reply;
	bool in_time; /* it ended without the client's going away */
	struct sim_hijack *hijack;
};
extern struct acting acting; /* of the operation told last */

/* One request, until its answer or PATIENCE is over. */
may_suspend void act(struct sim *s, const char *method, const char *path, const char *body,
		     const struct http_header *headers);
/* An attach or exec start: says "early hello", ends its side, and reads to the end. */
may_suspend void act_hijacked(struct sim *s, const char *path, const char *body);

/* The status of success or one clear error: a status, and a message that says something. */
void check_answer(struct sim *s, int success);
/* For what is the manager's own: it ends though the engine never answers. */
void check_in_time(void);
/* Either all of it, with `last` at its end, or the client is told. */
void check_stream(struct sim *s, const char *last);
/* Progress ends in success, or in exactly one error behind all else. */
void check_progress(struct sim *s);

/* Pools to begin with: n1 and n2, up; a container x of one of them, which the second runs. */
may_suspend void two_nodes(struct sim *s);
may_suspend void x_created(struct sim *s);
may_suspend void x_running(struct sim *s);
size_t copies_of(struct sim *s, const char *container);
bool runs(struct sim *s, const char *container); /* somewhere */

#endif
