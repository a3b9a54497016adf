/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/store.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/rand.h"
#include "fiber/clock.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"

/* How long somebody waits for an answer that never comes. */
#define PATIENCE (4 * SECOND)

struct sim_key {
	char *name, *value;
	uint64_t lease; /* 0: none */
};

struct sim_grant {
	uint64_t id;
	int64_t ttl, until;
};

struct sim_lease {
	struct kv_lease base;
	uint64_t id;
};

static struct sim_kv *sim_kv(struct kv *kv)
{
	return container_of(kv, struct sim_kv, base);
}

static struct sim_key *find_key(const struct sim_store *s, struct str name)
{
	for (size_t i = 0; i < s->keys.n; i++) {
		struct sim_key *key = s->keys.v[i];

		if (str_eq(str_from(key->name), name))
			return key;
	}
	return NULL;
}

static void change(struct sim_store *s)
{
	s->revision++;
	waitq_wake_all(&s->changed);
}

static void key_free(struct sim_key *key)
{
	free(key->name);
	free(key->value);
	free(key);
}

static void drop_key(struct sim_store *s, size_t i)
{
	key_free(s->keys.v[i]);
	s->keys.v[i] = s->keys.v[--s->keys.n];
	change(s);
}

static void set_key(struct sim_store *s, struct str name, struct str value, uint64_t lease)
{
	struct sim_key *key = find_key(s, name);

	if (!key) {
		key = mem_new(struct sim_key);
		key->name = str_dup(name);
		vec_push(&s->keys, key);
	}
	free(key->value);
	key->value = str_dup(value);
	key->lease = lease;
	change(s);
}

static struct sim_grant *find_grant(const struct sim_store *s, uint64_t id)
{
	for (size_t i = 0; i < s->leases.n; i++) {
		struct sim_grant *g = s->leases.v[i];

		if (g->id == id)
			return g;
	}
	return NULL;
}

static void end_grant(struct sim_store *s, uint64_t id)
{
	for (size_t i = s->keys.n; i-- > 0;)
		if (((struct sim_key *)s->keys.v[i])->lease == id)
			drop_key(s, i);
	for (size_t i = s->leases.n; i-- > 0;) {
		struct sim_grant *g = s->leases.v[i];

		if (g->id != id)
			continue;
		free(g);
		s->leases.v[i] = s->leases.v[--s->leases.n];
	}
}

static int64_t span_of(const struct sim_store *s, const struct sim_grant *g)
{
	return g->ttl - g->ttl * s->fast / 100;
}

static may_suspend void end_leases(void *arg)
{
	struct sim_store *s = arg;
	struct error *err = NULL;

	while (!err) {
		for (size_t i = s->leases.n; i-- > 0 && !s->down;) {
			const struct sim_grant *g = s->leases.v[i];

			if (g->until <= clock_now())
				end_grant(s, g->id);
		}
		err = fiber_sleep(10 * MILLISECOND);
	}
	error_free(err);
}

void sim_store_init(struct sim_store *s)
{
	*s = (struct sim_store){ .delay = 5 * MILLISECOND, .grants_most = HOUR };
	group_go(&s->fibers, "store", end_leases, s);
}

void sim_store_wipe(struct sim_store *s)
{
	while (s->leases.n > 0)
		end_grant(s, ((struct sim_grant *)s->leases.v[0])->id);
	while (s->keys.n > 0)
		drop_key(s, 0);
}

may_suspend void sim_store_fini(struct sim_store *s)
{
	group_finish(&s->fibers);
	sim_store_wipe(s);
	vec_fini(&s->keys);
	vec_fini(&s->leases);
	waitq_fini(&s->changed);
}

void sim_store_extend(struct sim_store *s)
{
	for (size_t i = 0; i < s->leases.n; i++) {
		struct sim_grant *g = s->leases.v[i];

		g->until = clock_now() + g->ttl;
	}
}

struct str sim_store_value(const struct sim_store *s, struct str key)
{
	const struct sim_key *k = find_key(s, key);

