/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of backends, and what they have in common: from the entries as they are written to
 * addresses, each once.
 */
#include "discovery/discovery.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "discovery/backend.h"
#include "fiber/fiber.h"

#define ENTRY_SHOWN 80 /* of one that is no address: it may be any file's content */

/* A bare list of addresses is the first one's. */
static const struct discovery_backend *const backends[] = {
	&discovery_nodes, &discovery_file,   &discovery_token,
	&discovery_etcd,  &discovery_consul, &discovery_zookeeper,
};

/* "nodes://, file:// and etcd://": all that there are */
static void list_schemes(struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		bool last = i + 1 == ARRAY_LEN(backends);

		strbuf_addf(out, "%s%s://",
			    i == 0 ? ""
			    : last ? " and "
				   : ", ",
			    backends[i]->scheme);
	}
}

static struct error *no_backend(struct str scheme)
{
	_cleanup_(strbuf_fini) struct strbuf there = STRBUF_INIT;

	list_schemes(&there);
	return error_new(ERR_INVALID, "there is no discovery \"%.*s://\"; %s are", STR_ARG(scheme),
			 there.p);
}

static struct error *find_backend(struct str uri, const struct discovery_backend **ret_backend,
				  struct str *ret_rest)
{
	const struct str mark = STR("://");
	ptrdiff_t at = str_find(uri, mark);
	struct str scheme;

	if (at < 0) {
		*ret_backend = backends[0];
		*ret_rest = uri;
		return NULL;
	}
	scheme = str_first(uri, (size_t)at);
	*ret_rest = str_skip(uri, (size_t)at + mark.n);
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		*ret_backend = backends[i];
		if (str_eq(scheme, str_from(backends[i]->scheme)))
			return NULL;
	}
	return no_backend(scheme);
}

struct error *discovery_open(struct str uri, const struct discovery_options *options,
			     struct discovery **ret)
{
	const struct discovery_backend *backend;
	struct discovery *d;
	struct str rest;

	TRY(find_backend(uri, &backend, &rest));
	if (!backend->takes_options && options->opts && options->opts[0])
		return error_new(ERR_INVALID, "%s:// has no option \"%s\"", backend->scheme,
				 options->opts[0]);
	TRY(backend->open(rest, options, &d));
	d->backend = backend;
	*ret = d;
	return NULL;
}

may_suspend void discovery_stop(struct discovery *d)
{
	if (d->backend->stop)
		d->backend->stop(d);
}

void discovery_close(struct discovery *d)
{
	if (d)
		d->backend->close(d);
}

const char *discovery_scheme(const struct discovery *d)
{
	return d->backend->scheme;
}

bool discovery_is_store(const struct discovery *d)
{
	return d->backend->is_store;
}

bool discovery_uses_tls(const struct discovery *d)
{
	return d->backend->uses_tls;
}

struct error *discovery_check_registers(const struct discovery *d)
{
	if (!d->backend->enter)
		return error_new(ERR_INVALID,
				 "%s:// takes no registrations: its entries are written by people",
				 d->backend->scheme);
	return NULL;
}

struct error *discovery_check_ttl(const struct discovery *d, int64_t ttl)
{
	return d->backend->check_ttl ? d->backend->check_ttl(d, ttl) : NULL;
}

may_suspend struct error *discovery_register(struct discovery *d, const struct addr *addr,
					     int64_t ttl)
{
	_cleanup_(strbuf_fini) struct strbuf entry = STRBUF_INIT;

	TRY(discovery_check_registers(d));
	addr_format(addr, &entry);
	return d->backend->enter(d, strbuf_str(&entry), ttl);
}

may_suspend struct error *discovery_unregister(struct discovery *d, const struct addr *addr)
{
	_cleanup_(strbuf_fini) struct strbuf entry = STRBUF_INIT;

	TRY(discovery_check_registers(d));
	addr_format(addr, &entry);
	return d->backend->leave(d, strbuf_str(&entry));
}

void discovery_push(struct arena *arena, struct vec *ret, struct str text)
{
	struct str *item = arena_new(arena, struct str);

	*item = arena_dup(arena, text);
	vec_push(ret, item);
}

static void left_out(struct str entry, struct error *why)
{
	log_warn("a node is left out: its address cannot be used",
		 LOG_STR("entry", str_first(entry, ENTRY_SHOWN)), LOG_ERR(why));
	error_free(why);
}

/* Entries to texts of one address each. */
static struct error *expand_all(const struct discovery *d, const struct vec *entries,
				struct arena *arena, struct vec *ret)
{
	for (size_t i = 0; i < entries->n; i++) {
		struct str *entry = entries->v[i];
		struct error *err = NULL;

		if (d->backend->has_ranges)
			err = discovery_expand(*entry, arena, ret);
		else
			vec_push(ret, entry);
		if (err)
			left_out(*entry, err);
		if (ret->n > LIMIT_RANGE_HOSTS)
			return error_new(ERR_TOO_LARGE, "%s:// lists more than %d nodes",
					 d->backend->scheme, LIMIT_RANGE_HOSTS);
	}
	return NULL;
}

static struct str seen_key(const void *item)
{
	return *(const struct str *)item;
}

/* Adds what text says to ret, unless it is no address or was there before. */
static void add_address(struct str text, struct arena *arena, struct map *seen,
			struct discovery_entries *ret)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	struct addr *addr = &ret->v[ret->n];
	struct error *err = addr_parse_host_port(text, addr);
	struct str *key;

	if (err) {
		left_out(text, err);
		return;
	}
	addr_format(addr, &name);
	if (map_get(seen, strbuf_str(&name)))
		return;
	key = arena_new(arena, struct str);
	*key = arena_dup(arena, strbuf_str(&name));
	map_put(seen, key);
	ret->n++;
}

static may_suspend struct error *add_addresses(const struct vec *texts, struct arena *arena,
					       struct discovery_entries *ret)
{
	_cleanup_(map_fini) struct map seen = MAP_INIT(seen_key);

	for (size_t i = 0; i < texts->n; i++) {
		if (i % 256 == 255)
			TRY(fiber_yield());
		add_address(*(struct str *)texts->v[i], arena, &seen, ret);
	}
	return NULL;
}

may_suspend struct error *discovery_fetch(struct discovery *d, struct discovery_entries *ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(vec_fini) struct vec entries = VEC_INIT, texts = VEC_INIT;
	_cleanup_(discovery_entries_fini) struct discovery_entries found = { NULL, 0 };

	TRY(d->backend->fetch(d, &arena, &entries));
	TRY(expand_all(d, &entries, &arena, &texts));
	found.v = mem_realloc_array(NULL, MAX(texts.n, 1), sizeof(*found.v));
	TRY(add_addresses(&texts, &arena, &found));

	*ret = found;
	found = (struct discovery_entries){ NULL, 0 };
	return NULL;
}

may_suspend struct error *discovery_wait(struct discovery *d)
{
	return d->backend->wait(d);
}

void discovery_entries_fini(struct discovery_entries *e)
{
	free(e->v);
	*e = (struct discovery_entries){ NULL, 0 };
}
