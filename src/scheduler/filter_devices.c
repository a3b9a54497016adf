/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices (--gpus) and runtimes: the nodes that have what is asked for, and as many as are asked
 * for not reserved by others. Not among the filters that a user names: it always counts.
 */
#include "scheduler/filter.h"

void sched_ask_devices(struct sched_request *request, const struct device_requests *asked,
		       struct arena *arena)
{
	request->n_devices = asked->n;
	request->devices = arena_new_array(arena, struct sched_device_ask, asked->n);
	for (size_t i = 0; i < asked->n; i++)
		request->devices[i].request = &asked->v[i];
}

static void ask_node(struct sched_request *request, const struct sched_node *node)
{
	for (size_t i = 0; i < request->n_devices; i++) {
		struct sched_device_ask *ask = &request->devices[i];

		ask->kind_told |= devices_kind(node->devices, ask->request) != NULL;
		ask->ids_told |=
			ask->request->ids.n && devices_have_ids(node->devices, ask->request);
	}
	request->runtime_told |= devices_have_runtime(node->devices, request->runtime);
}

void sched_ask_pool(struct sched_request *request, struct sched_node *const *nodes, size_t n)
{
	request->runtime_told = false;
	for (size_t i = 0; i < request->n_devices; i++)
		request->devices[i].kind_told = request->devices[i].ids_told = false;
	if (!request->n_devices && str_empty(request->runtime))
		return;
	for (size_t i = 0; i < n; i++)
		ask_node(request, nodes[i]);
}

static bool applies(const struct sched_request *request)
{
	return request->n_devices || request->runtime_told;
}

static bool has_runtime(const struct sched_request *request, const struct sched_node *node)
{
	return !request->runtime_told || devices_have_runtime(node->devices, request->runtime);
}

static bool has_kind(const struct sched_device_ask *ask, const struct sched_node *node)
{
	return !ask->kind_told || devices_kind(node->devices, ask->request);
}

static bool has_ids(const struct sched_device_ask *ask, const struct sched_node *node)
{
	return !ask->ids_told || devices_have_ids(node->devices, ask->request);
}

static bool devices_are_there(const struct sched_run *run, const struct sched_node *node)
{
	const struct sched_request *request = run->request;

	if (!has_runtime(request, node))
		return false;
	for (size_t i = 0; i < request->n_devices; i++)
		if (!has_kind(&request->devices[i], node) || !has_ids(&request->devices[i], node))
			return false;
	return true;
}

size_t devices_keep_there(const struct sched_run *run, struct sched_node **v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (devices_are_there(run, v[i]))
			v[kept++] = v[i];
	return kept;
}

/* Several requests may be for one kind: what those up to this one take together. */
static int64_t taken_up_to(const struct sched_request *request, size_t at,
			   const struct sched_node *node, const struct device_kind *kind)
{
	int64_t n = 0;

	for (size_t i = 0; i <= at; i++) {
		const struct device_request *r = request->devices[i].request;

		if (devices_kind(node->devices, r) == kind)
			n += device_request_count(r, kind);
	}
	return n;
}

static int64_t free_of(const struct sched_node *node, const struct device_kind *kind)
{
	return kind->total - node->reserved_devices[kind - node->devices->kinds];
}

/* The first request that the node has the devices for, but not enough of them free; NULL: none. */
static const struct sched_device_ask *short_of(const struct sched_request *request,
					       const struct sched_node *node)
{
	for (size_t i = 0; i < request->n_devices; i++) {
		const struct sched_device_ask *ask = &request->devices[i];
		const struct device_kind *kind = devices_kind(node->devices, ask->request);
		int64_t n;

		if (!kind || !kind->total)
			continue;
		n = taken_up_to(request, i, node, kind);
		if (n > 0 && n > free_of(node, kind))
			return ask;
	}
	return NULL;
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	return devices_are_there(run, node) && !short_of(run->request, node);
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	(void)run;
	(void)lost;
	strbuf_add(out, STR("no resources available to schedule container"));
}

/* "gpu", though a driver's own capabilities stand beside it. */
static struct str name_of(const struct device_request *r)
{
	for (size_t i = 0; i < r->kinds.n; i++)
		if (str_eq(r->kinds.v[i], STR("gpu")))
			return r->kinds.v[i];
	return r->kinds.n ? r->kinds.v[0] : STR("device");
}

static struct str ids_text(const struct device_request *r, struct arena *arena)
{
	struct str text = str_first(r->ids.v[0], 64);

	if (r->ids.n == 1)
		return text;
	return arena_printf(arena, "%.*s and %zu more", STR_ARG(text), r->ids.n - 1);
}

static void add_reason(struct reasons *why, const void *about, const struct sched_node *node,
		       struct str text, struct str detail)
{
	struct reason *r = reasons_get(why, about);

	if (str_empty(r->text))
		r->text = text;
	reason_add(r, node->name, detail);
}

static void explain_shortage(const struct sched_device_ask *ask, const struct sched_node *node,
			     struct reasons *why)
{
	const struct device_kind *kind = devices_kind(node->devices, ask->request);
	struct str name = name_of(ask->request);
	struct str n = ask->request->n < 0
			       ? STR("all")
			       : arena_printf(why->arena, "%lld", (long long)ask->request->n);

	add_reason(why, ask, node,
		   arena_printf(why->arena, "%.*s %.*s not free on", STR_ARG(n), STR_ARG(name)),
		   arena_printf(why->arena, "%lld of %lld free",
				(long long)MAX(0, free_of(node, kind)), (long long)kind->total));
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	const struct sched_request *request = run->request;
	struct arena *arena = why->arena;

	if (!has_runtime(request, node)) {
		add_reason(why, &request->runtime, node,
			   arena_printf(arena, "runtime %.*s not on",
					STR_ARG(str_first(request->runtime, 64))),
			   STR_NONE);
		return;
	}
	for (size_t i = 0; i < request->n_devices; i++) {
		const struct sched_device_ask *ask = &request->devices[i];
		struct str name = name_of(ask->request);

		if (!has_kind(ask, node)) {
			add_reason(why, &ask->kind_told, node,
				   arena_printf(arena, "no %.*s on", STR_ARG(str_first(name, 64))),
				   STR_NONE);
			return;
		}
		if (!has_ids(ask, node)) {
			add_reason(why, &ask->ids_told, node,
				   arena_printf(arena, "%.*s %.*s not on", STR_ARG(name),
						STR_ARG(ids_text(ask->request, arena))),
				   STR_NONE);
			return;
		}
	}
	explain_shortage(short_of(request, node), node, why);
}

const struct filter_kind filter_devices = {
	.name = "devices",
	.applies = applies,
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
