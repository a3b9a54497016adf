/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules are those of Docker 20.10's daemon/list.go; `node` is the pool's own.
 */
#include "cluster/list_filter.h"

#include "base/limits.h"
#include "cluster/internal.h"
#include "cluster/name_filter.h"
#include "json/json.h"

static const char *const known_filters[] = {
	"ancestor", "before",	 "exited", "expose", "health",	"id",
	"is-task",  "isolation", "label",  "name",   "network", "node",
	"publish",  "since",	 "status", "volume", NULL,
};

static const char *const statuses[] = {
	"created", "running", "paused", "restarting", "removing", "exited", "dead", NULL,
};

static const char *const healths[] = { "none", "starting", "healthy", "unhealthy", NULL };

static const char *const booleans[] = { "1", "true", "0", "false", NULL };

/* Filters that are answered by the JSON of the entry. */
static const char *const entry_filters[] = {
	"label", "network", "volume", "publish", "expose", "is-task", NULL,
};

/*
 * Without values it asks nothing, as of an engine; its ancestor, network and volume fit nothing
 * then.
 */
static const struct filter *filter_asked(const struct filters *f, const char *key)
{
	const struct filter *one = filters_get(f, key);

	return one && one->n ? one : NULL;
}

static bool among(const char *const *texts, struct str text)
{
	for (; *texts; texts++)
		if (str_eq(str_from(*texts), text))
			return true;
	return false;
}

static struct error *check_values(const struct filters *f, const char *key,
				  const char *const *allowed, const char *words)
{
	const struct filter *values = filters_get(f, key);

	for (size_t i = 0; values && i < values->n; i++)
		if (!among(allowed, values->values[i]))
			return error_new(ERR_INVALID, words, STR_ARG(values->values[i]));
	return NULL;
}

static struct error *check_exited(const struct filters *f)
{
	const struct filter *codes = filters_get(f, "exited");
	int64_t code;

	for (size_t i = 0; codes && i < codes->n; i++)
		if (!str_to_i64(codes->values[i], &code))
			return error_new(ERR_INVALID, "Invalid filter 'exited=%.*s'",
					 STR_ARG(codes->values[i]));
	return NULL;
}

/* "80", "80/tcp", "8000-8100/udp". */
static bool parse_port_range(struct str text, uint64_t *ret_low, uint64_t *ret_high,
			     struct str *ret_protocol)
{
	struct str range, low, high;

	if (!str_cut(text, '/', &range, ret_protocol))
		*ret_protocol = STR("tcp");
	if (!str_cut(range, '-', &low, &high))
		high = low;
	return str_to_u64(low, ret_low) && str_to_u64(high, ret_high) && *ret_low <= *ret_high &&
	       *ret_high <= UINT16_MAX;
}

static struct error *check_ports(const struct filters *f, const char *key)
{
	const struct filter *ports = filters_get(f, key);
	struct str protocol;
	uint64_t low, high;

	for (size_t i = 0; ports && i < ports->n; i++)
		if (!parse_port_range(ports->values[i], &low, &high, &protocol))
			return error_new(ERR_INVALID, "Invalid filter '%s=%.*s'", key,
					 STR_ARG(ports->values[i]));
	return NULL;
}

static struct error *look_up(const struct cluster *c, const struct filters *f, const char *key,
			     int64_t *ret_created)
{
	const struct filter *refs = filters_get(f, key);

	for (size_t i = 0; refs && i < refs->n; i++) {
		struct container *ct;

		TRY(index_find(&c->containers, refs->values[i], &ct));
		*ret_created = ct->created;
	}
	return NULL;
}

struct error *list_filter_init(struct list_filter *lf, const struct cluster *c,
			       const struct filters *f)
{
	*lf = (struct list_filter){ .cluster = c, .filters = f };

	TRY(filters_check(f, known_filters));
	TRY(check_values(f, "status", statuses, "Invalid filter 'status=%.*s'"));
	TRY(check_values(f, "health", healths, "Unrecognised filter value for health: %.*s"));
	TRY(check_values(f, "is-task", booleans, "Invalid filter 'is-task=[%.*s]'"));
	TRY(check_exited(f));
	TRY(check_ports(f, "publish"));
	TRY(check_ports(f, "expose"));
	TRY(look_up(c, f, "before", &lf->before));
	TRY(look_up(c, f, "since", &lf->since));
	for (const char *const *key = entry_filters; *key; key++)
		lf->needs_entry = lf->needs_entry || filters_get(f, *key);
	return NULL;
}

