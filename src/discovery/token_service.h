/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token service, as its clients see it. The service itself is registry/.
 */
#ifndef DISCOVERY_TOKEN_SERVICE_H
#define DISCOVERY_TOKEN_SERVICE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "net/addr.h"

struct tls_files;
struct token_service;
struct vec;

/* Where it is, as users write it. */
struct token_address {
	struct addr addr;
	bool tls;
};

/*
 * "host", "host:port", "http://host:port" or "https://host". Without a scheme it is https on 443,
 * and on any other port http, or https where `have_tls` says that there are TLS options.
 */
must_check struct error *token_address_parse(struct str text, bool have_tls,
					     struct token_address *ret);

/* tls: of --tls and its like; NULL: where TLS is due, any CA that this system trusts is fine. */
must_check struct error *token_service_open(struct str address, const struct tls_files *tls,
					    struct token_service **ret);
void token_service_close(struct token_service *s); /* NULL is fine */
DEFINE_CLEANUP(struct token_service *, token_service_close)

/* A cluster id: 32 hexadecimal digits. */
bool token_id_valid(struct str id);

/* The texts of an answer to token_service_list, each a struct str * in the arena. ERR_PROTOCOL. */
must_check struct error *token_list_parse(struct str body, struct arena *arena, struct vec *ret);

/*
 * Errors name the service. ERR_NOT_FOUND: it has no such cluster. Each call is given ten seconds,
 * or what the caller's deadline leaves.
 */
may_suspend must_check struct error *token_service_create(struct token_service *s,
							  struct strbuf *ret_id);
may_suspend must_check struct error *token_service_list(struct token_service *s, struct str id,
							struct arena *arena, struct vec *ret);
/* A ttl of 0 takes the entry out; others are rounded up to whole seconds. */
may_suspend must_check struct error *token_service_enter(struct token_service *s, struct str id,
							 struct str entry, int64_t ttl);

#endif
