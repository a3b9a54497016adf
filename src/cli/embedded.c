/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/embedded.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "discovery/discovery.h"
#include "net/listener.h"
#include "net/local.h"
#include "registry/registry.h"
#include "registry/request.h"

struct embedded {
	struct registry *registry;
	struct strbuf id;
	uint64_t version; /* of the cluster, as last fetched */
};

may_suspend struct error *embedded_open(const char *state_dir, struct embedded **ret)
{
	struct embedded *e = mem_new(struct embedded);
	struct error *err = registry_open(state_dir, &e->registry);

	if (!err)
		err = registry_own(e->registry, &e->id);
	if (err)
		embedded_close(e);
	else
		*ret = e;
	return err;
}

may_suspend void embedded_close(struct embedded *e)
{
	if (!e)
		return;
	registry_close(e->registry);
	strbuf_fini(&e->id);
	free(e);
}

static may_suspend struct error *fetch(void *arg, struct arena *arena, struct vec *ret)
{
	struct embedded *e = arg;

	return registry_list(e->registry, strbuf_str(&e->id), arena, ret, &e->version);
}

static may_suspend struct error *wait_for_change(void *arg)
{
	struct embedded *e = arg;

	return registry_wait(e->registry, strbuf_str(&e->id), e->version);
}

struct discovery *embedded_discovery(struct embedded *e)
{
	static const struct discovery_host host = {
		.scheme = "token",
		.fetch = fetch,
		.wait = wait_for_change,
	};

	return discovery_open_host(&host, e);
}

static may_suspend struct error *serve(struct http_incoming *in, void *arg)
{
	const struct embedded *e = arg;

	return registry_serve(e->registry, in);
}

struct api_guest embedded_guest(struct embedded *e)
{
	return (struct api_guest){ .prefix = REGISTRY_PREFIX, .serve = serve, .arg = e };
}

static bool is_any(const struct addr *a)
{
	return a->host[0] == '\0' || str_eq(str_from(a->host), STR("0.0.0.0")) ||
	       str_eq(str_from(a->host), STR("::"));
}

/* Better: one that other hosts can reach. */
static bool better(const struct addr *a, const struct addr *than)
{
	return addr_is_loopback(than) && !addr_is_loopback(a);
}

static void take_better(const struct addr *a, struct addr *ret, bool *found)
{
	if (a->kind != ADDR_TCP || (*found && !better(a, ret)))
		return;
	*ret = *a;
	*found = true;
}

bool embedded_address(const char *advertise, const struct vec *listeners, struct addr *ret)
{
	bool found = false;
	struct addr at;

	if (advertise) {
		/* The flag's own check has read it before. */
		error_free(addr_parse_host_port(str_from(advertise), ret));
		return true;
	}
	for (size_t i = 0; i < listeners->n; i++) {
		const struct listener *l = listeners->v[i];
		bool passed = listener_addr(l)->kind == ADDR_FD;

		if (!passed)
			take_better(listener_addr(l), ret, &found);
		for (size_t k = 0; passed && listener_socket(l, k, &at); k++)
			take_better(&at, ret, &found);
	}
	if (found && is_any(ret) && !local_address(ret))
		(void)snprintf(ret->host, sizeof(ret->host), "127.0.0.1");
	return found;
}

void embedded_announce(const struct embedded *e, const struct addr *at, bool tls)
{
	_cleanup_(strbuf_fini) struct strbuf host = STRBUF_INIT;

	addr_format(at, &host);
	if (addr_is_loopback(at))
		log_warn("other hosts cannot reach this address, so no node can join: listen on "
			 "another one, or say --advertise",
			 LOG_STR("address", strbuf_str(&host)));
	if (tls)
		log_info("joins need the TLS flags too, with a certificate of the same CA");
	printf("Add a node:   swarm join --advertise <node_ip:2375> token://%s/%s\n"
	       "Use it:       export DOCKER_HOST=tcp://%s\n",
	       host.p, e->id.p, host.p);
	if (fflush(stdout) != 0)
		log_warn("how nodes join cannot be said: stdout is closed");
}