bool list_filter_implies_all(const struct list_filter *lf)
{
	return filter_asked(lf->filters, "status");
}

static bool match_exited(const struct filters *f, const struct container *ct)
{
	const struct filter *codes = filter_asked(f, "exited");
	int64_t code;

	if (!codes)
		return true;
	if (container_status_is_up(ct->state.status) || !ct->state.started_at)
		return false;
	for (size_t i = 0; i < codes->n; i++)
		if (str_to_i64(codes->values[i], &code) && code == ct->state.exit_code)
			return true;
	return false;
}

/* One image is the other, or was built upon it: by the links that a classic build leaves. */
static bool descends_from(const struct engine *e, struct str id, struct str ancestor)
{
	for (int steps = 0; steps < LIMIT_IMAGE_STEPS; steps++) {
		const struct image *img;

		if (str_eq(id, ancestor))
			return true;
		img = map_get(engine_images(e), id);
		if (!img || str_empty(img->parent))
			return false;
		id = img->parent;
	}
	return false;
}

/* By what its node calls so, as that engine would find it. */
static bool match_ancestor(const struct list_filter *lf, const struct container *ct)
{
	const struct filter *images = filters_get(lf->filters, "ancestor");

	if (!images)
		return true;
	for (size_t i = 0; i < images->n; i++) {
		const struct slot *slot = image_index_find(&lf->cluster->images, images->values[i]);
		const struct image *img = image_slot_on(slot, ct->engine);

		if (img && descends_from(ct->engine, ct->image_id, img->id))
			return true;
	}
	return false;
}

static bool match_labels(const struct filters *f, struct json entry)
{
	const struct filter *wanted = filters_get(f, "label");
	struct json labels = json_get(entry, "Labels");

	for (size_t i = 0; wanted && i < wanted->n; i++) {
		struct str key, value, name;
		bool has_value = str_cut(wanted->values[i], '=', &key, &value);
		struct json_iter it = json_iter(labels);
		struct json found = { 0 }, v;

		while (json_next(&it, &name, &v))
			if (str_eq(name, key))
				found = v;
		if (!json_exists(found) || (has_value && !json_str_eq(found, value)))
			return false;
	}
	return true;
}

/* By name, as its engine or as the pool calls it, and by the beginning of the id. */
static bool match_network(const struct filters *f, struct str node, struct json entry)
{
	const struct filter *networks = filters_get(f, "network");
	struct json_iter it = json_iter(json_path(entry, "NetworkSettings.Networks"));
	struct json network;
	struct str name;

	if (!networks)
		return true;
	while (json_next(&it, &name, &network)) {
		struct str id = json_get_str(network, "NetworkID");

		if (filters_have_qualified(f, "network", node, name))
			return true;
		for (size_t i = 0; i < networks->n; i++)
			if (str_eq(networks->values[i], name) ||
			    (!str_empty(networks->values[i]) &&
			     str_starts(id, networks->values[i])))
				return true;
	}
	return false;
}

/*
 * By where it is mounted, and by its name, its engine's or the pool's; what has none is called by
 * where it lies.
 */
static bool match_mount(const struct filters *f, struct str node, struct json mount)
{
	struct str name = json_get_str(mount, "Name");
	struct str destination = json_get_str(mount, "Destination");

	if (str_empty(name))
		name = json_get_str(mount, "Source");
	else if (filters_have_qualified(f, "volume", node, name))
		return true;
	return filters_have(f, "volume", name) ||
	       (!str_empty(destination) && filters_have(f, "volume", destination));
}

static bool match_volume(const struct filters *f, struct str node, struct json entry)
{
	struct json_iter it = json_iter(json_get(entry, "Mounts"));
	struct json mount;

	if (!filters_get(f, "volume"))
		return true;
	while (json_next(&it, NULL, &mount))
		if (match_mount(f, node, mount))
			return true;
	return false;
}

static bool port_is_among(const struct filter *ranges, int64_t number, struct str type)
{
	for (size_t i = 0; ranges && i < ranges->n; i++) {
		struct str protocol;
		uint64_t low, high;

		if (parse_port_range(ranges->values[i], &low, &high, &protocol) &&
		    number >= (int64_t)low && number <= (int64_t)high && str_eq(protocol, type))
			return true;
	}
	return false;
}

/*
 * publish speaks of the port on the host, expose of the one inside the container. Where both are
 * asked, one that fits is enough, as of an engine.
 */
