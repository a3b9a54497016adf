/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/build_table.h"

#include "base/duration.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fiber/clock.h"

/* How long a client's node is kept after its last connection: the next build finds its cache. */
#define KEPT_FOR (60 * SECOND)

static struct str meeting_key(const void *item)
{
	return str_from(((const struct meeting *)item)->key);
}

static struct str pin_client(const void *item)
{
	return str_from(((const struct build_pin *)item)->client);
}

void build_table_init(struct build_table *t)
{
	map_init(&t->meetings, meeting_key);
	map_init(&t->pins, pin_client);
	list_init(&t->lapsed);
}

static void write_key(struct strbuf *out, enum meeting_kind kind, struct str id)
{
	strbuf_addc(out, kind == MEETING_SESSION ? 's' : 'b');
	strbuf_add(out, id);
}

struct meeting *meeting_join(struct build_table *t, enum meeting_kind kind, struct str id)
{
	_cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
	struct meeting *m;

	write_key(&key, kind, id);
	m = map_get(&t->meetings, strbuf_str(&key));
	if (!m) {
		m = mem_new(struct meeting);
		m->key = strbuf_take(&key);
		map_put(&t->meetings, m);
	}
	m->users++;
	return m;
}

void meeting_leave(struct build_table *t, struct meeting *m)
{
	if (!m || --m->users > 0)
		return;
	map_del(&t->meetings, meeting_key(m));
	engine_unref(m->engine);
	free(m->key);
	free(m);
}

void meeting_set_engine(struct build_table *t, struct meeting *m, struct engine *e)
{
	if (m->engine)
		return;
	m->engine = engine_ref(e);
	waitq_wake_all(&t->news);
}

struct engine *meeting_find(const struct build_table *t, enum meeting_kind kind, struct str id)
{
	_cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
	const struct meeting *m;

	write_key(&key, kind, id);
	m = map_get(&t->meetings, strbuf_str(&key));
	return m ? m->engine : NULL;
}

static void pin_free(struct build_table *t, struct build_pin *p)
{
	if (p->current)
		map_del(&t->pins, pin_client(p));
	list_remove(&p->lapsed);
	engine_unref(p->engine);
	free(p->client);
	free(p);
}

static void drop_outdated(struct build_table *t)
{
	int64_t now = clock_now();

	list_for_each(link, &t->lapsed) {
		struct build_pin *p = list_item(link, struct build_pin, lapsed);

		if (p->until > now && t->pins.n <= LIMIT_BUILD_PINS)
			return;
		pin_free(t, p);
	}
}

struct build_pin *build_pin_use(struct build_table *t, struct str client)
{
	struct build_pin *p;

	drop_outdated(t);
	p = map_get(&t->pins, client);
	if (!p || engine_state(p->engine) != ENGINE_HEALTHY)
		return NULL;
	list_remove(&p->lapsed);
	p->users++;
	return p;
}

struct build_pin *build_pin_find(const struct build_table *t, struct str client)
{
	return map_get(&t->pins, client);
}

/* Whoever uses the old one goes on with it. */
static void pin_replace(struct build_table *t, struct build_pin *old)
{
	map_del(&t->pins, pin_client(old));
	old->current = false;
	if (!old->users)
		pin_free(t, old);
}

struct build_pin *build_pin_make(struct build_table *t, struct str client, struct engine *e)
{
	struct build_pin *p = map_get(&t->pins, client);

	if (p)
		pin_replace(t, p);
	p = mem_new(struct build_pin);
	p->client = str_dup(client);
	p->engine = engine_ref(e);
	p->users = 1;
	p->current = true;
	map_put(&t->pins, p);
	waitq_wake_all(&t->news);
	return p;
}

void build_pin_leave(struct build_table *t, struct build_pin *p)
{
	if (!p || --p->users > 0)
		return;
	if (!p->current) {
		pin_free(t, p);
		return;
	}
	p->until = clock_now() + KEPT_FOR;
	list_append(&t->lapsed, &p->lapsed);
	drop_outdated(t);
}

void build_table_clear(struct build_table *t)
{
	list_for_each(link, &t->lapsed)
		pin_free(t, list_item(link, struct build_pin, lapsed));
}

void build_table_fini(struct build_table *t)
{
	build_table_clear(t);
	map_fini(&t->meetings);
	map_fini(&t->pins);
	waitq_fini(&t->news);
}
