/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/duration.h"

int64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

void must(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", error_message(err));
	exit(1);
}

struct engine_info *bench_info(size_t i)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct engine_info *info;
	struct str text = arena_printf(
		&arena,
		"{\"ID\":\"ID%zu\",\"Name\":\"node-%zu\",\"NCPU\":64,\"MemTotal\":549755813888,"
		"\"Driver\":\"overlay2\",\"KernelVersion\":\"6.1.0\",\"OSType\":\"linux\","
		"\"OperatingSystem\":\"Debian 12\",\"Architecture\":\"x86_64\",\"Labels\":["
		"\"storage=%s\",\"rack=r%zu\",\"zone=z%zu\",\"serial=s%zu\"]}",
		i, i, i % 2 ? "ssd" : "disk", i % 8, i % 3, i);

	must(engine_info_read(STR("bench"), text,
			      STR("{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}"), 0, 0,
			      &info));
	return info;
}
