/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into X-Registry-Auth just far enough to tell whether anything is in it. */
#include "docker/auth.h"

#include "base/arena.h"
#include "base/base64.h"
#include "json/json.h"

/* Wiped before it is freed: nothing of a password stays behind. */
static void secret_fini(struct strbuf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	strbuf_fini(b);
}

static bool has_content(struct json v)
{
	switch (json_type(v)) {
	case JSON_MISSING:
	case JSON_NULL:
		return false;
	case JSON_STRING:
		return json_raw(v).n > 2;
	default:
		return true;
	}
}

bool registry_auth_present(struct str header)
{
	_cleanup_(secret_fini) struct strbuf text = STRBUF_INIT;
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json root, member;
	struct json_iter it;

	/* An engine takes what it cannot decode for no credentials. */
	if (!base64_decode(str_trim(header), &text))
		return false;
	_cleanup_(error_freep) struct error *err = json_parse(strbuf_str(&text), &arena, &root);
	if (err || json_type(root) != JSON_OBJECT)
		return false;

	it = json_iter(root);
	while (json_next(&it, NULL, &member))
		if (has_content(member))
			return true;
	return false;
}