	return k ? str_from(k->value) : STR("");
}

void sim_store_write(struct sim_store *s, struct str key, struct str value)
{
	set_key(s, key, value, 0);
}

void sim_store_remove(struct sim_store *s, struct str key)
{
	for (size_t i = s->keys.n; i-- > 0;)
		if (str_eq(str_from(((struct sim_key *)s->keys.v[i])->name), key))
			drop_key(s, i);
}

may_suspend void sim_kv_run(const struct sim_kv *k)
{
	fiber_shield();
	while (clock_now() < k->paused_until)
		error_free(fiber_sleep(k->paused_until - clock_now()));
	fiber_unshield();
}

/* One message, one way. Whoever stands still hears of nothing before it runs again. */
static may_suspend struct error *message(const struct sim_kv *k)
{
	const struct sim_store *s = k->store;
	int64_t delay = rand_between(1, s->delay);
	struct error *err;

	if (k->dead)
		return error_new(ERR_CLOSED, "the process is gone");
	/* Now and then one takes much longer than all others. */
	if (rand_below(100) == 0)
		delay *= 20;
	err = fiber_sleep(delay);
	if (!err && (k->cut || s->down || rand_below(1000) < s->loses))
		err = fiber_sleep(PATIENCE);
	else if (!err)
		return NULL;
	return err ? err : error_new(ERR_CLOSED, "no answer from the store");
}

static may_suspend struct error *ask(struct kv *kv)
{
	sim_kv_run(sim_kv(kv));
	return message(sim_kv(kv));
}

/* `err`: what the store has answered. */
static may_suspend struct error *answer(struct kv *kv, struct error *err)
{
	struct error *lost = message(sim_kv(kv));

	sim_kv_run(sim_kv(kv));
	if (!lost)
		return err;
	error_free(err);
	return lost;
}

/* A question that did not arrive; the process may stand still when it gives up. */
static may_suspend struct error *unheard(struct kv *kv, struct error *err)
{
	sim_kv_run(sim_kv(kv));
	return err;
}

static may_suspend struct error *store_get(struct kv *kv, struct str key, struct arena *arena,
					   struct kv_value *ret)
{
	const struct sim_store *s = sim_kv(kv)->store;
	struct error *err = ask(kv);
	const struct sim_key *k;

	if (err)
		return unheard(kv, err);
	k = find_key(s, key);
	*ret = (struct kv_value){ .found = k != NULL, .revision = s->revision };
	if (k) {
		ret->value = arena_dup(arena, str_from(k->value));
		ret->held = k->lease != 0;
	}
	return answer(kv, NULL);
}

static may_suspend struct error *store_wait(struct kv *kv, _unused_ struct str key,
					    uint64_t revision)
{
	struct sim_store *s = sim_kv(kv)->store;
	struct error *err = ask(kv);

	while (!err && s->revision == revision)
		err = waitq_wait(&s->changed, "a change in the store");
	return err ? unheard(kv, err) : answer(kv, NULL);
}

static struct error *check_grant(const struct sim_store *s, const struct kv_lease *lease,
				 struct sim_grant **ret)
{
	*ret = lease ? find_grant(s, ((const struct sim_lease *)lease)->id) : NULL;
	return lease && !*ret ? kv_lease_lost("lease") : NULL;
}

static may_suspend struct error *store_put(struct kv *kv, struct str key, struct str value,
					   struct kv_lease *lease, const struct fence *fence)
{
	struct sim_grant *grant;
	struct error *err;

	TRY(fence_check(fence));
	err = ask(kv);
	if (err)
		return unheard(kv, err);
	err = check_grant(sim_kv(kv)->store, lease, &grant);
	if (!err)
		set_key(sim_kv(kv)->store, key, value, grant ? grant->id : 0);
	return answer(kv, err);
}

static may_suspend struct error *store_list(struct kv *kv, struct str directory,
					    struct arena *arena, struct kv_list *ret)
{
	const struct sim_store *s = sim_kv(kv)->store;
	struct error *err = ask(kv);

