/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etcd's messages. Fields that we do not ask for are passed over, as later versions have more.
 */
#include "kv/etcd_codec.h"

#include "base/base64.h"
#include "json/build.h"

#define TEXT_SHOWN 80 /* of an answer that cannot be read */

static void put_bytes(struct json_out *o, const char *name, struct str bytes)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	base64_encode(bytes, &text);
	json_put_str(o, name, strbuf_str(&text));
}

static void put_number(struct json_out *o, const char *name, int64_t n)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%lld", (long long)n);
	json_put_str(o, name, strbuf_str(&text));
}

static void put_range(struct json_out *o, struct str key, struct str end)
{
	put_bytes(o, "key", key);
	if (!str_empty(end))
		put_bytes(o, "range_end", end);
}

static void put_pair(struct json_out *o, struct str key, struct str value, int64_t lease)
{
	put_bytes(o, "key", key);
	put_bytes(o, "value", value);
	if (lease != 0)
		put_number(o, "lease", lease);
}

void etcd_write_range(struct strbuf *out, struct str key, struct str end)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	put_range(&o, key, end);
	json_end_object(&o);
}

void etcd_write_put(struct strbuf *out, struct str key, struct str value, int64_t lease)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	put_pair(&o, key, value, lease);
	json_end_object(&o);
}

/* "name":[{"inner":{...}}], the braces around what the caller writes in between */
static void begin_operation(struct json_out *o, const char *name, const char *inner)
{
	json_key(o, name);
	json_begin_array(o);
	json_begin_object(o);
	json_key(o, inner);
	json_begin_object(o);
}

static void end_operation(struct json_out *o)
{
	json_end_object(o);
	json_end_object(o);
	json_end_array(o);
}

void etcd_write_lock(struct strbuf *out, struct str key, struct str value, int64_t lease)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_key(&o, "compare");
	json_begin_array(&o);
	json_begin_object(&o);
	put_bytes(&o, "key", key);
	/* A key that is not there has lease 0 too. */
	json_put_str(&o, "target", STR("LEASE"));
	json_put_str(&o, "result", STR("EQUAL"));
	put_number(&o, "lease", 0);
	json_end_object(&o);
	json_end_array(&o);
	begin_operation(&o, "success", "request_put");
	put_pair(&o, key, value, lease);
	end_operation(&o);
	begin_operation(&o, "failure", "request_range");
	put_range(&o, key, STR_NONE);
	end_operation(&o);
	json_end_object(&o);
}

void etcd_write_grant(struct strbuf *out, int64_t seconds)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	put_number(&o, "TTL", seconds);
	json_end_object(&o);
}

void etcd_write_lease(struct strbuf *out, int64_t lease)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	put_number(&o, "ID", lease);
	json_end_object(&o);
}

void etcd_write_watch(struct strbuf *out, struct str key, struct str end, uint64_t from_revision)
{
	struct json_out o = json_out(out);

	json_begin_object(&o);
	json_key(&o, "create_request");
	json_begin_object(&o);
	put_range(&o, key, end);
	put_number(&o, "start_revision", (int64_t)from_revision);
	json_end_object(&o);
	json_end_object(&o);
}

static struct error *unreadable(struct str text)
{
	return error_new(ERR_PROTOCOL, "etcd answers what cannot be read: \"%.*s\"",
			 STR_ARG(str_first(text, TEXT_SHOWN)));
}

static struct error *parse(struct str text, struct arena *arena, struct json *ret)
{
	struct error *err = json_parse(text, arena, ret);

	if (!err && json_type(*ret) == JSON_OBJECT)
		return NULL;
	error_free(err);
	return unreadable(text);
}

/* A 64-bit number as a string, 0 where it is left out; false where it is none. */
static bool get_number(struct json object, const char *name, int64_t *ret)
{
	struct json v = json_get(object, name);

	*ret = 0;
	return !json_exists(v) || str_to_i64(json_str(v), ret) || json_to_i64(v, ret);
}

