/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What placing a container costs, and what each container of the pool takes in memory: the real
 * cluster over engines that are never asked anything.
 *
 *	bench-placement [NODES CONTAINERS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "base/duration.h"
#include "cluster/placement.h"
#include "engine/internal.h"

#include "bench/nodes.h"

enum { ROUNDS = 200, ENTRY = 1024 };

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all = 0, pages = 0;

	if (!f || fscanf(f, "%lu %lu", &all, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static struct member *add_node(struct cluster *c, size_t i)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct addr a;
	struct member *m;

	must(addr_parse(
		arena_printf(&arena, "10.%zu.%zu.%zu:2375", i >> 16 & 255, i >> 8 & 255, i & 255),
		&a));
	m = member_new(c, &a);
	map_put(&c->by_addr, m);
	engine_take_info(m->engine, bench_info(i));
	engine_set_state(m->engine, ENGINE_HEALTHY);
	return m;
}

/* An entry of 1 KiB with the labels of a Compose project. */
static void add_container(struct engine *e, size_t i)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, id = STRBUF_INIT;
	struct json entry, inspect;
	struct container *ct;

	rand_hex(&id, 64);
	strbuf_addf(
		&text,
		"{\"Id\":\"%.*s\",\"Names\":[\"/p%zu-web-%zu\"],\"Image\":\"app:%zu\","
		"\"State\":\"running\",\"Status\":\"Up\",\"Labels\":{\"app\":\"web%zu\","
		"\"com.docker.compose.project\":\"p%zu\",\"com.docker.compose.service\":\"web\","
		"\"com.docker.compose.version\":\"2.29.1\","
		"\"com.docker.compose.container-number\":\"%zu\",",
		STR_ARG(strbuf_str(&id)), i / 10, i, i % 50, i % 100, i / 10, i % 10);
	strbuf_add(&text, STR("\"com.docker.swarm.id\":\""));
	rand_hex(&text, 64);
	strbuf_add(&text, STR("\"},\"Command\":\""));
	while (text.n < ENTRY - 2)
		strbuf_addc(&text, 'x');
	strbuf_add(&text, STR("\"}"));
	must(json_parse(strbuf_str(&text), &arena, &entry));
	must(json_parse(STR("{\"State\":{\"Status\":\"running\",\"Running\":true},"
			    "\"HostConfig\":{\"Memory\":67108864}}"),
			&arena, &inspect));
	must(container_new(e, entry, inspect, STR(""), 64, &ct));
	engine_put_container(e, ct);
}

/* The whole of a placement: the body read, a node chosen and reserved, and given back. */
static void place_once(struct cluster *c, struct str body)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct create_request req = { .body = body };
	struct placement p = { .c = c, .req = &req, .arena = &arena };

	must(placement_read(&p));
	must(placement_board(&p));
	placement_fini(&p);
}

static const struct {
	const char *name, *body;
} requests[] = {
	{ "nothing asked", "{\"Image\":\"app:1\"}" },
	{ "three constraints",
	  "{\"Image\":\"app:1\",\"Env\":[\"constraint:storage==ssd\",\"constraint:rack!=r1\","
	  "\"constraint:zone==z1\"],\"HostConfig\":{\"Memory\":67108864,\"NanoCpus\":1000000}}" },
	{ "three patterns",
	  "{\"Image\":\"app:1\",\"Env\":[\"constraint:storage==/^s.d$/\",\"constraint:rack!=r1*\","
	  "\"constraint:zone==/z[0-2]/\"],\"HostConfig\":{\"Memory\":67108864}}" },
	{ "affinity, label",
	  "{\"Image\":\"app:1\",\"Env\":[\"affinity:app==web7\"],\"HostConfig\":{\"Memory\":1}}" },
	{ "affinity, pattern",
	  "{\"Image\":\"app:1\",\"Env\":[\"affinity:com.docker.compose.project==/^p12.$/\"]}" },
	{ "anti-affinity, soft", "{\"Image\":\"app:1\",\"Env\":[\"affinity:app!=~web7\"]}" },
	{ "affinity, container",
	  "{\"Image\":\"app:1\",\"Env\":[\"affinity:container==p1-web-12\"]}" },
	{ "spread over racks", "{\"Image\":\"app:1\",\"Env\":[\"spread:by==rack\"]}" },
	{ "spread over nodes", "{\"Image\":\"app:1\",\"Env\":[\"spread:by==node\"]}" },
	{ "spread, own values", "{\"Image\":\"app:1\",\"Env\":[\"spread:by==serial\"]}" },
	{ "spread, a service",
	  "{\"Image\":\"app:1\",\"Labels\":{\"com.docker.compose.service\":\"web\"},"
	  "\"Env\":[\"spread:by==zone\",\"spread:by==rack\"]}" },
	{ "limit",
	  "{\"Image\":\"app:1\",\"Labels\":{\"app\":\"web7\"},\"Env\":[\"limit:app==~1\"]}" },
	{ "a port", "{\"Image\":\"app:1\",\"HostConfig\":{\"PortBindings\":{\"80/tcp\":"
		    "[{\"HostPort\":\"80\"}]}}}" },
};

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(struct cluster *c, size_t at)
{
	int64_t times[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		int64_t before = cpu_time();

		place_once(c, str_from(requests[at].body));
		times[i] = cpu_time() - before;
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	printf("  %-20s %7.1f us, 9 of 10 below %7.1f us\n", requests[at].name,
	       (double)times[ROUNDS / 2] / 1e3, (double)times[ROUNDS * 9 / 10] / 1e3);
}

static void pool(size_t nodes, size_t containers)
{
	struct cluster_config config;
	struct cluster *c;
	struct member **members = calloc(nodes, sizeof(*members));
	size_t before, after;

	cluster_config_default(&config);
	c = cluster_new(&config);
	for (size_t i = 0; i < nodes; i++)
		members[i] = add_node(c, i);
	before = resident();
	for (size_t i = 0; i < containers; i++)
		add_container(members[i % nodes]->engine, i);
	after = resident();
	printf("%zu nodes, %zu containers", nodes, containers);
	if (containers)
		printf(", %zu bytes for each, its entry of %d counted",
		       (after - before) / containers, ENTRY);
	printf("\n");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (containers || i < 3)
			measure(c, i);
	fflush(stdout);
	/* The process ends with it: taking a million apart is not what is measured. */
	free(members);
}

int main(int argc, char **argv)
{
	log_set_level(LOG_ERROR);
	if (argc == 3) {
		pool(strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10));
		return 0;
	}
	pool(1000, 30000);
	pool(10000, 0);
	pool(10000, 100000);
	pool(10000, 1000000);
	return 0;
}