static bool match_ports(const struct filters *f, struct json entry)
{
	const struct filter *publish = filter_asked(f, "publish"),
			    *expose = filter_asked(f, "expose");
	struct json_iter it = json_iter(json_get(entry, "Ports"));
	struct json port;

	if (!publish && !expose)
		return true;
	while (json_next(&it, NULL, &port)) {
		struct str type = json_get_str(port, "Type");

		if (port_is_among(publish, json_get_i64(port, "PublicPort", -1), type) ||
		    port_is_among(expose, json_get_i64(port, "PrivatePort", -1), type))
			return true;
	}
	return false;
}

static bool match_is_task(const struct filters *f, struct json entry)
{
	const struct filter *wanted = filters_get(f, "is-task");
	bool task = json_exists(json_get(json_get(entry, "Labels"), "com.docker.swarm.task.id"));

	if (!wanted)
		return true;
	for (size_t i = 0; i < wanted->n; i++) {
		struct str v = wanted->values[i];
		bool want = str_eq(v, STR("1")) || str_eq_nocase(v, STR("true"));

		if (want == task)
			return true;
	}
	return false;
}

static bool match_entry(const struct list_filter *lf, const struct container *ct)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct filters *f = lf->filters;
	struct str node = engine_name(ct->engine);
	struct json entry;
	struct error *err = json_parse(ct->entry, &arena, &entry);

	if (err) {
		error_free(err);
		return false;
	}
	return match_labels(f, entry) && match_network(f, node, entry) &&
	       match_volume(f, node, entry) && match_ports(f, entry) && match_is_task(f, entry);
}

bool list_filter_match(const struct list_filter *lf, const struct container *ct)
{
	const struct filters *f = lf->filters;

	if (!f->n)
		return true;
	if (lf->before && ct->created >= lf->before)
		return false;
	if (lf->since && ct->created <= lf->since)
		return false;
	return filters_match_exact(f, "node", engine_name(ct->engine)) &&
	       filters_match_exact(f, "status",
				   str_from(container_status_name(ct->state.status))) &&
	       filters_match_exact(f, "health",
				   str_from(container_health_name(ct->state.health))) &&
	       filters_match_regex(f, "id", ct->id) &&
	       name_filter_match(f, engine_name(ct->engine), ct->name, true) &&
	       match_exited(f, ct) && match_ancestor(lf, ct) &&
	       (!lf->needs_entry || match_entry(lf, ct));
}

/*
 * An engine takes an id by its beginning. Where that is several ids' it finds none, and by nothing
 * at all (`ps -q -f id=$UNSET`, for a `rm`) none either, be there a single one.
 */
static void add_ids(const struct index *x, const struct filter *ids, struct vec *ret)
{
	for (size_t i = 0; i < ids->n; i++) {
		const size_t before = ret->n;

		if (!str_empty(ids->values[i]) && id_tree_find(&x->ids, ids->values[i], 1, ret))
			ret->n = before;
	}
}

static bool is_literal(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-'))
			return false;
	}
	return s.n > 0;
}

/* "^web$", "^/web$", "^/?web$": scripts look for one container by its name like this. */
static bool is_whole_name(struct str pattern, struct str *ret)
{
	if (!str_starts(pattern, STR("^")) || !str_ends(pattern, STR("$")) || pattern.n < 2)
		return false;
	*ret = str_of(pattern.p + 1, pattern.n - 2);
	*ret = str_strip_prefix(*ret, str_starts(*ret, STR("/?")) ? STR("/?") : STR("/"));
	return is_literal(*ret);
}

static bool add_names(const struct index *x, const struct filter *names, struct vec *ret)
{
	struct str name;
	bool alone;

	for (size_t i = 0; i < names->n; i++)
		if (!is_whole_name(names->values[i], &name))
			return false;
	for (size_t i = 0; i < names->n; i++) {
		struct container *first = NULL;

		if (is_whole_name(names->values[i], &name))
			first = index_by_name(x, name, &alone);
		if (!first)
			continue;
		vec_push(ret, first);
		list_for_each(link, &first->by_name)
			vec_push(ret, list_item(link, struct container, by_name));
	}
	return true;
}

bool list_filter_candidates(const struct list_filter *lf, struct vec *ret)
{
	const struct index *x = &lf->cluster->containers;
	const struct filter *ids = filter_asked(lf->filters, "id");
	const struct filter *names = filter_asked(lf->filters, "name");

	if (ids)
		add_ids(x, ids, ret);
	return ids || (names && add_names(x, names, ret));
}
