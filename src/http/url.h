/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets: the path decoded, query parameters by name. No routing.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

struct http_param {
	struct str name, value; /* decoded */
};

struct http_url {
	struct str raw_path, raw_query; /* as sent; slices of the target */
	struct str path; /* decoded, "//" and "/./" and "/../" resolved, begins with "/" */
	struct http_param *params;
	size_t n_params;
};

/*
 * Origin form, absolute form (scheme and host are dropped), "*" for OPTIONS (path and raw_path are
 * then that). ERR_INVALID else. Slices point into target or the arena.
 */
must_check struct error *http_url_parse(struct str target, struct arena *arena,
					struct http_url *ret);

/* The first of that name; STR_NONE where there is none. */
struct str http_param(const struct http_url *u, const char *name);
bool http_has_param(const struct http_url *u, const char *name);
/*
 * As Docker's daemon reads a flag: "", "0", "no", "false", "none" (any case) are false, all else
 * true.
 */
bool http_param_bool(const struct http_url *u, const char *name, bool otherwise);

void http_encode_path(struct strbuf *out, struct str text);  /* "/" stays */
void http_encode_query(struct strbuf *out, struct str text); /* one name or value */

#endif
