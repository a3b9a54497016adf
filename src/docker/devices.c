/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads device requests and an engine's devices, and tells which serve which. Docker has no list of
 * what an engine's device drivers can do; what its operator declared (--node-generic-resource), the
 * devices that it found by CDI, and its runtimes are what it tells.
 */
#include "docker/devices.h"

#include "base/attr.h"
#include "base/limits.h"

/* More than any machine has; sums stay far from overflow. */
#define MOST_DEVICES INT64_C(1000000)

/* Room for some words, in the order of the text. */
struct words {
	struct str *v;
	size_t n;
};

static struct str_array words_array(const struct words *w)
{
	return (struct str_array){ w->v, w->n };
}

static void add_words(struct words *w, struct json array)
{
	struct json_iter it = json_iter(array);
	struct json item;

	while (json_type(array) == JSON_ARRAY && json_next(&it, NULL, &item))
		if (!str_empty(json_str(item)))
			w->v[w->n++] = json_str(item);
}

/* Lists of capabilities, of which a driver has to have one: what any of them names is a hint. */
static size_t count_capabilities(struct json lists)
{
	struct json_iter it = json_iter(lists);
	struct json list;
	size_t n = 0;

	while (json_type(lists) == JSON_ARRAY && json_next(&it, NULL, &list))
		n += json_count(list);
	return n;
}

static struct str_array read_kinds(struct json request, struct arena *arena)
{
	struct json lists = json_field(request, "Capabilities"), list;
	struct json_iter it = json_iter(lists);
	struct words w = { arena_new_array(arena, struct str, count_capabilities(lists) + 1), 0 };
	struct str driver = json_str(json_field(request, "Driver"));

	while (json_type(lists) == JSON_ARRAY && json_next(&it, NULL, &list))
		add_words(&w, list);
	if (!w.n && !str_empty(driver))
		w.v[w.n++] = driver;
	return words_array(&w);
}

static struct str_array read_ids(struct json request, struct arena *arena)
{
	struct json list = json_field(request, "DeviceIDs");
	struct words w = { arena_new_array(arena, struct str, json_count(list)), 0 };

	add_words(&w, list);
	return words_array(&w);
}

static void read_request(struct json request, struct arena *arena, struct device_request *ret)
{
	int64_t n;

	ret->kinds = read_kinds(request, arena);
	ret->ids = read_ids(request, arena);
	if (!json_to_i64(json_field(request, "Count"), &n))
		n = 0;
	ret->n = ret->ids.n ? (int64_t)ret->ids.n : MAX(-1, MIN(n, MOST_DEVICES));
}

static size_t count_items(struct json list)
{
	struct json_iter it = json_iter(list);
	struct json request;
	size_t n = json_count(list);

	while (json_next(&it, NULL, &request))
		n += count_capabilities(json_field(request, "Capabilities")) +
		     json_count(json_field(request, "DeviceIDs"));
	return n;
}

struct error *device_requests_read(struct json list, struct arena *arena,
				   struct device_requests *ret)
{
	struct json_iter it = json_iter(list);
	struct device_request *v;
	struct json request;
	size_t n = 0;

	*ret = (struct device_requests){ NULL, 0 };
	if (json_type(list) != JSON_ARRAY)
		return NULL;
	if (count_items(list) > LIMIT_DEVICE_ITEMS)
		return error_over_limit(ERR_INVALID, "more than %d items in DeviceRequests",
					LIMIT_DEVICE_ITEMS);
	v = arena_new_array(arena, struct device_request, json_count(list));
	while (json_next(&it, NULL, &request))
		if (json_type(request) == JSON_OBJECT)
			read_request(request, arena, &v[n++]);
	*ret = (struct device_requests){ v, n };
	return NULL;
}

/* What is being gathered, in arrays that are long enough. */
struct gathered {
	struct arena *arena;
	struct device_kind *kinds;
	struct words ids, runtimes;
	size_t n_kinds;
};

static void add_kind(struct gathered *g, struct str name, int64_t n)
{
	for (size_t i = 0; i < g->n_kinds; i++) {
		if (!str_eq(g->kinds[i].name, name))
			continue;
		g->kinds[i].total = MIN(g->kinds[i].total + n, MOST_DEVICES);
		return;
	}
	g->kinds[g->n_kinds++] = (struct device_kind){ arena_dup(g->arena, name), n };
}

/*
 * {"NamedResourceSpec": {"Kind": "GPU", "Value": "UUID1"}}, or a DiscreteResourceSpec: 3 of them.
 */
