/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON.
 */
#include "json/build.h"

#include <assert.h>
#include <inttypes.h>

#include "base/quote.h"

struct json_out json_out(struct strbuf *b)
{
	return (struct json_out){ .b = b };
}

static void begin_value(struct json_out *o)
{
	if (o->comma)
		strbuf_addc(o->b, ',');
	o->comma = true;
}

static void open_value(struct json_out *o, char bracket)
{
	begin_value(o);
	strbuf_addc(o->b, bracket);
	o->comma = false;
	o->depth++;
}

static void close_value(struct json_out *o, char bracket)
{
	assert(o->depth > 0);
	strbuf_addc(o->b, bracket);
	o->comma = true;
	o->depth--;
}

void json_begin_object(struct json_out *o)
{
	open_value(o, '{');
}

void json_end_object(struct json_out *o)
{
	close_value(o, '}');
}

void json_begin_array(struct json_out *o)
{
	open_value(o, '[');
}

void json_end_array(struct json_out *o)
{
	close_value(o, ']');
}

void json_key(struct json_out *o, const char *key)
{
	json_key_str(o, str_from(key));
}

void json_key_str(struct json_out *o, struct str key)
{
	assert(o->depth > 0);
	begin_value(o);
	quote_json(o->b, key);
	strbuf_addc(o->b, ':');
	o->comma = false;
}

void json_str_value(struct json_out *o, struct str s)
{
	begin_value(o);
	quote_json(o->b, s);
}

void json_i64_value(struct json_out *o, int64_t n)
{
	begin_value(o);
	strbuf_addf(o->b, "%" PRId64, n);
}

void json_bool_value(struct json_out *o, bool b)
{
	json_raw_value(o, b ? STR("true") : STR("false"));
}

void json_null_value(struct json_out *o)
{
	json_raw_value(o, STR("null"));
}

void json_raw_value(struct json_out *o, struct str raw)
{
	assert(raw.n > 0);
	begin_value(o);
	strbuf_add(o->b, raw);
}

void json_put_str(struct json_out *o, const char *key, struct str s)
{
	json_key(o, key);
	json_str_value(o, s);
}

void json_put_i64(struct json_out *o, const char *key, int64_t n)
{
	json_key(o, key);
	json_i64_value(o, n);
}

void json_put_bool(struct json_out *o, const char *key, bool b)
{
	json_key(o, key);
	json_bool_value(o, b);
}

void json_put_raw(struct json_out *o, const char *key, struct str raw)
{
	json_key(o, key);
	json_raw_value(o, raw);
}

void json_quote(struct strbuf *b, struct str s)
{
	quote_json(b, s);
}
