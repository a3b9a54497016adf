/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a create as the engine gets it: edits to the client's own text, so that fields this
 * program has never heard of, and numbers to the last digit, go on as they came.
 */
#include "docker/config_internal.h"

#include "json/build.h"
#include "json/edit.h"

struct rewrite {
	const struct container_config *c;
	const struct config_changes *ch;
	struct json host;
	struct json_edit *edit;
	struct arena *arena;
};

struct label {
	struct str key, raw;
};

#define MAX_LABELS (EXPR_KINDS + 3)

static struct str quoted(struct rewrite *w, struct str text)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;

	json_quote(&b, text);
	return arena_dup(w->arena, strbuf_str(&b));
}

/* Env without the expressions; untouched where it has none. */
static void edit_env(struct rewrite *w)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json env = json_field(w->c->root, "Env"), item;
	struct json_iter it = json_iter(env);
	struct json_out o = json_out(&b);
	bool changed = false;

	if (json_type(env) != JSON_ARRAY)
		return;
	json_begin_array(&o);
	while (json_next(&it, NULL, &item)) {
		if (config_expr_kind(json_str(item)))
			changed = true;
		else
			json_raw_value(&o, json_raw(item));
	}
	json_end_array(&o);
	if (changed)
		json_edit_replace(w->edit, env, arena_dup(w->arena, strbuf_str(&b)));
}

/* The expressions as a label's value: a JSON array inside a JSON string. */
static struct str exprs_as_label(struct rewrite *w, const struct str_array *exprs)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json_out o = json_out(&b);

	json_begin_array(&o);
	for (size_t i = 0; i < exprs->n; i++)
		json_str_value(&o, exprs->v[i]);
	json_end_array(&o);
	return quoted(w, strbuf_str(&b));
}

static bool env_has(const struct container_config *c, const struct config_expr_kind *kind)
{
	struct json env = json_field(c->root, "Env"), item;
	struct json_iter it = json_iter(env);

	while (json_type(env) == JSON_ARRAY && json_next(&it, NULL, &item))
		if (config_expr_kind(json_str(item)) == kind)
			return true;
	return false;
}

/*
 * Labels with expressions are written where Env had some; else they stay as the client wrote them.
 */
static size_t expr_labels(struct rewrite *w, struct label *labels)
{
	const struct str_array *const slots[EXPR_KINDS] = { &w->c->constraints, &w->c->affinities,
							    &w->c->whitelists,	&w->c->reschedule,
							    &w->c->spreads,	&w->c->limits };
	size_t n = 0;

	for (size_t i = 0; i < EXPR_KINDS; i++) {
		const struct config_expr_kind *kind = &config_expr_kinds[i];

		if (env_has(w->c, kind))
			labels[n++] = (struct label){ str_from(kind->label),
						      exprs_as_label(w, slots[i]) };
	}
	return n;
}

static size_t collect_labels(struct rewrite *w, struct label *labels)
{
	size_t n = expr_labels(w, labels);

	if (str_empty(w->c->swarm_id) && !str_empty(w->ch->swarm_id))
		labels[n++] = (struct label){ STR(LABEL_SWARM_ID), quoted(w, w->ch->swarm_id) };
	if (w->ch->label_cpus > 0)
		labels[n++] = (struct label){
			STR(LABEL_SWARM_CPUS),
			quoted(w, config_cores_format(w->ch->label_cpus, w->arena)),
		};
	else if (w->c->cpu_shares > 0 && w->ch->cpu_shares < 0)
		labels[n++] = (struct label){ STR(LABEL_SWARM_CPUS), STR("\"0\"") };
	if (w->ch->generation)
		labels[n++] = (struct label){ STR(LABEL_GENERATION),
					      arena_printf(w->arena, "\"%u\"", w->ch->generation) };
	return n;
}

static struct str labels_object(struct rewrite *w, const struct label *labels, size_t n)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json_out o = json_out(&b);

	json_begin_object(&o);
	for (size_t i = 0; i < n; i++) {
		json_key_str(&o, labels[i].key);
		json_raw_value(&o, labels[i].raw);
	}
	json_end_object(&o);
	return arena_dup(w->arena, strbuf_str(&b));
}

static void edit_labels(struct rewrite *w)
{
	struct json object = json_field(w->c->root, "Labels");
	struct label labels[MAX_LABELS];
	size_t n = collect_labels(w, labels);

	if (n == 0)
		return;
	switch (json_type(object)) {
	case JSON_OBJECT:
		for (size_t i = 0; i < n; i++)
			json_edit_set(w->edit, object, labels[i].key.p, labels[i].raw);
		break;
	case JSON_MISSING:
		json_edit_add(w->edit, w->c->root, STR("Labels"), labels_object(w, labels, n));
		break;
	case JSON_NULL:
		json_edit_replace(w->edit, object, labels_object(w, labels, n));
		break;
	default:
		break; /* of a wrong type: the engine's to refuse */
	}
}

