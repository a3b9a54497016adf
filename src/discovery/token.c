/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token://id and token://host[:port]/id: a cluster of a token service. It cannot be watched, so it
 * is polled at every heartbeat; while it does not answer, sooner.
 */
#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "discovery/backend.h"
#include "discovery/token_service.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"

/* After a failure the next look comes this soon, and twice as late after each further one. */
#define FIRST_RETRY (1 * SECOND)

struct token {
	struct discovery base;
	struct token_service *service;
	char id[33];
	int64_t heartbeat, retry; /* retry 0: the last look went well */
	int64_t next;		  /* when it is due to be looked at again */
	uint64_t seen;		  /* a hash of what it listed then */
};

static struct error *split(struct str rest, const char *known_service, struct str *ret_service,
			   struct str *ret_id)
{
	if (!str_rcut(rest, '/', ret_service, ret_id)) {
		*ret_id = rest;
		*ret_service = str_from(known_service);
	}
	if (!token_id_valid(*ret_id))
		return error_new(ERR_INVALID,
				 "invalid cluster \"token://%.*s\": it is token://<id> or "
				 "token://host[:port]/<id>, and the id is 32 hexadecimal digits",
				 STR_ARG(rest));
	if (str_empty(*ret_service))
		return error_new(ERR_INVALID,
				 "token://<id> needs to know the token service: write "
				 "token://host[:port]/<id>, or set $SWARM_TOKEN_SERVICE");
	return NULL;
}

static struct error *token_open(struct str rest, const struct discovery_options *options,
				struct discovery **ret)
{
	struct token_service *service;
	struct str address, id;
	struct token *token;

	TRY(split(rest, options->service, &address, &id));
	TRY(token_service_open(address, options->tls, &service));
	token = mem_new(struct token);
	token->service = service;
	token->heartbeat = options->heartbeat;
	memcpy(token->id, id.p, id.n);
	*ret = &token->base;
	return NULL;
}

/* Entries come in one order, so the same set has the same hash. */
static uint64_t hash_entries(const struct vec *entries)
{
	_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;

	for (size_t i = 0; i < entries->n; i++) {
		strbuf_add(&all, *(struct str *)entries->v[i]);
		strbuf_addc(&all, '\n');
	}
	return str_hash(strbuf_str(&all));
}

static may_suspend struct error *token_fetch(struct discovery *d, struct arena *arena,
					     struct vec *ret)
{
	struct token *token = container_of(d, struct token, base);
	struct error *err = token_service_list(token->service, str_from(token->id), arena, ret);

	if (err) {
		token->retry = MIN(token->retry ? 2 * token->retry : FIRST_RETRY, token->heartbeat);
		token->next = clock_now() + token->retry;
		return err;
	}
	token->retry = 0;
	token->next = clock_now() + token->heartbeat;
	token->seen = hash_entries(ret);
	return NULL;
}

/* A caller whose deadline ended the wait may come again: it goes on where it was. */
static may_suspend struct error *token_wait(struct discovery *d)
{
	struct token *token = container_of(d, struct token, base);
	uint64_t before = token->seen;

	do {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(vec_fini) struct vec entries = VEC_INIT;

		TRY(fiber_sleep(token->next - clock_now()));
		/* After a failure the fetch to come is the look itself. */
		if (token->retry > 0)
			return NULL;
		error_free(token_fetch(d, &arena, &entries));
		TRY(fiber_check());
	} while (token->retry == 0 && token->seen == before);
	return NULL;
}

static may_suspend struct error *token_enter(struct discovery *d, struct str entry, int64_t ttl)
{
	struct token *token = container_of(d, struct token, base);

	return token_service_enter(token->service, str_from(token->id), entry, ttl);
}

static may_suspend struct error *token_leave(struct discovery *d, struct str entry)
{
	struct error *err = token_enter(d, entry, 0);

	if (!error_is(err, ERR_NOT_FOUND))
		return err;
	error_free(err);
	return NULL;
}

static void token_close(struct discovery *d)
{
	struct token *token = container_of(d, struct token, base);

	token_service_close(token->service);
	free(token);
}

const struct discovery_backend discovery_token = {
	.scheme = "token",
	.uses_tls = true,
	.open = token_open,
	.fetch = token_fetch,
	.wait = token_wait,
	.enter = token_enter,
	.leave = token_leave,
	.close = token_close,
};
