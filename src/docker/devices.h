/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices as values: what a container asks for (HostConfig.DeviceRequests: --gpus) and what an
 * engine says that it has (/info). Which device a container gets is the engine's affair.
 */
#ifndef DOCKER_DEVICES_H
#define DOCKER_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "json/json.h"

struct device_request {
	struct str_array kinds; /* capabilities, in one list; without any the driver */
	struct str_array ids;	/* asked for by name: "GPU-fef8089b", "0", "vendor.com/class=a" */
	int64_t n;		/* how many; -1: all */
};

struct device_requests {
	const struct device_request *v;
	size_t n;
};

/*
 * The value of DeviceRequests; what has a wrong type is left out. ERR_INVALID where there are too
 * many. Texts are borrowed.
 */
must_check struct error *device_requests_read(struct json list, struct arena *arena,
					      struct device_requests *ret);

/* "gpu", "NVIDIA-GPU": a generic resource. */
struct device_kind {
	struct str name;
	int64_t total; /* how many; 0: it has some, and does not say how many */
};

struct devices {
	const struct device_kind *kinds;
	size_t n_kinds;
	struct str_array ids; /* those that have a name */
	struct str_array runtimes;
};

/* Out of /info: GenericResources, DiscoveredDevices, Runtimes. Texts are copied. */
void devices_read(struct json info, struct arena *arena, struct devices *ret);

/*
 * What the request is served from: a kind with one of its words ("gpu" is one of NVIDIA-GPU), one
 * that is counted before others. NULL: none, or `d` is NULL.
 */
const struct device_kind *devices_kind(const struct devices *d, const struct device_request *r);
/* How many of the kind it takes. */
int64_t device_request_count(const struct device_request *r, const struct device_kind *kind);
bool devices_have_ids(const struct devices *d, const struct device_request *r); /* all of them */
bool devices_have_runtime(const struct devices *d, struct str runtime);

#endif
