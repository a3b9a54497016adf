/* SPDX-License-Identifier: Apache-2.0 */
#include "api/exec_table.h"

#include "base/limits.h"
#include "base/mem.h"

struct exec_entry {
	struct list recent;
	struct engine *engine;
	char *id;
};

static struct str entry_id(const void *item)
{
	return str_from(((const struct exec_entry *)item)->id);
}

void exec_table_init(struct exec_table *t)
{
	map_init(&t->by_id, entry_id);
	list_init(&t->recent);
}

static void drop(struct exec_table *t, struct exec_entry *e)
{
	map_del(&t->by_id, entry_id(e));
	list_remove(&e->recent);
	engine_unref(e->engine);
	free(e->id);
	free(e);
}

static struct exec_entry *longest_unused(struct exec_table *t)
{
	return list_item(t->recent.next, struct exec_entry, recent);
}

void exec_table_fini(struct exec_table *t)
{
	while (!list_empty(&t->recent))
		drop(t, longest_unused(t));
	map_fini(&t->by_id);
}

void exec_table_forget(struct exec_table *t, struct str id)
{
	struct exec_entry *e = map_get(&t->by_id, id);

	if (e)
		drop(t, e);
}

void exec_table_put(struct exec_table *t, struct str id, struct engine *engine)
{
	struct exec_entry *e = mem_new(struct exec_entry);

	e->engine = engine_ref(engine);
	e->id = str_dup(id);
	exec_table_forget(t, id);
	map_put(&t->by_id, e);
	list_append(&t->recent, &e->recent);
	if (t->by_id.n > LIMIT_EXECS)
		drop(t, longest_unused(t));
}

struct engine *exec_table_get(struct exec_table *t, struct str id)
{
	struct exec_entry *e = map_get(&t->by_id, id);

	if (!e)
		return NULL;
	list_remove(&e->recent);
	list_append(&t->recent, &e->recent);
	return engine_ref(e->engine);
}