static void add_generic(struct gathered *g, struct json item)
{
	struct json named = json_get(item, "NamedResourceSpec");
	struct json discrete = json_get(item, "DiscreteResourceSpec");
	struct str kind = json_get_str(discrete, "Kind");

	if (!str_empty(kind))
		add_kind(g, kind, MAX(0, MIN(json_get_i64(discrete, "Value", 0), MOST_DEVICES)));
	kind = json_get_str(named, "Kind");
	if (str_empty(kind))
		return;
	add_kind(g, kind, 1);
	g->ids.v[g->ids.n++] = arena_dup(g->arena, json_get_str(named, "Value"));
}

/* {"Source": "cdi", "ID": "nvidia.com/gpu=0"}: one device has several names, so none is counted. */
static void add_discovered(struct gathered *g, struct json item)
{
	struct str id = json_get_str(item, "ID"), kind, name;

	if (!str_cut(id, '=', &kind, &name))
		return;
	add_kind(g, kind, 0);
	g->ids.v[g->ids.n++] = arena_dup(g->arena, id);
}

/* The one that makes an engine know GPUs is known by its name. */
static void add_runtime(struct gathered *g, struct str name)
{
	g->runtimes.v[g->runtimes.n++] = arena_dup(g->arena, name);
	if (str_starts(name, STR("nvidia")))
		add_kind(g, STR("nvidia-gpu"), 0);
}

static size_t bounded_count(struct json list, enum json_type type)
{
	return json_type(list) == type ? MIN(json_count(list), (size_t)LIMIT_DEVICE_ITEMS) : 0;
}

void devices_read(struct json info, struct arena *arena, struct devices *ret)
{
	struct json generic = json_get(info, "GenericResources");
	struct json discovered = json_get(info, "DiscoveredDevices");
	struct json runtimes = json_get(info, "Runtimes");
	size_t n_generic = bounded_count(generic, JSON_ARRAY);
	size_t n_discovered = bounded_count(discovered, JSON_ARRAY);
	size_t n_runtimes = bounded_count(runtimes, JSON_OBJECT);
	size_t n = n_generic + n_discovered;
	struct gathered g = {
		.arena = arena,
		.kinds = arena_new_array(arena, struct device_kind, 2 * n + 1),
		.ids = { arena_new_array(arena, struct str, n), 0 },
		.runtimes = { arena_new_array(arena, struct str, n_runtimes), 0 },
	};
	struct json_iter it = json_iter(generic);
	struct json item;
	struct str name;

	for (size_t i = 0; i < n_generic && json_next(&it, NULL, &item); i++)
		add_generic(&g, item);
	it = json_iter(discovered);
	for (size_t i = 0; i < n_discovered && json_next(&it, NULL, &item); i++)
		add_discovered(&g, item);
	it = json_iter(runtimes);
	for (size_t i = 0; i < n_runtimes && json_next(&it, &name, &item); i++)
		add_runtime(&g, name);
	*ret = (struct devices){ g.kinds, g.n_kinds, words_array(&g.ids),
				 words_array(&g.runtimes) };
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "gpu" is a word of "NVIDIA-GPU" and of "nvidia.com/gpu". */
static bool has_word(struct str text, struct str word)
{
	size_t start = 0;

	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && is_word_char(text.p[i]))
			continue;
		if (str_eq_nocase(str_of(text.p + start, i - start), word))
			return true;
		start = i + 1;
	}
	return str_eq_nocase(text, word);
}

static bool is_of_kind(const struct device_request *r, struct str kind)
{
	for (size_t i = 0; i < r->kinds.n; i++)
		if (has_word(kind, r->kinds.v[i]))
			return true;
	return false;
}

const struct device_kind *devices_kind(const struct devices *d, const struct device_request *r)
{
	const struct device_kind *found = NULL;

	for (size_t i = 0; d && i < d->n_kinds; i++) {
		const struct device_kind *kind = &d->kinds[i];

		if (found && (found->total || !kind->total))
			continue;
		if (is_of_kind(r, kind->name))
			found = kind;
	}
	return found;
}

int64_t device_request_count(const struct device_request *r, const struct device_kind *kind)
{
	return r->n < 0 ? kind->total : r->n;
}

static bool array_has(const struct str_array *a, struct str s)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i], s))
			return true;
	return false;
}

bool devices_have_ids(const struct devices *d, const struct device_request *r)
{
	for (size_t i = 0; i < r->ids.n; i++)
		if (!d || !array_has(&d->ids, r->ids.v[i]))
			return false;
	return true;
}

bool devices_have_runtime(const struct devices *d, struct str runtime)
{
	return d && array_has(&d->runtimes, runtime);
}
