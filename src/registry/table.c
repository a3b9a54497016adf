/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/table.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

static struct str cluster_key(const void *item)
{
	return str_from(((const struct registry_cluster *)item)->id);
}

static struct str entry_key(const void *item)
{
	return str_from(((const struct cluster_entry *)item)->node);
}

static struct str patron_key(const void *item)
{
	return str_from(((const struct patron *)item)->name);
}

void table_init(struct table *t)
{
	*t = (struct table){ 0 };
	map_init(&t->clusters, cluster_key);
	map_init(&t->patrons, patron_key);
}

void table_fini(struct table *t)
{
	struct registry_cluster *c;

	for (size_t i = 0; (c = map_next(&t->clusters, &i));)
		table_remove(t, c);
	map_fini(&t->clusters);
	map_fini(&t->patrons);
	heap_fini(&t->due);
}

static struct patron *patron_of(struct table *t, struct str client)
{
	struct patron *p;

	if (!client.p)
		return NULL;
	p = map_get(&t->patrons, client);
	if (!p) {
		p = mem_new(struct patron);
		p->name = str_dup(client);
		map_put(&t->patrons, p);
	}
	return p;
}

static void patron_release(struct table *t, struct patron *p)
{
	if (!p || p->n_clusters > 0 || p->n_entries > 0)
		return;
	map_del(&t->patrons, str_from(p->name));
	free(p->name);
	free(p);
}

struct registry_cluster *table_find(const struct table *t, struct str id)
{
	return map_get(&t->clusters, id);
}

/*
 * Of those without nodes, the one that was not asked for the longest; NULL: none for long enough.
 */
static struct registry_cluster *longest_idle(const struct table *t, int64_t now)
{
	struct registry_cluster *c, *best = NULL;

	for (size_t i = 0; (c = map_next(&t->clusters, &i));) {
		if (!c->own && c->entries.n == 0 && (!best || c->used < best->used))
			best = c;
	}
	return best && now - best->used >= LIMIT_TOKEN_IDLE ? best : NULL;
}

struct error *table_check_add(const struct table *t, struct str client, int64_t now,
			      struct registry_cluster **ret_room)
{
	const struct patron *p = map_get(&t->patrons, client);

	*ret_room = NULL;
	if (p && p->n_clusters >= LIMIT_TOKEN_CLIENT_CLUSTERS)
		return error_over_limit(
			ERR_FORBIDDEN,
			"%.*s has made %d clusters here, which is all that one client may",
			STR_ARG(client), LIMIT_TOKEN_CLIENT_CLUSTERS);
	if (t->clusters.n < LIMIT_TOKEN_CLUSTERS)
		return NULL;
	*ret_room = longest_idle(t, now);
	if (!*ret_room)
		return error_over_limit(ERR_UNAVAILABLE,
					"this service keeps %d clusters and has room for no more",
					LIMIT_TOKEN_CLUSTERS);
	return NULL;
}

struct registry_cluster *table_add(struct table *t, struct str id, struct str client, int64_t now)
{
	struct registry_cluster *c = mem_new(struct registry_cluster);

	memcpy(c->id, id.p, MIN(id.n, sizeof(c->id) - 1));
	map_init(&c->entries, entry_key);
	c->used = now;
	c->patron = patron_of(t, client);
	if (c->patron)
		c->patron->n_clusters++;
	map_put(&t->clusters, c);
	return c;
}

void table_remove(struct table *t, struct registry_cluster *c)
{
	struct cluster_entry *e;

	for (size_t i = 0; (e = map_next(&c->entries, &i));)
		table_leave(t, e);
	map_del(&t->clusters, str_from(c->id));
	if (c->patron)
		c->patron->n_clusters--;
	patron_release(t, c->patron);
	map_fini(&c->entries);
	waitq_wake_all(&c->changed);
	free(c);
}

struct cluster_entry *table_entry(const struct registry_cluster *c, struct str node)
{
	return map_get(&c->entries, node);
}

struct error *table_check_enter(const struct table *t, const struct registry_cluster *c,
				struct str client)
{
	const struct patron *p = map_get(&t->patrons, client);

	if (c->entries.n >= LIMIT_TOKEN_NODES)
		return error_over_limit(ERR_UNAVAILABLE,
					"the cluster lists %d nodes, which is all it can",
					LIMIT_TOKEN_NODES);
	if (p && p->n_entries >= LIMIT_TOKEN_CLIENT_ENTRIES)
		return error_over_limit(
			ERR_FORBIDDEN,
			"%.*s has registered %d nodes here, which is all that one client may",
			STR_ARG(client), LIMIT_TOKEN_CLIENT_ENTRIES);
	if (t->n_entries >= LIMIT_TOKEN_ENTRIES)
		return error_over_limit(ERR_UNAVAILABLE,
					"this service lists %d nodes and has room for no more",
					LIMIT_TOKEN_ENTRIES);
	return NULL;
}

static struct cluster_entry *add_entry(struct table *t, struct registry_cluster *c, struct str node,
				       struct str client)
{
	struct cluster_entry *e = mem_new(struct cluster_entry);

	e->cluster = c;
	e->node = str_dup(node);
	e->patron = patron_of(t, client);
	if (e->patron)
		e->patron->n_entries++;
	map_put(&c->entries, e);
	t->n_entries++;
	c->version++;
	waitq_wake_all(&c->changed);
	return e;
}

void table_enter(struct table *t, struct registry_cluster *c, struct str node, struct str client,
		 int64_t ttl, int64_t now)
{
	struct cluster_entry *e = table_entry(c, node);

	if (!e)
		e = add_entry(t, c, node, client);
	e->ttl = ttl;
	heap_remove(&t->due, &e->due);
	heap_add(&t->due, &e->due, now + ttl);
}

void table_leave(struct table *t, struct cluster_entry *e)
{
	struct registry_cluster *c = e->cluster;

	map_del(&c->entries, str_from(e->node));
	heap_remove(&t->due, &e->due);
	t->n_entries--;
	c->version++;
	waitq_wake_all(&c->changed);
	if (e->patron)
		e->patron->n_entries--;
	patron_release(t, e->patron);
	free(e->node);
	free(e);
}

struct cluster_entry *table_first_due(const struct table *t)
{
	struct heap_item *first = heap_first(&t->due);

	return first ? container_of(first, struct cluster_entry, due) : NULL;
}
