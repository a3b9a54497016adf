/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/request.h"

#include "base/duration.h"
#include "base/limits.h"

#define DEFAULT_TTL (180 * SECOND)
#define SHOWN	    64 /* bytes of what a client wrote that go back to it */

static bool is_id(struct str text)
{
	if (text.n != REGISTRY_ID_DIGITS)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (!str_has_char(STR("0123456789abcdef"), text.p[i]))
			return false;
	}
	return true;
}

static struct error *bad_method(struct str method, const char *path, const char *good)
{
	return error_new(ERR_BAD_METHOD, "%.*s is not for " REGISTRY_PREFIX "%s: %s",
			 STR_ARG(str_first(method, SHOWN)), path, good);
}

static struct error *parse_ttl(const struct http_url *url, int64_t *ret)
{
	const int64_t most = LIMIT_TOKEN_TTL / SECOND;
	struct str text = http_param(url, "ttl");
	uint64_t seconds;

	*ret = DEFAULT_TTL;
	if (!http_has_param(url, "ttl"))
		return NULL;
	if (!str_to_u64(text, &seconds) || seconds > (uint64_t)most)
		return error_new(ERR_INVALID,
				 "invalid ttl \"%.*s\": it is a number of seconds, at most %lld",
				 STR_ARG(str_first(text, SHOWN)), (long long)most);
	*ret = (int64_t)seconds * SECOND;
	return NULL;
}

static struct error *parse_member(struct str method, const struct http_url *url,
				  struct registry_request *req)
{
	/* Nobody's errors show an id, a mistaken one neither: it is as good as a password. */
	if (!is_id(req->id))
		return error_new(ERR_INVALID, "invalid cluster id: it is %d hexadecimal digits",
				 REGISTRY_ID_DIGITS);
	if (str_eq(method, STR("GET"))) {
		req->verb = REGISTRY_LIST;
		return NULL;
	}
	if (str_eq(method, STR("DELETE"))) {
		req->verb = REGISTRY_END;
		return NULL;
	}
	if (!str_eq(method, STR("POST")))
		return bad_method(method, "/<id>", "GET, POST and DELETE are");
	req->verb = REGISTRY_ENTER;
	return parse_ttl(url, &req->ttl);
}

struct error *registry_request_parse(struct str method, const struct http_url *url,
				     struct registry_request *ret)
{
	struct registry_request req = { .verb = REGISTRY_CREATE };
	struct str rest;

	if (!str_starts(url->path, STR(REGISTRY_PREFIX)))
		return error_new(ERR_NOT_FOUND, "page not found");
	rest = str_skip(url->path, STR(REGISTRY_PREFIX).n);
	if (str_empty(rest) || str_eq(rest, STR("/"))) {
		if (!str_eq(method, STR("POST")))
			return bad_method(method, "", "POST is");
	} else if (rest.p[0] == '/') {
		req.id = str_skip(rest, 1);
		TRY(parse_member(method, url, &req));
	} else {
		return error_new(ERR_NOT_FOUND, "page not found");
	}
	*ret = req;
	return NULL;
}

struct error *registry_node_parse(struct str body, struct addr *ret)
{
	return addr_parse_host_port(str_trim(body), ret);
}
