/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edits as splices: each says which bytes of the text go and what comes in their place; applying
 * copies what is between them. Changes to the members of one object depend on each other through
 * the commas, so they become splices only when all of them are known.
 */
#include "json/edit.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/quote.h"
#include "json/index.h"

/* In the order in which changes of one object or array are worked off. */
enum change_kind { CHANGE_REPLACE, CHANGE_DELETE, CHANGE_PREPEND, CHANGE_ADD };

struct change {
	enum change_kind kind;
	uint32_t box; /* the value replaced, or the object or array that is changed */
	uint32_t at;  /* the key's token, where a member goes */
	uint32_t order;
	struct str key, raw; /* key.p is NULL for items of arrays */
};

struct json_edit {
	const struct json_index *index;
	struct arena *arena;
	struct change *v;
	uint32_t n, cap;
};

struct json_edit *json_edit_new(struct json root, struct arena *arena)
{
	struct json_edit *e = arena_new(arena, struct json_edit);

	assert(json_exists(root));
	e->index = root.index;
	e->arena = arena;
	return e;
}

static void record(struct json_edit *e, struct change change)
{
	struct change *old = e->v;

	/* What is outgrown stays in the arena: as much again as is in use, at most. */
	if (e->n == e->cap) {
		e->cap = MAX(e->cap * 2, 8u);
		e->v = arena_new_array(e->arena, struct change, e->cap);
		if (e->n)
			memcpy(e->v, old, e->n * sizeof(*e->v));
	}
	change.order = e->n;
	e->v[e->n++] = change;
}

static void assert_is(const struct json_edit *e, struct json v, enum json_type type)
{
	assert(v.index == e->index && json_type(v) == type);
}

void json_edit_replace(struct json_edit *e, struct json value, struct str raw)
{
	assert(value.index == e->index && raw.n > 0);
	record(e, (struct change){ .kind = CHANGE_REPLACE, .box = value.at, .raw = raw });
}

static void delete_matching(struct json_edit *e, struct json object, const char *key,
			    bool (*match)(const struct json_index *, uint32_t, struct str))
{
	const struct json_index *index = e->index;

	assert_is(e, object, JSON_OBJECT);
	for (uint32_t at = object.at + 1; at < index->v[object.at].span;
	     at = token_after(index, at + 1)) {
		if (match(index, at, str_from(key)))
			record(e, (struct change){
					  .kind = CHANGE_DELETE, .box = object.at, .at = at });
	}
}

void json_edit_delete(struct json_edit *e, struct json object, const char *key)
{
	delete_matching(e, object, key, token_is);
}

void json_edit_delete_field(struct json_edit *e, struct json object, const char *key)
{
	delete_matching(e, object, key, token_is_folded);
}

void json_edit_add(struct json_edit *e, struct json object, struct str key, struct str raw)
{
	assert_is(e, object, JSON_OBJECT);
	assert(raw.n > 0);
	if (!key.p)
		key = STR("");
	record(e, (struct change){ .kind = CHANGE_ADD, .box = object.at, .key = key, .raw = raw });
}

static bool is_deleted(const struct json_edit *e, uint32_t key_at)
{
	for (uint32_t i = 0; i < e->n; i++) {
		if (e->v[i].kind == CHANGE_DELETE && e->v[i].at == key_at)
			return true;
	}
	return false;
}

void json_edit_set(struct json_edit *e, struct json object, const char *key, struct str raw)
{
	struct json found = json_get(object, key);

	if (json_exists(found) && !is_deleted(e, found.at - 1))
		json_edit_replace(e, found, raw);
	else
		json_edit_add(e, object, str_from(key), raw);
}

void json_edit_append(struct json_edit *e, struct json array, struct str raw)
{
	assert_is(e, array, JSON_ARRAY);
	assert(raw.n > 0);
	record(e, (struct change){ .kind = CHANGE_ADD, .box = array.at, .raw = raw });
}

void json_edit_prepend(struct json_edit *e, struct json array, struct str raw)
{
	assert_is(e, array, JSON_ARRAY);
	assert(raw.n > 0);
	record(e, (struct change){ .kind = CHANGE_PREPEND, .box = array.at, .raw = raw });
}

/* The bytes [from, to) go; what comes is the change's text, with commas as said. */
struct splice {
	uint32_t from, to;
	uint32_t order;
	bool comma_before, comma_after;
	const struct change *comes; /* NULL: nothing */
};

struct splices {
	const struct json_index *index;
	struct splice *v;
	uint32_t n;
};

static struct splice *add_splice(struct splices *s, uint32_t from, uint32_t to)
{
	struct splice *splice = &s->v[s->n];

	*splice = (struct splice){ .from = from, .to = to, .order = s->n };
	s->n++;
	return splice;
}