static bool get_bytes(struct json object, const char *name, struct arena *arena, struct str *ret)
{
	_cleanup_(strbuf_fini) struct strbuf bytes = STRBUF_INIT;

	if (!base64_decode(json_get_str(object, name), &bytes))
		return false;
	*ret = arena_dup(arena, strbuf_str(&bytes));
	return true;
}

static bool get_revision(struct json answer, uint64_t *ret)
{
	int64_t n;

	if (!get_number(json_get(answer, "header"), "revision", &n) || n <= 0)
		return false;
	*ret = (uint64_t)n;
	return true;
}

struct error *etcd_read_done(struct str text, struct arena *arena)
{
	struct json answer;
	uint64_t revision;

	TRY(parse(text, arena, &answer));
	return get_revision(answer, &revision) ? NULL : unreadable(text);
}

struct error *etcd_read_range(struct str text, struct arena *arena, struct kv_list *ret)
{
	struct kv_list list = { 0 };
	struct json answer, pairs, pair;
	struct json_iter it;

	TRY(parse(text, arena, &answer));
	pairs = json_get(answer, "kvs");
	if (!get_revision(answer, &list.revision))
		return unreadable(text);
	list.v = arena_new_array(arena, struct kv_entry, json_count(pairs) + 1);
	for (it = json_iter(pairs); json_next(&it, NULL, &pair);) {
		struct kv_entry *e = &list.v[list.n++];
		int64_t lease;

		if (!get_bytes(pair, "key", arena, &e->name) ||
		    !get_bytes(pair, "value", arena, &e->value) ||
		    !get_number(pair, "lease", &lease))
			return unreadable(text);
		e->held = lease != 0;
	}
	*ret = list;
	return NULL;
}

struct error *etcd_read_lock(struct str text, struct arena *arena, bool *ret_done,
			     int64_t *ret_holder)
{
	struct json answer, range, pair;

	TRY(parse(text, arena, &answer));
	range = json_get(json_item(json_get(answer, "responses"), 0), "response_range");
	pair = json_item(json_get(range, "kvs"), 0);
	if (!get_number(pair, "lease", ret_holder))
		return unreadable(text);
	*ret_done = json_get_bool(answer, "succeeded");
	return NULL;
}

struct error *etcd_read_grant(struct str text, struct arena *arena, int64_t *ret_lease,
			      int64_t *ret_seconds)
{
	struct json answer;

	TRY(parse(text, arena, &answer));
	if (!get_number(answer, "ID", ret_lease) || *ret_lease == 0 ||
	    !get_number(answer, "TTL", ret_seconds) || *ret_seconds <= 0)
		return unreadable(text);
	return NULL;
}

static struct error *stream_error(struct json answer)
{
	struct json e = json_get(answer, "error");
	struct str text = json_get_str(e, "message");

	if (!json_exists(e))
		return NULL;
	if (str_empty(text))
		text = json_str(e);
	return error_new(ERR_UNAVAILABLE, "etcd: %.*s", STR_ARG(text));
}

struct error *etcd_read_keepalive(struct str text, struct arena *arena, int64_t *ret_seconds)
{
	struct json answer, result;

	TRY(parse(text, arena, &answer));
	TRY(stream_error(answer));
	result = json_get(answer, "result");
	if (!json_exists(result) || !get_number(result, "TTL", ret_seconds) || *ret_seconds < 0)
		return unreadable(text);
	return NULL;
}

struct error *etcd_read_watch(struct str text, struct arena *arena, uint64_t revision,
			      bool *ret_news)
{
	struct json answer, result;
	uint64_t now;
	int64_t compacted;

	TRY(parse(text, arena, &answer));
	TRY(stream_error(answer));
	result = json_get(answer, "result");
	if (!get_revision(result, &now) || !get_number(result, "compact_revision", &compacted))
		return unreadable(text);
	if (json_get_bool(result, "canceled") && compacted == 0)
		return error_new(ERR_UNAVAILABLE, "etcd ends the watch: %.*s",
				 STR_ARG(json_get_str(result, "cancel_reason")));
	*ret_news = compacted > 0 || now < revision || json_count(json_get(result, "events")) > 0;
	return NULL;
}
