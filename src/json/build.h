/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a strbuf. Commas and quotes are its affair; nesting is the caller's (asserted).
 *
 *   struct json_out o = json_out(&buf);
 *   json_begin_object(&o);
 *   json_put_str(&o, "Id", id);
 *   json_key(&o, "Names"); json_begin_array(&o); json_str_value(&o, name); json_end_array(&o);
 *   json_end_object(&o);
 */
#ifndef JSON_BUILD_H
#define JSON_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "json/json.h"

struct json_out {
	struct strbuf *b;
	bool comma; /* a comma is due before the next value or key */
	int depth;
};

struct json_out json_out(struct strbuf *b);

void json_begin_object(struct json_out *o);
void json_end_object(struct json_out *o);
void json_begin_array(struct json_out *o);
void json_end_array(struct json_out *o);
void json_key(struct json_out *o, const char *key);
void json_key_str(struct json_out *o, struct str key);

void json_str_value(struct json_out *o, struct str s);
void json_i64_value(struct json_out *o, int64_t n);
void json_bool_value(struct json_out *o, bool b);
void json_null_value(struct json_out *o);
void json_raw_value(struct json_out *o, struct str raw); /* JSON text that is valid already */

/* A key and its value. */
void json_put_str(struct json_out *o, const char *key, struct str s);
void json_put_i64(struct json_out *o, const char *key, int64_t n);
void json_put_bool(struct json_out *o, const char *key, bool b);
void json_put_raw(struct json_out *o, const char *key, struct str raw);

/* The string with quotes and escapes; invalid UTF-8 becomes U+FFFD, as Go writes it. */
void json_quote(struct strbuf *b, struct str s);

#endif
