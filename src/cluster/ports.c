/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/ports.h"

#include "base/mem.h"
#include "engine/container_ports.h"

void port_table_fini(struct port_table *t)
{
	free(t->v);
	*t = (struct port_table){ NULL, 0, 0 };
}

static int compare(const struct container_port *a, const struct container_port *b)
{
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return (int)a->protocol - (int)b->protocol;
}

/* The first place whose port is not below `port`. */
static size_t lower_bound(const struct port_table *t, const struct container_port *port)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&t->v[middle].port, port) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void port_table_add(struct port_table *t, const struct container_port *port, const void *holder,
		    struct str name)
{
	size_t at = lower_bound(t, port);

	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 8;
		t->v = mem_realloc_array(t->v, t->cap, sizeof(*t->v));
	}
	memmove(t->v + at + 1, t->v + at, (t->n - at) * sizeof(*t->v));
	t->v[at] = (struct port_use){ *port, holder, name };
	t->n++;
}

static bool same_address(const struct container_port *a, const struct container_port *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

void port_table_remove(struct port_table *t, const struct container_port *port, const void *holder)
{
	for (size_t i = lower_bound(t, port); i < t->n && !compare(&t->v[i].port, port); i++) {
		if (t->v[i].holder != holder || !same_address(&t->v[i].port, port))
			continue;
		memmove(t->v + i, t->v + i + 1, (t->n - i - 1) * sizeof(*t->v));
		t->n--;
		return;
	}
}

const struct port_use *port_table_find(const struct port_table *t,
				       const struct container_port *port)
{
	for (size_t i = lower_bound(t, port); i < t->n && !compare(&t->v[i].port, port); i++) {
		const struct container_port *taken = &t->v[i].port;

		if (!taken->family || !port->family || same_address(taken, port))
			return &t->v[i];
	}
	return NULL;
}

bool port_from_config(const struct host_port *want, struct container_port *ret)
{
	if (!want->port)
		return false;

	*ret = (struct container_port){ .port = want->port, .protocol = 't' };
	if (!str_empty(want->protocol))
		ret->protocol = (uint8_t)want->protocol.p[0];
	container_port_set_ip(ret, want->ip);
	return true;
}
