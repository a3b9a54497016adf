/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's state as facts out of inspect, and the words for it in `docker ps`.
 */
#ifndef DOCKER_STATE_H
#define DOCKER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "json/json.h"

enum container_status {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_REMOVING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
};

enum container_health { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct container_state {
	enum container_status status;
	enum container_health health;
	int32_t exit_code;
	int64_t started_at, finished_at; /* unix ns, 0: never */
};

/* Out of the "State" object of inspect. */
void container_state_read(struct json state, struct container_state *ret);

/*
 * "Up 2 minutes (healthy)", "Exited (0) 3 hours ago", "Created", "Up 5 seconds (Paused)",
 * "Restarting (1) 2 seconds ago", as the engine words it. `now` is the engine's clock, unix ns.
 */
void container_status_text(const struct container_state *s, int64_t now, struct strbuf *out);

/* When it was started or ended last, unix ns; 0: never. */
int64_t container_state_since(const struct container_state *s);

/* It was started, and has not ended: it runs, is paused, or is about to be started again. */
bool container_status_is_up(enum container_status s);

const char *container_status_name(enum container_status s); /* "running" */
const char *container_health_name(enum container_health h); /* "none", "healthy" ... */

#endif