static void edit_cpu_shares(struct rewrite *w)
{
	struct json shares = json_field(w->host, "CpuShares");
	int64_t n;

	if (w->ch->cpu_shares < 0)
		return;
	if (!json_to_i64(shares, &n) || n == 0)
		shares = json_field(w->c->root, "CpuShares");
	if (json_exists(shares))
		json_edit_replace(w->edit, shares,
				  arena_printf(w->arena, "%lld", (long long)w->ch->cpu_shares));
}

struct renames {
	const struct config_rename *v;
	size_t n;
};

static struct str rename_of(const struct renames *r, struct str name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].from, name))
			return r->v[i].to;
	return name;
}

/* Writes another name over the one that stands inside the string's text. */
static void edit_name(struct rewrite *w, struct json value, struct str (*name_in)(struct str),
		      const struct renames *r)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct str text = json_str(value), name = name_in(text);
	struct str to = rename_of(r, name);
	size_t before;

	if (str_empty(name) || str_eq(name, to))
		return;
	before = (size_t)(name.p - text.p);
	strbuf_add(&b, str_first(text, before));
	strbuf_add(&b, to);
	strbuf_add(&b, str_skip(text, before + name.n));
	json_edit_replace(w->edit, value, quoted(w, strbuf_str(&b)));
}

static void edit_names(struct rewrite *w, const char *field, struct str (*name_in)(struct str),
		       const struct renames *r)
{
	struct json array = json_field(w->host, field), item;
	struct json_iter it = json_iter(array);

	while (json_type(array) == JSON_ARRAY && json_next(&it, NULL, &item))
		edit_name(w, item, name_in, r);
}

static struct str whole(struct str text)
{
	return text;
}

static void edit_mounts(struct rewrite *w, const struct renames *r)
{
	struct json array = json_field(w->host, "Mounts"), mount;
	struct json_iter it = json_iter(array);

	while (json_type(array) == JSON_ARRAY && json_next(&it, NULL, &mount))
		if (json_str_eq(json_field(mount, "Type"), STR("volume")))
			edit_name(w, json_field(mount, "Source"), whole, r);
}

/* Networks are keys here, so the object is written anew around the values' own text. */
static void edit_endpoints(struct rewrite *w, const struct renames *r)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	struct json endpoints =
		json_field(json_field(w->c->root, "NetworkingConfig"), "EndpointsConfig");
	struct json_iter it = json_iter(endpoints);
	struct json_out o = json_out(&b);
	bool changed = false;
	struct json value;
	struct str name;

	if (json_type(endpoints) != JSON_OBJECT)
		return;
	json_begin_object(&o);
	while (json_next(&it, &name, &value)) {
		struct str to = rename_of(r, name);

		changed |= !str_eq(name, to);
		json_key_str(&o, to);
		json_raw_value(&o, json_raw(value));
	}
	json_end_object(&o);
	if (changed)
		json_edit_replace(w->edit, endpoints, arena_dup(w->arena, strbuf_str(&b)));
}

static void rename_containers(struct rewrite *w)
{
	const struct renames r = { w->ch->containers, w->ch->n_containers };

	if (r.n == 0)
		return;
	edit_names(w, "VolumesFrom", config_name_in_volumes_from, &r);
	edit_names(w, "Links", config_name_in_link, &r);
	edit_name(w, json_field(w->host, "NetworkMode"), config_name_in_mode, &r);
	edit_name(w, json_field(w->host, "PidMode"), config_name_in_mode, &r);
	edit_name(w, json_field(w->host, "IpcMode"), config_name_in_mode, &r);
}

static void rename_volumes(struct rewrite *w)
{
	const struct renames r = { w->ch->volumes, w->ch->n_volumes };

	if (r.n == 0)
		return;
	edit_names(w, "Binds", config_name_in_bind, &r);
	edit_mounts(w, &r);
}

static void rename_networks(struct rewrite *w)
{
	const struct renames r = { w->ch->networks, w->ch->n_networks };

	if (r.n == 0)
		return;
	if (config_network_is_named(w->c->network_mode))
		edit_name(w, json_field(w->host, "NetworkMode"), whole, &r);
	edit_endpoints(w, &r);
}

void container_config_write(const struct container_config *c, const struct config_changes *ch,
			    struct arena *arena, struct strbuf *out)
{
	struct rewrite w = {
		.c = c,
		.ch = ch,
		.host = json_field(c->root, "HostConfig"),
		.edit = json_edit_new(c->root, arena),
		.arena = arena,
	};

	edit_env(&w);
	edit_labels(&w);
	edit_cpu_shares(&w);
	rename_containers(&w);
	rename_volumes(&w);
	rename_networks(&w);
	json_edit_apply(w.edit, out);
}
