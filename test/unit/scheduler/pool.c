/* SPDX-License-Identifier: Apache-2.0 */
/* See pool.h. */
#include "unit/scheduler/pool.h"

#include "unit/testing.h"

static const struct pool_node *pool_node_of(const struct sched_node *n)
{
	return container_of(n, struct pool_node, sched);
}

static struct str port_holder(const struct sched_node *n, const struct host_port *port)
{
	struct str rest = str_from(pool_node_of(n)->ports), item, key, name, number, protocol;
	uint64_t held;

	while (str_next(&rest, ' ', &item)) {
		str_cut(item, '=', &key, &name);
		str_cut(key, '/', &number, &protocol);
		if (str_to_u64(number, &held) && held == port->port &&
		    str_eq(protocol, port->protocol))
			return name;
	}
	return STR_NONE;
}

static bool has_label(const struct sched_node *n, struct str key, struct match *m,
		      match_test_fn *test)
{
	struct str value;

	if (str_eq(key, STR("node")))
		return test(m, n->name) || test(m, n->id);
	value = sched_node_label(n, key);
	return value.p && test(m, value);
}

static bool list_has(const char *list, struct match *m)
{
	struct str rest = str_from(list), item;

	while (str_next(&rest, ' ', &item))
		if (!str_empty(item) && match_test(m, item))
			return true;
	return false;
}

static bool has_container(const struct sched_node *n, struct match *m)
{
	return list_has(pool_node_of(n)->containers, m);
}

static bool has_image(const struct sched_node *n, struct match *m)
{
	return list_has(pool_node_of(n)->images, m);
}

static bool has_container_label(const struct sched_node *n, struct str key, struct match *m)
{
	struct str rest = str_from(pool_node_of(n)->container_labels), item, k, v;

	while (str_next(&rest, ' ', &item)) {
		str_cut(item, '=', &k, &v);
		if (str_eq(k, key) && match_test(m, v))
			return true;
	}
	return false;
}

/* "tier=front" once for each container that has it; an image once for each made of it. */
static uint32_t count(const struct sched_node *n, struct sched_count *what)
{
	const struct pool_node *node = pool_node_of(n);
	struct str rest = str_from(what->of == COUNT_IMAGE ? node->images : node->container_labels);
	struct str item, k, v;
	uint32_t found = 0;

	while (str_next(&rest, ' ', &item)) {
		if (what->of == COUNT_IMAGE)
			found += str_eq(item, what->value);
		else if (str_cut(item, '=', &k, &v))
			found += str_eq(k, what->key) && str_eq(v, what->value);
	}
	return found;
}

/* Each node keeps to its pool, for the look-ups that answer of all. */
static struct pool *pool_of(const struct sched_node *n)
{
	return pool_node_of(n)->pool;
}

static uint32_t groups(const struct sched_node *any, struct str label, uint32_t *to, size_t n_to)
{
	const struct pool *p = pool_of(any);

	for (size_t i = 0; i < p->n; i++) {
		struct str value = sched_node_label(p->nodes[i], label);
		size_t first = 0;

		if (!value.p || p->nodes[i]->number >= n_to)
			continue;
		while (!str_eq(sched_node_label(p->nodes[first], label), value))
			first++;
		to[p->nodes[i]->number] = (uint32_t)first + 1;
	}
	return (uint32_t)p->n;
}

static void counts(const struct sched_node *any, struct sched_count *what, uint32_t *to,
		   size_t n_to)
{
	const struct pool *p = pool_of(any);

	for (size_t i = 0; i < p->n; i++)
		if (p->nodes[i]->number < n_to)
			to[p->nodes[i]->number] = count(p->nodes[i], what);
}

static const struct sched_lookups lookups = {
	.port_holder = port_holder,
	.has_label = has_label,
	.has_container = has_container,
	.has_image = has_image,
	.has_container_label = has_container_label,
	.count = count,
	.groups = groups,
	.counts = counts,
};

void pool_init(struct pool *p)
{
	memset(p, 0, sizeof(*p));
	sched_config_default(&p->config);
	p->config.overcommit = 0;
}

void pool_fini(struct pool *p)
{
	exprs_fini(&p->request.constraints);
	exprs_fini(&p->request.affinities);
	exprs_fini(&p->request.whitelists);
	exprs_fini(&p->request.spreads);
	exprs_fini(&p->request.limits);
	arena_fini(&p->arena);
}

struct pool_node *pool_add(struct pool *p, const char *name, const char *labels)
{
	struct pool_node *n = &p->v[p->n];
	struct str rest = str_from(labels), item;
	size_t n_labels = 0;

	n->pool = p;
	n->sched = (struct sched_node){
		.name = str_from(name),
		.id = arena_printf(&p->arena, "ID:%s", name),
		.healthy = true,
		.health = 100,
		.number = (uint32_t)p->n,
		.nano_cpus = CORES(4),
		.memory = MIBS(4096),
		.lookups = &lookups,
		.platform = platform_of_engine(STR("linux"), STR("x86_64")),
	};
	while (str_next(&rest, ' ', &item)) {
		struct sched_label *l = &n->labels[n_labels];

		if (str_empty(item))
			continue;
		assert_true(n_labels < ARRAY_LEN(n->labels));
		str_cut(item, '=', &l->key, &l->value);
		n_labels++;
	}
	sched_node_set_labels(&n->sched, n->labels, n_labels);
	n->ports = n->containers = n->images = n->container_labels = "";
	p->nodes[p->n++] = &n->sched;
	return n;
}

