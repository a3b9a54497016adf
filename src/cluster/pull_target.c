/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client whose create was answered "No such image" pulls by itself and creates again: which node
 * it was chosen for is remembered for a minute, so that pull and create both go there. Likewise
 * where a client has just built an image: another node may have an older one of that name. What was
 * built by gRPC is asked of build.c.
 */
#include "base/duration.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "cluster/place.h"
#include "docker/ref.h"
#include "fiber/clock.h"

#define REMEMBERED_FOR (60 * SECOND)

struct pull_target {
	struct list link;
	char *client, *image;
	struct engine *engine;
	bool built;    /* for its create alone */
	int64_t until; /* clock_now() */
};

static void forget(struct pull_target *t)
{
	list_remove(&t->link);
	engine_unref(t->engine);
	free(t->client);
	free(t->image);
	free(t);
}

/* They are in the order of their ends, so the outdated ones are in front. */
static void drop_outdated(struct cluster *c)
{
	int64_t now = clock_now();

	list_for_each(link, &c->pull_targets) {
		struct pull_target *t = list_item(link, struct pull_target, link);

		if (t->until > now)
			return;
		forget(t);
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

static struct pull_target *find(struct cluster *c, struct str client, struct str image)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str name = familiar(image, &arena);

	drop_outdated(c);
	list_for_each(link, &c->pull_targets) {
		struct pull_target *t = list_item(link, struct pull_target, link);

		if (str_eq(str_from(t->client), client) && str_eq(str_from(t->image), name))
			return t;
	}
	return NULL;
}

static struct pull_target *remember(struct cluster *c, struct str client, struct str image,
				    struct engine *e)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct pull_target *t;

	pull_target_forget(c, client, image);
	t = mem_new(struct pull_target);
	t->client = str_dup(client);
	t->image = str_dup(familiar(image, &arena));
	t->engine = engine_ref(e);
	t->until = clock_now() + REMEMBERED_FOR;
	list_append(&c->pull_targets, &t->link);
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
		forget(t);
}

void pull_targets_clear(struct cluster *c)
{
	struct list *link;

	while (!list_empty(&c->pull_targets)) {
		link = c->pull_targets.next;
		forget(list_item(link, struct pull_target, link));
	}
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
