/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engines' answers are merged member by member, so that what we have never heard of is there
 * too: numbers are added up, lists joined, of all else the first counts.
 */
#include "cluster/disk_usage.h"

#include "base/map.h"
#include "base/sum.h"
#include "base/vec.h"
#include "cluster/fan.h"
#include "cluster/internal.h"
#include "json/build.h"
#include "json/edit.h"

/* An element of a list, with what names it among those of other nodes. */
struct used {
	struct str key;
	struct json entry;
	const struct engine *engine;
	/* Of an image that several nodes have. */
	struct vec tags, digests; /* of struct str in the arena */
	int64_t size, shared, virtual, containers;
};

/* A member of the answer. */
struct member_sum {
	struct str name;
	enum { SUM_OTHER, SUM_NUMBER, SUM_LIST } kind;
	struct json first;
	int64_t number;
	struct vec items; /* of struct used in the arena */
	struct map by_key;
};

struct usage {
	const struct cluster *cluster;
	struct arena *arena;
	struct vec members; /* of struct member_sum in the arena */
};

static void usage_fini(struct usage *u)
{
	for (size_t i = 0; i < u->members.n; i++) {
		struct member_sum *m = u->members.v[i];

		for (size_t k = 0; k < m->items.n; k++) {
			struct used *item = m->items.v[k];

			vec_fini(&item->tags);
			vec_fini(&item->digests);
		}
		vec_fini(&m->items);
		map_fini(&m->by_key);
	}
	vec_fini(&u->members);
}

static struct str used_key(const void *item)
{
	return ((const struct used *)item)->key;
}

static struct member_sum *member_named(struct usage *u, struct str name)
{
	struct member_sum *m;

	for (size_t i = 0; i < u->members.n; i++) {
		m = u->members.v[i];
		if (str_eq(m->name, name))
			return m;
	}
	m = arena_new(u->arena, struct member_sum);
	m->name = name;
	map_init(&m->by_key, used_key);
	vec_push(&u->members, m);
	return m;
}

static void add_texts(struct usage *u, struct vec *texts, struct json list)
{
	struct json_iter it = json_iter(list);
	struct json item;

	while (json_next(&it, NULL, &item)) {
		struct str *text = arena_new(u->arena, struct str);
		size_t i = 0;

		*text = json_str(item);
		while (i < texts->n && !str_eq(*(struct str *)texts->v[i], *text))
			i++;
		if (i == texts->n)
			vec_push(texts, text);
	}
}

/* -1 says that it is not known. */
static void add_known(int64_t *sum, struct json entry, const char *key)
{
	int64_t n = json_get_i64(entry, key, -1);

	if (n >= 0)
		*sum = sum_capped(MAX(*sum, 0), n);
}

static void add_image(struct usage *u, struct used *image, struct json entry)
{
	add_texts(u, &image->tags, json_get(entry, "RepoTags"));
	add_texts(u, &image->digests, json_get(entry, "RepoDigests"));
	add_known(&image->size, entry, "Size");
	add_known(&image->shared, entry, "SharedSize");
	add_known(&image->virtual, entry, "VirtualSize");
	add_known(&image->containers, entry, "Containers");
}

/* What no node names stays as it came: an engine says null where the image has no digests. */
static void set_list(struct usage *u, struct json_edit *edit, struct json entry, const char *key,
		     const struct vec *texts)
{
	_cleanup_(strbuf_fini) struct strbuf raw = STRBUF_INIT;
	struct json_out o = json_out(&raw);

	if (!texts->n)
		return;
	json_begin_array(&o);
	for (size_t i = 0; i < texts->n; i++)
		json_str_value(&o, *(struct str *)texts->v[i]);
	json_end_array(&o);
	json_edit_set(edit, entry, key, arena_dup(u->arena, strbuf_str(&raw)));
}

static void set_number(struct usage *u, struct json_edit *edit, struct json entry, const char *key,
		       int64_t n)
{
	if (json_exists(json_get(entry, key)))
		json_edit_set(edit, entry, key, arena_printf(u->arena, "%lld", (long long)n));
}

static void edit_image(struct usage *u, const struct used *image, struct json_edit *edit)
{
	set_list(u, edit, image->entry, "RepoTags", &image->tags);
	set_list(u, edit, image->entry, "RepoDigests", &image->digests);
	set_number(u, edit, image->entry, "Size", image->size);
	set_number(u, edit, image->entry, "SharedSize", image->shared);
	set_number(u, edit, image->entry, "VirtualSize", image->virtual);
	set_number(u, edit, image->entry, "Containers", image->containers);
}

static void edit_container(struct usage *u, const struct used *used, struct json_edit *edit)
{
	struct container *ct = index_by_id(&u->cluster->containers, used->key);
	_cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;

	if (!ct)
		return;
	cluster_container_names(u->cluster, ct, &names);
	json_edit_set(edit, used->entry, "Names", arena_dup(u->arena, strbuf_str(&names)));
}

static bool is_global(struct json volume)
{
	return str_eq(json_get_str(volume, "Scope"), STR("global"));
}

/* One that several nodes have each for itself is called by its node too. */
static void edit_volume(struct usage *u, const struct used *used, struct json_edit *edit)
{
	const struct object_index *volumes = &u->cluster->objects[OBJECT_VOLUME];
	struct str name = json_get_str(used->entry, "Name");
	const struct slot *same = object_index_named(volumes, name);
	_cleanup_(strbuf_fini) struct strbuf full = STRBUF_INIT, raw = STRBUF_INIT;

	if (is_global(used->entry) || !same || same->n < 2)
		return;
	strbuf_add(&full, engine_name(used->engine));
	strbuf_addc(&full, '/');
	strbuf_add(&full, name);
	json_quote(&raw, strbuf_str(&full));
	json_edit_set(edit, used->entry, "Name", arena_dup(u->arena, strbuf_str(&raw)));
}

