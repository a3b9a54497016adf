/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consul's messages. Fields that we do not ask for are passed over, as later versions have more.
 */
#include "kv/consul_codec.h"

#include "base/base64.h"
#include "json/build.h"

#define TEXT_SHOWN  80	/* of an answer that cannot be read */
#define SESSION_MAX 256 /* bytes of a session's id: a UUID has 36 */

void consul_write_session(struct strbuf *out, int64_t seconds)
{
	_cleanup_(strbuf_fini) struct strbuf ttl = STRBUF_INIT;
	struct json_out o = json_out(out);

	strbuf_addf(&ttl, "%llds", (long long)seconds);
	json_begin_object(&o);
	json_put_str(&o, "Name", STR("swarm"));
	json_put_str(&o, "TTL", strbuf_str(&ttl));
	json_put_str(&o, "LockDelay", STR("1ms"));
	json_put_str(&o, "Behavior", STR("delete"));
	json_end_object(&o);
}

static struct error *unreadable(struct str text)
{
	return error_new(ERR_PROTOCOL, "Consul answers what cannot be read: \"%.*s\"",
			 STR_ARG(str_first(text, TEXT_SHOWN)));
}

static struct error *parse(struct str text, struct arena *arena, struct json *ret)
{
	struct error *err = json_parse(text, arena, ret);

	if (!err)
		return NULL;
	error_free(err);
	return unreadable(text);
}

/* It goes into paths as it is. */
static bool is_session(struct str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '-' || c == '_'))
			return false;
	}
	return id.n > 0 && id.n <= SESSION_MAX;
}

struct error *consul_read_session(struct str text, struct arena *arena, struct str *ret)
{
	struct json answer;
	struct str id;

	TRY(parse(text, arena, &answer));
	id = json_get_str(answer, "ID");
	if (!is_session(id))
		return unreadable(text);
	*ret = id;
	return NULL;
}

struct error *consul_read_renewed(struct str text, struct arena *arena)
{
	struct json answer;

	TRY(parse(text, arena, &answer));
	return json_type(answer) == JSON_ARRAY ? NULL : unreadable(text);
}

struct error *consul_read_done(struct str text, struct arena *arena, bool *ret)
{
	struct json answer;

	TRY(parse(text, arena, &answer));
	if (json_type(answer) != JSON_TRUE && json_type(answer) != JSON_FALSE)
		return unreadable(text);
	*ret = json_is_true(answer);
	return NULL;
}

static bool read_entry(struct json item, struct arena *arena, struct kv_entry *ret)
{
	_cleanup_(strbuf_fini) struct strbuf value = STRBUF_INIT;

	/* An empty value is null. */
	if (json_type(json_get(item, "Key")) != JSON_STRING ||
	    !base64_decode(json_get_str(item, "Value"), &value))
		return false;
	ret->name = arena_dup(arena, json_get_str(item, "Key"));
	ret->value = arena_dup(arena, strbuf_str(&value));
	ret->held = !str_empty(json_get_str(item, "Session"));
	return true;
}

struct error *consul_read_entries(struct str text, struct arena *arena, struct kv_list *ret)
{
	struct kv_list list = { 0 };
	struct json answer, item;

	TRY(parse(text, arena, &answer));
	if (json_type(answer) != JSON_ARRAY)
		return unreadable(text);
	list.v = arena_new_array(arena, struct kv_entry, json_count(answer) + 1);
	for (struct json_iter it = json_iter(answer); json_next(&it, NULL, &item);) {
		if (!read_entry(item, arena, &list.v[list.n++]))
			return unreadable(text);
	}
	*ret = list;
	return NULL;
}
