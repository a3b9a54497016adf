/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reserved CPU and memory: what is asked for fits beside what the containers there, and the
 * creations under way, hold already. Not among the filters that a user names: it always counts.
 */
#include "scheduler/filter.h"

#define MEBIBYTE (INT64_C(1) << 20)

/* So that a hundred times a node's total still fits: percentages are taken of it. */
#define MOST (INT64_MAX / 128)

static int64_t with_room(int64_t total, double room)
{
	double n = (double)total * room + 0.5;

	return n < (double)MOST ? (int64_t)n : MOST;
}

int64_t resources_cpus(const struct sched_run *run, const struct sched_node *node)
{
	return with_room(node->nano_cpus, run->room);
}

int64_t resources_memory(const struct sched_run *run, const struct sched_node *node)
{
	return with_room(node->memory, run->room);
}

static bool applies(const struct sched_request *request)
{
	return request->nano_cpus > 0 || request->memory > 0;
}

static bool cpus_fit(const struct sched_run *run, const struct sched_node *node)
{
	int64_t asked = run->request->nano_cpus;

	return asked <= 0 || asked <= resources_cpus(run, node) - node->reserved_nano_cpus;
}

static bool memory_fits(const struct sched_run *run, const struct sched_node *node)
{
	int64_t asked = run->request->memory;

	return asked <= 0 || asked <= resources_memory(run, node) - node->reserved_memory;
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	return cpus_fit(run, node) && memory_fits(run, node);
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	(void)run;
	(void)lost;
	strbuf_add(out, STR("no resources available to schedule container"));
}

/* "1.5 GiB", "512 MiB", "100 B": what is asked for is mostly round. */
static struct str bytes_text(int64_t n, struct arena *arena)
{
	static const char *const units[] = { "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)n / (double)MEBIBYTE;
	size_t unit = 0;

	if (n < MEBIBYTE)
		return arena_printf(arena, "%lld B", (long long)n);
	for (; value >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
		value /= 1024;
	return arena_printf(arena, "%.4g %s", value, units[unit]);
}

static void explain_cpus(const struct sched_run *run, const struct sched_node *node,
			 struct reasons *why)
{
	struct reason *r = reasons_get(why, &run->request->nano_cpus);
	int64_t free_cpus = resources_cpus(run, node) - node->reserved_nano_cpus;
	struct str free_text = config_cores_format(MAX(0, free_cpus), why->arena);

	if (str_empty(r->text)) {
		struct str asked = config_cores_format(run->request->nano_cpus, why->arena);

		r->text = arena_printf(why->arena, "%.*s CPUs not free on", STR_ARG(asked));
	}
	reason_add(r, node->name, arena_printf(why->arena, "%.*s free", STR_ARG(free_text)));
}

static void explain_memory(const struct sched_run *run, const struct sched_node *node,
			   struct reasons *why)
{
	struct reason *r = reasons_get(why, &run->request->memory);
	int64_t free_memory = resources_memory(run, node) - node->reserved_memory;
	struct str free_text = bytes_text(MAX(0, free_memory), why->arena);

	if (str_empty(r->text)) {
		struct str asked = bytes_text(run->request->memory, why->arena);

		r->text = arena_printf(why->arena, "%.*s of memory not free on", STR_ARG(asked));
	}
	reason_add(r, node->name, arena_printf(why->arena, "%.*s free", STR_ARG(free_text)));
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	if (!cpus_fit(run, node))
		explain_cpus(run, node, why);
	else if (!memory_fits(run, node))
		explain_memory(run, node, why);
}

const struct filter_kind filter_resources = {
	.name = "resources",
	.applies = applies,
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
