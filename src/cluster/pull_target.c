/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client whose create was answered "No such image" pulls by itself and creates again: which node
 * it was chosen for is remembered for a minute, so that pull and create both go there. Likewise
 * where a client has just built an image: another node may have an older one of that name. What was
 * built by gRPC is asked of build.c.
 */
#include "base/duration.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "cluster/place.h"
#include "docker/ref.h"
#include "fiber/clock.h"

#define REMEMBERED_FOR (60 * SECOND)

struct pull_target {
	struct list link;
	char *key;
	struct engine *engine;
	bool built;    /* for its create alone */
	int64_t until; /* clock_now() */
};

static struct str target_key(const void *item)
{
	return str_from(((const struct pull_target *)item)->key);
}

void pull_targets_init(struct pull_targets *t)
{
	list_init(&t->by_age);
	map_init(&t->by_key, target_key);
}

static void forget(struct pull_targets *all, struct pull_target *t)
{
	map_del(&all->by_key, target_key(t));
	list_remove(&t->link);
	engine_unref(t->engine);
	free(t->key);
	free(t);
}

void pull_targets_clear(struct pull_targets *t)
{
	list_for_each(link, &t->by_age)
		forget(t, list_item(link, struct pull_target, link));
}

void pull_targets_fini(struct pull_targets *t)
{
	map_fini(&t->by_key);
}

/* They are in the order of their ends. */
static void drop_outdated(struct pull_targets *all)
{
	int64_t now = clock_now();

	list_for_each(link, &all->by_age) {
		struct pull_target *t = list_item(link, struct pull_target, link);

		if (t->until > now && all->by_key.n <= LIMIT_PULL_TARGETS)
			return;
		forget(all, t);
	}
}

/* "busybox" and "docker.io/library/busybox:latest" are one image. */
static struct str familiar(struct str image, struct arena *arena)
{
	struct image_ref ref;
	struct error *err = image_ref_parse(image, arena, &ref);

	if (!err)
		return image_ref_familiar(&ref, arena);
	error_free(err);
	return image;
}

static struct str key_of(struct str client, struct str image, struct arena *arena)
{
	return arena_printf(arena, "%.*s\n%.*s", STR_ARG(client), STR_ARG(familiar(image, arena)));
}

static struct pull_target *find(struct cluster *c, struct str client, struct str image)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

	drop_outdated(&c->pull_targets);
	return map_get(&c->pull_targets.by_key, key_of(client, image, &arena));
}

static struct pull_target *remember(struct cluster *c, struct str client, struct str image,
				    struct engine *e)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct pull_target *t;

	pull_target_forget(c, client, image);
	t = mem_new(struct pull_target);
	t->key = str_dup(key_of(client, image, &arena));
	t->engine = engine_ref(e);
	t->until = clock_now() + REMEMBERED_FOR;
	list_append(&c->pull_targets.by_age, &t->link);
	map_put(&c->pull_targets.by_key, t);
	drop_outdated(&c->pull_targets);
	return t;
}

void pull_target_remember(struct cluster *c, struct str client, struct str image, struct engine *e)
{
	remember(c, client, image, e);
}

void pull_target_built(struct cluster *c, struct str client, struct str image, struct engine *e)
{
	remember(c, client, image, e)->built = true;
}

void pull_target_forget(struct cluster *c, struct str client, struct str image)
{
	struct pull_target *t = find(c, client, image);

	if (t)
		forget(&c->pull_targets, t);
}

static struct engine *usable(struct engine *e)
{
	return e && engine_state(e) == ENGINE_HEALTHY ? engine_ref(e) : NULL;
}

struct engine *pull_target_of_create(struct cluster *c, struct str client, struct str image)
{
	const struct pull_target *t = find(c, client, image);

	return usable(t ? t->engine : build_pin_made(c, client, image));
}

struct engine *cluster_pull_target(struct cluster *c, struct str client, struct str image)
{
	const struct pull_target *t = find(c, client, image);

	return t && !t->built ? usable(t->engine) : NULL;
}
