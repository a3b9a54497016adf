/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port: each host port that is asked for is free there. Who holds it is the cluster's to look up.
 */
#include "scheduler/filter.h"

static bool applies(const struct sched_request *request)
{
	return request->n_ports > 0;
}

/* Who holds the port on the node; STR_NONE: nobody, or the engine draws one. */
static struct str holder_of(const struct host_port *port, const struct sched_node *node)
{
	return port->port ? node->lookups->port_holder(node, port) : STR_NONE;
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	const struct sched_request *request = run->request;

	for (size_t i = 0; i < request->n_ports; i++)
		if (holder_of(&request->ports[i], node).p)
			return false;
	return true;
}

static bool taken_everywhere(const struct host_port *port, struct sched_nodes nodes)
{
	for (size_t i = 0; i < nodes.n; i++)
		if (!holder_of(port, nodes.v[i]).p)
			return false;
	return true;
}

static struct str protocol_of(const struct host_port *port)
{
	return str_empty(port->protocol) ? STR("tcp") : port->protocol;
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	const struct sched_request *request = run->request;
	size_t i = 0;

	/* Where no port alone is to blame, the last one left no node. */
	while (i + 1 < request->n_ports && !taken_everywhere(&request->ports[i], lost))
		i++;
	strbuf_addf(out, "unable to find a node with port %u", request->ports[i].port);
	if (request->host_network)
		strbuf_addf(out, "/%.*s available in the Host mode",
			    STR_ARG(protocol_of(&request->ports[i])));
	else
		strbuf_add(out, STR(" available"));
}

static struct str reason_text(const struct host_port *port, struct arena *arena)
{
	struct str protocol = protocol_of(port);

	if (str_eq(protocol, STR("tcp")))
		return arena_printf(arena, "port %u taken on", port->port);
	return arena_printf(arena, "port %u/%.*s taken on", port->port, STR_ARG(protocol));
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	const struct sched_request *request = run->request;

	for (size_t i = 0; i < request->n_ports; i++) {
		const struct host_port *port = &request->ports[i];
		struct str holder = holder_of(port, node);
		struct reason *r;

		if (!holder.p)
			continue;
		r = reasons_get(why, port);
		if (str_empty(r->text))
			r->text = reason_text(port, why->arena);
		reason_add(r, node->name, holder);
		return;
	}
}

const struct filter_kind filter_port = {
	.name = "port",
	.applies = applies,
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