	if (err)
		return unheard(kv, err);
	*ret = (struct kv_list){ .v = arena_new_array(arena, struct kv_entry, s->keys.n),
				 .revision = s->revision };
	for (size_t i = 0; i < s->keys.n; i++) {
		const struct sim_key *k = s->keys.v[i];
		struct str name = str_strip_prefix(str_from(k->name), directory);

		if (name.n < strlen(k->name))
			ret->v[ret->n++] = (struct kv_entry){ arena_dup(arena, name),
							      arena_dup(arena, str_from(k->value)),
							      k->lease != 0 };
	}
	return answer(kv, NULL);
}

static may_suspend struct error *store_remove(struct kv *kv, struct str key,
					      const struct fence *fence)
{
	struct error *err;

	TRY(fence_check(fence));
	err = ask(kv);
	if (err)
		return unheard(kv, err);
	sim_store_remove(sim_kv(kv)->store, key);
	return answer(kv, NULL);
}

static may_suspend struct error *store_lock(struct kv *kv, struct str key, struct str value,
					    struct kv_lease *lease, bool *ret)
{
	struct sim_store *s = sim_kv(kv)->store;
	struct sim_grant *grant;
	const struct sim_key *k;
	struct error *err = ask(kv);

	if (err)
		return unheard(kv, err);
	err = check_grant(s, lease, &grant);
	k = find_key(s, key);
	*ret = !err && (!k || !k->lease || k->lease == grant->id);
	if (*ret && !(k && k->lease))
		set_key(s, key, value, grant->id);
	return answer(kv, err);
}

static may_suspend struct error *store_lease_begin(struct kv *kv, int64_t ttl,
						   struct kv_lease **ret)
{
	struct sim_store *s = sim_kv(kv)->store;
	struct sim_grant *g;
	struct sim_lease *lease;
	struct error *err = ask(kv);

	if (err)
		return unheard(kv, err);
	g = mem_new(struct sim_grant);
	g->id = ++s->last_lease;
	g->ttl = MIN(ttl, s->grants_most);
	g->until = clock_now() + span_of(s, g);
	vec_push(&s->leases, g);

	lease = mem_new(struct sim_lease);
	lease->id = g->id;
	lease->base = (struct kv_lease){ .kv = kv, .ttl = g->ttl };
	err = answer(kv, NULL);
	if (err)
		free(lease);
	else
		*ret = &lease->base;
	return err;
}

static may_suspend struct error *store_lease_renew(struct kv_lease *lease)
{
	struct sim_grant *grant;
	struct error *err = ask(lease->kv);

	if (err)
		return unheard(lease->kv, err);
	err = check_grant(sim_kv(lease->kv)->store, lease, &grant);
	if (!err)
		grant->until = clock_now() + span_of(sim_kv(lease->kv)->store, grant);
	return answer(lease->kv, err);
}

static may_suspend struct error *store_lease_revoke(struct kv_lease *lease)
{
	struct error *err = ask(lease->kv);

	if (err)
		return unheard(lease->kv, err);
	end_grant(sim_kv(lease->kv)->store, ((struct sim_lease *)lease)->id);
	return answer(lease->kv, NULL);
}

static may_suspend void store_lease_free(struct kv_lease *lease)
{
	free(lease);
}

static const struct kv_backend backend = {
	.scheme = "sim",
	.get = store_get,
	.list = store_list,
	.wait = store_wait,
	.put = store_put,
	.remove = store_remove,
	.lock = store_lock,
	.lease_begin = store_lease_begin,
	.lease_renew = store_lease_renew,
	.lease_revoke = store_lease_revoke,
	.lease_free = store_lease_free,
};

void sim_kv_init(struct sim_kv *k, struct sim_store *s)
{
	static char no_prefix[1];

	*k = (struct sim_kv){ .base = { .backend = &backend, .prefix = no_prefix }, .store = s };
}