static const struct list_kind {
	struct str name;
	const char *id; /* the member that names an element */
	/* One element stands for all nodes that have it; false: for those where is_global. */
	bool merged;
	void (*edit)(struct usage *u, const struct used *used, struct json_edit *edit);
} list_kinds[] = {
	{ STR_INIT("Images"), "Id", true, edit_image },
	{ STR_INIT("Containers"), "Id", false, edit_container },
	{ STR_INIT("Volumes"), "Name", false, edit_volume },
};

static const struct list_kind *kind_of_list(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(list_kinds); i++)
		if (str_eq(list_kinds[i].name, name))
			return &list_kinds[i];
	return NULL;
}

static void add_item(struct usage *u, struct member_sum *m, const struct engine *e,
		     struct json entry)
{
	const struct list_kind *kind = kind_of_list(m->name);
	struct str key = kind ? json_get_str(entry, kind->id) : STR("");
	bool once = kind && (kind->merged || is_global(entry));
	struct used *used = once ? map_get(&m->by_key, key) : NULL;

	if (!used) {
		used = arena_new(u->arena, struct used);
		*used = (struct used){ .key = key,
				       .entry = entry,
				       .engine = e,
				       .size = -1,
				       .shared = -1,
				       .virtual = -1,
				       .containers = -1 };
		vec_push(&m->items, used);
		if (once)
			map_put(&m->by_key, used);
	}
	if (kind && kind->merged)
		add_image(u, used, entry);
}

static void add_member(struct usage *u, const struct engine *e, struct str name, struct json value)
{
	struct member_sum *m = member_named(u, name);
	struct json_iter it = json_iter(value);
	struct json entry;
	int64_t n;

	if (!json_exists(m->first) || json_type(m->first) == JSON_NULL)
		m->first = value;
	if (json_type(value) == JSON_NUMBER && json_to_i64(value, &n)) {
		m->kind = SUM_NUMBER;
		m->number = sum_capped(m->number, n);
	} else if (json_type(value) == JSON_ARRAY) {
		m->kind = SUM_LIST;
		while (json_next(&it, NULL, &entry))
			add_item(u, m, e, entry);
	}
}

static struct error *add_answer(struct usage *u, struct fan_job *job)
{
	struct json root, value;
	struct json_iter it;
	struct str name;

	TRY(error_as(ERR_PROTOCOL, json_parse(job->body, u->arena, &root)));
	if (json_type(root) != JSON_OBJECT)
		return error_new(ERR_PROTOCOL, "the answer is no JSON object");
	it = json_iter(root);
	while (json_next(&it, &name, &value))
		add_member(u, job->engine, name, value);
	return NULL;
}

static bool is_failure(struct error *failure)
{
	_cleanup_(error_freep) struct error *err = failure;

	return err != NULL;
}

static void write_item(struct usage *u, const struct list_kind *kind, const struct used *used,
		       struct json_out *o)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct used copy = *used;
	struct json_edit *edit;

	/* A text that was parsed as part of the answer: it is parsed alone to be edited alone. */
	if (!kind || is_failure(json_parse(json_raw(used->entry), &arena, &copy.entry))) {
		json_raw_value(o, json_raw(used->entry));
		return;
	}
	edit = json_edit_new(copy.entry, &arena);
	kind->edit(u, &copy, edit);
	json_edit_apply(edit, &text);
	json_raw_value(o, strbuf_str(&text));
}

static void write_member(struct usage *u, const struct member_sum *m, struct json_out *o)
{
	json_key_str(o, m->name);
	switch (m->kind) {
	case SUM_OTHER:
		json_raw_value(o, json_raw(m->first));
		break;
	case SUM_NUMBER:
		json_i64_value(o, m->number);
		break;
	case SUM_LIST:
		json_begin_array(o);
		for (size_t i = 0; i < m->items.n; i++)
			write_item(u, kind_of_list(m->name), m->items.v[i], o);
		json_end_array(o);
		break;
	}
}

static struct error *merge(struct usage *u, struct fan *fan, struct str *ret_json)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	for (size_t i = 0; i < fan->n; i++)
		TRY(error_wrap(add_answer(u, &fan->jobs[i]), "%.*s",
			       STR_ARG(engine_name(fan->jobs[i].engine))));
	json_begin_object(&o);
	for (size_t i = 0; i < u->members.n; i++)
		write_member(u, u->members.v[i], &o);
	json_end_object(&o);
	strbuf_addc(&text, '\n');
	*ret_json = arena_dup(u->arena, strbuf_str(&text));
	return NULL;
}

may_suspend struct error *cluster_disk_usage(struct cluster *c, struct str query,
					     struct api_version version, struct arena *arena,
					     struct str *ret_json)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(usage_fini) struct usage u = { .cluster = c, .arena = arena };
	_cleanup_(fan_fini) struct fan fan = {
		.version = version,
		.method = "GET",
		.path = STR("/system/df"),
		.time = FAN_LONG,
	};

	cluster_healthy_engines(c, &engines);
	if (!engines.n)
		return error_new(ERR_NO_NODE, "No healthy node available in the cluster");
	if (!str_empty(query))
		fan.path = arena_printf(arena, "/system/df?%.*s", STR_ARG(query));
	TRY(fan_call(&fan, &engines));
	TRY(fan_error(&fan, ERR_CANCELLED));
	return merge(&u, &fan, ret_json);
}
