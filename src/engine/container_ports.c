/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host ports out of inspect. What cannot be read as a port (a range that the engine draws from) is
 * left out: it is no port of the host before the engine has drawn it.
 */
#include "engine/container_ports.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct port_list {
	struct container_port *v;
	size_t n;
};

static bool read_port(struct str text, uint16_t *ret)
{
	uint64_t n;

	if (!str_to_u64(text, &n) || n == 0 || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* An address that cannot be read counts as any address: rather too careful than too bold. */
void container_port_set_ip(struct container_port *p, struct str text)
{
	static const uint8_t zero[16];
	char cstr[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(cstr))
		return;
	memcpy(cstr, text.n ? text.p : "", text.n);
	cstr[text.n] = '\0';
	if (inet_pton(AF_INET, cstr, p->ip) == 1)
		p->family = 4;
	else if (inet_pton(AF_INET6, cstr, p->ip) == 1)
		p->family = 6;
	if (memcmp(p->ip, zero, sizeof(zero)) == 0)
		p->family = 0;
}

/* "tcp", "udp", "sctp"; docker takes a key without a protocol for tcp. */
static uint8_t protocol_of(struct str text)
{
	return str_empty(text) ? 't' : (uint8_t)text.p[0];
}

/* {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "81/tcp": null} */
static void add_bindings(struct port_list *list, struct json map)
{
	struct json_iter keys = json_iter(map);
	struct str key, number, protocol;
	struct json bindings, b;

	while (json_type(map) == JSON_OBJECT && json_next(&keys, &key, &bindings)) {
		struct json_iter it = json_iter(bindings);

		protocol = STR("");
		str_cut(key, '/', &number, &protocol);
		while (json_type(bindings) == JSON_ARRAY && json_next(&it, NULL, &b)) {
			struct container_port p = { .protocol = protocol_of(protocol) };

			if (!read_port(json_get_str(b, "HostPort"), &p.port))
				continue;
			container_port_set_ip(&p, json_get_str(b, "HostIp"));
			list->v[list->n++] = p;
		}
	}
}

static size_t count_bindings(struct json map)
{
	struct json_iter it = json_iter(map);
	struct json bindings;
	size_t n = 0;

	while (json_type(map) == JSON_OBJECT && json_next(&it, NULL, &bindings))
		n += json_count(bindings);
	return n;
}

static void add_exposed(struct port_list *list, struct json exposed)
{
	struct json_iter it = json_iter(exposed);
	struct str key, number, protocol;
	struct json nothing;

	while (json_type(exposed) == JSON_OBJECT && json_next(&it, &key, &nothing)) {
		struct container_port p = { 0 };

		protocol = STR("");
		str_cut(key, '/', &number, &protocol);
		p.protocol = protocol_of(protocol);
		if (read_port(number, &p.port))
			list->v[list->n++] = p;
	}
}

static int port_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct container_port));
}

static void sort_unique(struct port_list *list)
{
	size_t kept = 0;

	if (!list->n)
		return;
	qsort(list->v, list->n, sizeof(*list->v), port_cmp);
	for (size_t i = 1; i < list->n; i++)
		if (port_cmp(&list->v[i], &list->v[kept]) != 0)
			list->v[++kept] = list->v[i];
	list->n = kept + 1;
}

const struct container_port *container_ports_read(struct json inspect, struct arena *arena,
						  uint32_t *ret_n)
{
	struct json host = json_get(inspect, "HostConfig");
	struct json asked = json_get(host, "PortBindings");
	struct json drawn = json_get(json_get(inspect, "NetworkSettings"), "Ports");
	struct json exposed = json_get(json_get(inspect, "Config"), "ExposedPorts");
	bool host_network = str_eq(json_get_str(host, "NetworkMode"), STR("host"));
	size_t max = count_bindings(asked) + count_bindings(drawn) + json_count(exposed);
	struct port_list list = { .v = arena_new_array(arena, struct container_port, max) };

	if (host_network) {
		add_exposed(&list, exposed);
	} else {
		add_bindings(&list, asked);
		add_bindings(&list, drawn);
	}
	sort_unique(&list);
	*ret_n = (uint32_t)list.n;
	return list.v;
}
