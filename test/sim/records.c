/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/records.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "fiber/fiber.h"

struct kept {
	char *key, *text;
};

static struct {
	struct map all; /* of struct kept */
	bool frozen, ended, broken;
	struct record_store store;
} memory;

static struct str kept_key(const void *item)
{
	return str_from(((const struct kept *)item)->key);
}

static void kept_free(struct kept *k)
{
	if (!k)
		return;
	free(k->key);
	free(k->text);
	free(k);
}

static may_suspend struct error *take_time(void)
{
	TRY(fiber_sleep(rand_between(0, 20 * MILLISECOND)));
	return memory.broken ? error_new(ERR_INTERNAL, "the disk is full") : NULL;
}

/*
 * Who is killed in the middle of a write does nothing more. The manager of a story only ends: what it
 * asks for hangs until it cancels that, and fails from then on.
 */
static may_suspend struct error *hang(void)
{
	struct error *err = NULL;

	while (!memory.ended && !err)
		err = fiber_sleep(SECOND);
	memory.ended = true;
	return err ? err : error_new(ERR_CANCELLED, "killed");
}

static may_suspend struct error *put(_unused_ void *arg, struct str key, struct str text)
{
	struct kept *k;

	TRY(take_time());
	if (memory.frozen)
		return hang();
	k = mem_new(struct kept);
	*k = (struct kept){ str_dup(key), str_dup(text) };
	kept_free(map_put(&memory.all, k));
	return NULL;
}

static may_suspend struct error *drop(_unused_ void *arg, struct str key)
{
	TRY(take_time());
	if (memory.frozen)
		return hang();
	kept_free(map_del(&memory.all, key));
	return NULL;
}

static may_suspend struct error *list(_unused_ void *arg, struct arena *arena, struct records *ret)
{
	struct kept *k;

	TRY(take_time());
	ret->v = arena_new_array(arena, struct record, memory.all.n);
	for (size_t i = 0; (k = map_next(&memory.all, &i));)
		ret->v[ret->n++] = (struct record){ arena_dup(arena, str_from(k->key)),
						    arena_dup(arena, str_from(k->text)) };
	return NULL;
}

void sim_records(struct sim *s)
{
	map_init(&memory.all, kept_key);
	memory.store = (struct record_store){ .put = put, .remove = drop, .list = list };
	sim_config(s)->records = &memory.store;
}

void sim_records_free(void)
{
	struct kept *k;

	for (size_t i = 0; (k = map_next(&memory.all, &i));)
		kept_free(map_del(&memory.all, kept_key(k)));
	map_fini(&memory.all);
}

void sim_records_freeze(void)
{
	memory.frozen = true;
	memory.ended = false;
}

may_suspend void sim_kill_manager(struct sim *s)
{
	sim_records_freeze();
	sim_stop_manager(s);
	memory.frozen = false;
	sim_up(s);
}

void sim_records_break(bool broken)
{
	memory.broken = broken;
}

size_t sim_records_count(void)
{
	return memory.all.n;
}

void sim_records_put(const char *key, const char *text)
{
	struct kept *k = mem_new(struct kept);

	*k = (struct kept){ mem_strdup(key), mem_strdup(text) };
	kept_free(map_put(&memory.all, k));
}

bool sim_records_have(const char *text)
{
	const struct kept *k;

	for (size_t i = 0; (k = map_next(&memory.all, &i));)
		if (strstr(k->text, text))
			return true;
	return false;
}
