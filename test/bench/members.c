/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one node's news costs in pools of two sizes: that it joins, that its /info is read again (as
 * each is every minute), that it leaves. The real cluster over engines that are never asked.
 *
 *	bench-members [NODES]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/log.h"
#include "cluster/internal.h"
#include "engine/internal.h"

#include "bench/nodes.h"

static struct member *join(struct cluster *c, size_t i, struct engine_info *info)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct addr a;
	struct member *m;

	must(addr_parse(arena_printf(&arena, "10.0.%zu.%zu:2375", i >> 8 & 255, i & 255), &a));
	m = member_new(c, &a);
	map_put(&c->by_addr, m);
	must(cluster_observer.validate(c, m->engine, info));
	engine_take_info(m->engine, info);
	engine_set_state(m->engine, ENGINE_HEALTHY);
	return m;
}

static void leave(struct cluster *c, struct member *m)
{
	engine_set_state(m->engine, ENGINE_GONE);
	map_del(&c->by_addr, engine_addr(m->engine));
	member_free(m);
}

static void print(const char *what, int64_t since, size_t n)
{
	printf("  %-12s %8.2f us for each node\n", what,
	       (double)(cpu_time() - since) / 1e3 / (double)n);
}

static void pool(size_t n)
{
	struct cluster_config config;
	struct cluster *c;
	struct member **members = calloc(n, sizeof(*members));
	struct engine_info **infos = calloc(n, sizeof(*infos));
	int64_t since;

	cluster_config_default(&config);
	c = cluster_new(&config);
	printf("%zu nodes\n", n);
	for (size_t i = 0; i < n; i++)
		infos[i] = bench_info(i);
	since = cpu_time();
	for (size_t i = 0; i < n; i++)
		members[i] = join(c, i, infos[i]);
	print("joined", since, n);

	for (size_t i = 0; i < n; i++)
		infos[i] = bench_info(i);
	since = cpu_time();
	for (size_t i = 0; i < n; i++)
		engine_take_info(members[i]->engine, infos[i]);
	print("read again", since, n);

	since = cpu_time();
	for (size_t i = 0; i < n; i++)
		leave(c, members[i]);
	print("left", since, n);
	free(infos);
	free(members);
	cluster_free(c);
}

int main(int argc, char **argv)
{
	log_set_level(LOG_ERROR);
	if (argc == 2) {
		pool(strtoul(argv[1], NULL, 10));
		return 0;
	}
	pool(100);
	pool(1000);
	pool(10000);
	return 0;
}
