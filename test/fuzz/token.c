/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the token service reads (request line, body) and what its clients read (the list): never
 * more than it was given, and what is taken is well-formed.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "discovery/token_service.h"
#include "registry/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(struct str method, struct str target)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(error_freep) struct error *err = NULL;
	struct registry_request req;
	struct http_url url;

	err = http_url_parse(target, &arena, &url);
	if (!err)
		err = registry_request_parse(method, &url, &req);
	if (err)
		return;
	if (req.ttl < 0 || req.ttl > LIMIT_TOKEN_TTL)
		abort();
	/* Both sides have the same idea of an id. */
	if (req.verb == REGISTRY_CREATE ? req.id.n != 0 : !token_id_valid(req.id))
		abort();
}

/* A node that is taken is written as it will be read again. */
static void check_node(struct str body)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct addr addr, again;
	struct error *err = registry_node_parse(body, &addr);

	if (!err) {
		addr_format(&addr, &text);
		err = addr_parse_host_port(strbuf_str(&text), &again);
		if (err || !str_eq(str_from(addr.host), str_from(again.host)) ||
		    addr.port != again.port)
			abort();
	}
	error_free(err);
}

static void check_list(struct str body)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(vec_fini) struct vec entries = VEC_INIT;
	struct error *err = token_list_parse(body, &arena, &entries);

	if (err && !error_is(err, ERR_PROTOCOL))
		abort();
	error_free(err);
	for (size_t i = 0; i < entries.n; i++) {
		const struct str *entry = entries.v[i];

		if (entry->n > 0 && !entry->p)
			abort();
	}
}

static void check_address(struct str text)
{
	struct token_address a;
	struct error *err = token_address_parse(text, false, &a);

	if (!err && (a.addr.port == 0 || a.addr.host[0] == '\0'))
		abort();
	error_free(err);
}

/* "METHOD target", a line's end, a body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line, method, target, body;

	str_cut(str_of((const char *)data, size), '\n', &line, &body);
	str_cut(line, ' ', &method, &target);
	check_request(method, target);
	check_node(body);
	check_list(body);
	check_address(body);
	return 0;
}