void pool_label(struct pool_node *n, const char *key, const char *value)
{
	size_t at = n->sched.n_labels;

	assert_true(at < ARRAY_LEN(n->labels));
	n->labels[at] = (struct sched_label){ str_from(key), str_from(value) };
	sched_node_set_labels(&n->sched, n->labels, at + 1);
}

static size_t count_words(const char *list)
{
	struct str rest = str_from(list), item;
	size_t n = 0;

	while (str_next(&rest, ' ', &item))
		n++;
	return n;
}

void pool_devices(struct pool_node *n, struct pool *p, const char *kinds, const char *ids)
{
	struct device_kind *v = arena_new_array(&p->arena, struct device_kind, count_words(kinds));
	struct str *names = arena_new_array(&p->arena, struct str, count_words(ids));
	struct str rest = str_from(kinds), item, number;

	while (str_next(&rest, ' ', &item)) {
		struct device_kind *kind = &v[n->devices.n_kinds++];

		str_cut(item, '=', &kind->name, &number);
		assert_true(str_to_i64(number, &kind->total));
	}
	rest = str_from(ids);
	while (str_next(&rest, ' ', &item))
		if (!str_empty(item))
			names[n->devices.ids.n++] = item;
	n->devices.kinds = v;
	n->devices.ids.v = names;
	assert_true(n->devices.n_kinds <= ARRAY_LEN(n->reserved_devices));
	n->sched.devices = &n->devices;
	n->sched.reserved_devices = n->reserved_devices;
}

void pool_runtime(struct pool_node *n, const char *name)
{
	static struct str runtime;

	runtime = str_from(name);
	n->devices.runtimes = (struct str_array){ &runtime, 1 };
}

static void add_expr(struct pool *p, struct exprs *to, const char *text)
{
	struct str s = str_from(text);
	struct exprs one;
	struct expr *v = arena_new_array(&p->arena, struct expr, to->n + 1);

	assert_ok(exprs_parse(&s, 1, &p->arena, &one));
	if (to->n)
		memcpy(v, to->v, to->n * sizeof(*v));
	v[to->n] = one.v[0];
	*to = (struct exprs){ v, to->n + 1 };
}

void pool_constraint(struct pool *p, const char *text)
{
	add_expr(p, &p->request.constraints, text);
}

void pool_affinity(struct pool *p, const char *text)
{
	add_expr(p, &p->request.affinities, text);
}

void pool_whitelist(struct pool *p, const char *text)
{
	add_expr(p, &p->request.whitelists, text);
}

void pool_spread(struct pool *p, const char *text)
{
	add_expr(p, &p->request.spreads, text);
	assert_ok(sched_check_spreads(&p->request.spreads));
}

void pool_limit(struct pool *p, const char *text, const char *value)
{
	add_expr(p, &p->request.limits, text);
	assert_ok(sched_read_limits(&p->request, &p->arena));
	for (size_t i = 0; i < p->request.limits.n; i++)
		p->request.limits_read[i].with.value = str_from(value);
}

void pool_port(struct pool *p, int port, const char *protocol)
{
	struct sched_request *r = &p->request;
	struct host_port *v = arena_new_array(&p->arena, struct host_port, r->n_ports + 1);

	if (r->n_ports)
		memcpy(v, r->ports, r->n_ports * sizeof(*v));
	v[r->n_ports++] = (struct host_port){ STR(""), (uint16_t)port, str_from(protocol) };
	r->ports = v;
}

void pool_dependency(struct pool *p, const char *name, const struct pool_node *node)
{
	struct sched_request *r = &p->request;
	struct sched_dependency *v =
		arena_new_array(&p->arena, struct sched_dependency, r->n_dependencies + 1);

	if (r->n_dependencies)
		memcpy(v, r->dependencies, r->n_dependencies * sizeof(*v));
	v[r->n_dependencies++] =
		(struct sched_dependency){ str_from(name), node ? &node->sched : NULL };
	r->dependencies = v;
}

void pool_only(struct pool *p, const struct pool_node *node, const char *why)
{
	const struct sched_node **v = arena_new_array(&p->arena, const struct sched_node *, 1);

	v[0] = node ? &node->sched : NULL;
	p->request.only = v;
	p->request.n_only = node ? 1 : 0;
	p->request.only_why = why;
}

void pool_ask_devices(struct pool *p, const char *requests)
{
	struct device_requests *r = arena_new(&p->arena, struct device_requests);
	struct json list;

	assert_ok(json_parse(str_from(requests), &p->arena, &list));
	assert_ok(device_requests_read(list, &p->arena, r));
	sched_ask_devices(&p->request, r, &p->arena);
}

void pool_strategy(struct pool *p, const char *name)
{
	p->config.strategy = sched_strategy(str_from(name));
	assert_non_null(p->config.strategy);
}

struct error *pool_schedule(struct pool *p, struct sched_node **ret)
{
	sched_ask_pool(&p->request, p->nodes, p->n);
	return schedule(&p->config, p->nodes, p->n, &p->request, &p->arena, ret);
}