/* One object or array, with its changes: deletions by place, then prepends, then adds. */
struct box {
	const struct change *next, *end;
	uint32_t first; /* where the first item begins, or the place behind the bracket */
	uint32_t place; /* where adds go: behind the last item that stays, else `first` */
	uint32_t stay;	/* how many items stay */
};

static bool take_deletion(struct box *box, uint32_t at)
{
	bool found = false;

	/* More than one call may have deleted the member. */
	for (; box->next < box->end && box->next->kind == CHANGE_DELETE && box->next->at == at;
	     box->next++)
		found = true;
	return found;
}

/*
 * A deletion takes a member with all up to the next one. Those at the end, behind which no member
 * stays, go in one piece instead, with the comma before them.
 */
static void splice_deletions(struct splices *s, struct box *box, uint32_t opens)
{
	const struct json_index *index = s->index;
	bool object = index->text.p[index->v[opens].offset] == '{';
	uint32_t closes = index->v[opens].span;
	uint32_t before_run = s->n; /* splices there were before the deletions just seen */
	uint32_t next, end = 0;

	box->first = index->v[opens].offset + 1;
	if (opens + 1 < closes)
		box->first = index->v[opens + 1].offset;
	box->place = box->first;
	for (uint32_t at = opens + 1; at < closes; at = next) {
		next = token_after(index, at + object);
		end = token_end(index, at + object);
		if (take_deletion(box, at)) {
			add_splice(s, index->v[at].offset, index->v[next].offset);
			continue;
		}
		box->stay++;
		box->place = end;
		before_run = s->n;
	}
	if (before_run < s->n) {
		s->n = before_run;
		add_splice(s, box->place, end);
	}
}

static void splice_box(struct splices *s, const struct change *v, const struct change *end)
{
	struct box box = { .next = v, .end = end };
	const struct change *adds;
	bool follows;

	splice_deletions(s, &box, v->box);
	adds = box.next;
	while (adds < end && adds->kind == CHANGE_PREPEND)
		adds++;

	/* Each prepend came before those that were asked for earlier. */
	for (const struct change *c = adds; c-- > box.next;) {
		struct splice *splice = add_splice(s, box.first, box.first);

		splice->comes = c;
		splice->comma_after = box.stay || c > box.next;
	}
	follows = box.stay || adds > box.next;
	for (const struct change *c = adds; c < end; c++) {
		struct splice *splice = add_splice(s, box.place, box.place);

		splice->comes = c;
		splice->comma_before = follows;
		follows = true;
	}
}

static int compare_changes(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->box != y->box)
		return x->box < y->box ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static int compare_splices(const void *a, const void *b)
{
	const struct splice *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to) /* what is put in comes before what is taken out behind it */
		return x->to < y->to ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* `sorted` are the n changes by the value that they change. */
static void make_splices(struct splices *s, const struct change *sorted, uint32_t n)
{
	const struct change *end = sorted + n, *last;

	for (const struct change *c = sorted; c < end; c = last) {
		last = c + 1;
		if (c->kind == CHANGE_REPLACE) {
			assert(last == end || last->box != c->box || last->kind != CHANGE_REPLACE);
			add_splice(s, s->index->v[c->box].offset, token_end(s->index, c->box))
				->comes = c;
			continue;
		}
		while (last < end && last->box == c->box)
			last++;
		splice_box(s, c, last);
	}
	qsort(s->v, s->n, sizeof(*s->v), compare_splices);
}

static void write_splice(const struct splice *splice, struct strbuf *out)
{
	if (splice->comma_before)
		strbuf_addc(out, ',');
	if (splice->comes && splice->comes->key.p) {
		quote_json(out, splice->comes->key);
		strbuf_addc(out, ':');
	}
	if (splice->comes)
		strbuf_add(out, splice->comes->raw);
	if (splice->comma_after)
		strbuf_addc(out, ',');
}

void json_edit_apply(const struct json_edit *e, struct strbuf *out)
{
	_cleanup_(mem_freep) struct change *sorted = NULL;
	_cleanup_(mem_freep) struct splice *v = NULL;
	struct splices s = { .index = e->index };
	struct str text = e->index->text;
	uint32_t done = 0;

	sorted = mem_realloc_array(NULL, e->n, sizeof(*sorted));
	if (e->n)
		memcpy(sorted, e->v, e->n * sizeof(*sorted));
	qsort(sorted, e->n, sizeof(*sorted), compare_changes);
	s.v = v = mem_realloc_array(NULL, e->n, sizeof(*v));
	make_splices(&s, sorted, e->n);

	strbuf_reserve(out, text.n);
	for (uint32_t i = 0; i < s.n; i++) {
		/* It lies in a value that was replaced or deleted, and went with it. */
		if (v[i].from < done)
			continue;
		strbuf_add(out, str_of(text.p + done, v[i].from - done));
		write_splice(&v[i], out);
		done = v[i].to;
	}
	strbuf_add(out, str_skip(text, done));
}
