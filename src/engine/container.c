/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a container out of what the engine says of it, and its variants out of events. Its host
 * ports are container_ports.c, writing it out again is container_write.c.
 */
#include "engine/container.h"

#include <assert.h>
#include <string.h>

#include "base/duration.h"
#include "base/slab.h"
#include "docker/specification.h"
#include "engine/container_ports.h"
#include "json/build.h"

/* Where the texts of a container go: those that are slices of `old` lie in its copy `text`. */
struct placing {
	struct str old;
	char *text, *tail;
};

/*
 * "0.0.0.0" says "on all addresses of the node": to users of the pool that is the node's own. Ports
 * stand in the order of the text, so that one pass copies what is between them.
 */
static struct error *place_at_node(struct json *entry, struct str node_ip, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str raw = json_raw(*entry);
	struct json ports = json_get(*entry, "Ports"), port;
	struct json_iter it = json_iter(ports);
	size_t done = 0;

	while (json_type(ports) == JSON_ARRAY && json_next(&it, NULL, &port)) {
		struct json ip = json_get(port, "IP");

		if (str_empty(node_ip) || !json_str_eq(ip, STR("0.0.0.0")))
			continue;
		strbuf_add(&text, str_of(raw.p + done, (size_t)(json_raw(ip).p - raw.p) - done));
		json_quote(&text, node_ip);
		done = (size_t)(json_raw(ip).p - raw.p) + json_raw(ip).n;
	}
	if (!done)
		return NULL;
	strbuf_add(&text, str_skip(raw, done));
	return json_parse(arena_dup(arena, strbuf_str(&text)), arena, entry);
}

/*
 * Of several names the one that has its only "/" in front: the others are what links call it
 * ("/web/db").
 */
static struct str own_name(struct json entry, struct json inspect)
{
	struct json names = json_get(entry, "Names"), name;
	struct json_iter it = json_iter(names);

	while (json_type(names) == JSON_ARRAY && json_next(&it, NULL, &name)) {
		struct str s = json_str(name);

		if (str_rfind_char(s, '/') == 0 && s.n > 1)
			return str_skip(s, 1);
	}
	return str_strip_prefix(json_get_str(inspect, "Name"), STR("/"));
}

static struct span span_of(struct json entry, const char *key)
{
	struct str value = json_raw(json_get(entry, key));

	if (!value.p)
		return (struct span){ 0 };
	return (struct span){ (uint32_t)(value.p - json_raw(entry).p), (uint32_t)value.n };
}

static bool lies_in(struct str s, const char *start, size_t n)
{
	return s.p && (uintptr_t)s.p >= (uintptr_t)start && (uintptr_t)s.p < (uintptr_t)start + n;
}

/* Texts with escapes are decoded elsewhere than in the entry; they go behind it. */
static size_t size_outside(struct str s, struct str entry)
{
	return lies_in(s, entry.p, entry.n) ? 0 : s.n;
}

static void place(struct placing *to, struct str *s)
{
	if (lies_in(*s, to->old.p, to->old.n)) {
		s->p = to->text + (s->p - to->old.p);
		return;
	}
	if (s->n)
		memcpy(to->tail, s->p, s->n);
	s->p = to->tail;
	to->tail += s->n;
}

/* The one allocation: the struct, its ports, the entry, texts that are not in the entry. */
static struct container *assemble(const struct container *draft)
{
	struct str entry = draft->entry;
	size_t ports = draft->n_ports * sizeof(*draft->ports);
	size_t size = sizeof(*draft) + ports + entry.n + size_outside(draft->id, entry) +
		      size_outside(draft->name, entry) + size_outside(draft->swarm_id, entry) +
		      size_outside(draft->image, entry) + size_outside(draft->image_id, entry) +
		      size_outside(draft->devices, entry) +
		      size_outside(draft->specification, entry);
	struct container *c = slab_alloc(size);
	char *text = (char *)(c + 1) + ports;
	struct placing to = { .old = entry, .text = text, .tail = text + entry.n };

	*c = *draft;
	c->refs = 1;
	c->size = (uint32_t)size;
	c->ports = (struct container_port *)(c + 1);
	if (ports)
		memcpy(c + 1, draft->ports, ports);
	memcpy(text, entry.p, entry.n);
	place(&to, &c->id);
	place(&to, &c->name);
	place(&to, &c->swarm_id);
	place(&to, &c->image);
	place(&to, &c->image_id);
	place(&to, &c->devices);
	place(&to, &c->specification);
	place(&to, &c->entry);
	assert(to.tail == (char *)c + size);
	return c;
}

/* To the nanosecond, as an engine sorts by it; the list has whole seconds only. */
static int64_t created_at(struct json entry, struct json inspect)
{
	int64_t unix_ns;

	if (time_parse_rfc3339(json_get_str(inspect, "Created"), &unix_ns) ||
	    !__builtin_mul_overflow(json_get_i64(entry, "Created", 0), SECOND, &unix_ns))
		return unix_ns;
	return 0;
}

static struct error *draft_container(struct json entry, struct json inspect, struct container *c)
{
	struct json devices;

	c->id = json_get_str(entry, "Id");
	c->name = own_name(entry, inspect);
	c->swarm_id = json_get_str(json_get(entry, "Labels"), LABEL_SWARM_ID);
	c->generation = labels_generation(json_get(entry, "Labels"));
	c->image = json_get_str(entry, "Image");
	c->image_id = json_get_str(entry, "ImageID");
	c->created = created_at(entry, inspect);
	c->entry = json_raw(entry);
	c->names = span_of(entry, "Names");
	c->state_text = span_of(entry, "State");
	c->status = span_of(entry, "Status");
	c->labels = span_of(entry, "Labels");
	container_state_read(json_get(inspect, "State"), &c->state);
	devices = json_get(json_get(inspect, "HostConfig"), "DeviceRequests");
	if (json_count(devices))
		c->devices = json_raw(devices);

	if (str_empty(c->id))
		return error_new(ERR_PROTOCOL, "the engine lists a container without an Id");
	/* One that is being removed may have lost its name already. */
	if (str_empty(c->name))
		c->name = str_first(c->id, 12);
	return NULL;
}

struct error *container_new(struct engine *e, struct json entry, struct json inspect,
			    struct str node_ip, int64_t node_cpus, struct container **ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf specification = STRBUF_INIT;
	struct container c = { .engine = e, .digest = container_entry_digest(entry) };

	TRY(place_at_node(&entry, node_ip, &arena));
	TRY(draft_container(entry, inspect, &c));
	container_reservation_read(inspect, node_cpus, &c.nano_cpus, &c.memory);
	c.ports = container_ports_read(inspect, &arena, &c.n_ports);
	if (!str_empty(c.swarm_id) && labels_reschedule(json_get(entry, "Labels"))) {
		specification_write(inspect, c.nano_cpus, &specification);
		c.specification = strbuf_str(&specification);
	}
	*ret = assemble(&c);
	return NULL;
}

static struct container *variant(const struct container *c)
{
	struct container draft = *c;

	draft.by_name = (struct list){ NULL, NULL };
	draft.stale = false;
	return assemble(&draft);
}

struct container *container_with_state(const struct container *c,
				       const struct container_state *state)
{
	struct container *after = variant(c);

	after->state = *state;
	return after;
}

struct container *container_with_name(const struct container *c, struct str name)
{
	struct container draft = *c;

	draft.name = name;
	return variant(&draft);
}

struct container *container_ref(struct container *c)
{
	c->refs++;
	return c;
}

void container_unref(struct container *c)
{
	if (c && --c->refs == 0)
		slab_free(c, c->size);
}
