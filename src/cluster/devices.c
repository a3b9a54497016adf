/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that containers and creations under way hold of their node, by kind. Few containers hold
 * any; those that do keep the text of what was asked for.
 */
#include "base/mem.h"
#include "cluster/internal.h"

/* What cannot be read holds nothing: the engine has taken it all the same. */
static void step(const struct devices *devices, struct json list, int64_t sign, int64_t *reserved)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct device_requests r;

	error_free(device_requests_read(list, &arena, &r));
	for (size_t i = 0; i < r.n; i++) {
		const struct device_kind *kind = devices_kind(devices, &r.v[i]);

		if (kind)
			reserved[kind - devices->kinds] +=
				sign * device_request_count(&r.v[i], kind);
	}
}

static void step_container(const struct devices *devices, const struct container *ct, int64_t sign,
			   int64_t *reserved)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct error *err;
	struct json list;

	if (str_empty(ct->devices))
		return;
	err = json_parse(ct->devices, &arena, &list);
	if (!err)
		step(devices, list, sign, reserved);
	error_free(err);
}

void devices_count(const struct member *m, int64_t *reserved)
{
	const struct devices *devices = m->sched.devices;
	const struct container *ct;

	for (size_t i = 0; (ct = map_next(engine_containers(m->engine), &i));)
		step_container(devices, ct, 1, reserved);
	list_for_each(link, &m->flights) {
		const struct flight *f = list_item(link, struct flight, at_member);

		if (!f->landed)
			step(devices, f->devices, 1, reserved);
	}
}

void devices_take_info(struct member *m, const struct engine_info *info)
{
	free(m->reserved_devices);
	m->reserved_devices = NULL;
	m->sched.devices = &info->devices;
	if (info->devices.n_kinds) {
		m->reserved_devices =
			mem_zalloc(info->devices.n_kinds * sizeof(*m->reserved_devices));
		devices_count(m, m->reserved_devices);
	}
	m->sched.reserved_devices = m->reserved_devices;
}

void devices_step_container(struct member *m, const struct container *ct, int sign)
{
	if (m->reserved_devices)
		step_container(m->sched.devices, ct, sign, m->reserved_devices);
}

void devices_step_flight(struct member *m, const struct flight *f, int sign)
{
	if (m->reserved_devices)
		step(m->sched.devices, f->devices, sign, m->reserved_devices);
}
