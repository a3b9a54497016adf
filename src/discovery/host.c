/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A discovery whose entries its opener has itself. It stands in no URI.
 */
#include "base/mem.h"
#include "discovery/backend.h"

struct hosted {
	struct discovery base;
	struct discovery_backend backend;
	const struct discovery_host *host;
	void *arg;
};

static may_suspend struct error *hosted_fetch(struct discovery *d, struct arena *arena,
					      struct vec *ret)
{
	struct hosted *hosted = container_of(d, struct hosted, base);

	return hosted->host->fetch(hosted->arg, arena, ret);
}

static may_suspend struct error *hosted_wait(struct discovery *d)
{
	struct hosted *hosted = container_of(d, struct hosted, base);

	return hosted->host->wait(hosted->arg);
}

static void hosted_close(struct discovery *d)
{
	free(container_of(d, struct hosted, base));
}

struct discovery *discovery_open_host(const struct discovery_host *host, void *arg)
{
	struct hosted *hosted = mem_new(struct hosted);

	hosted->backend = (struct discovery_backend){
		.scheme = host->scheme,
		.fetch = hosted_fetch,
		.wait = hosted_wait,
		.close = hosted_close,
	};
	hosted->base.backend = &hosted->backend;
	hosted->host = host;
	hosted->arg = arg;
	return &hosted->base;
}
