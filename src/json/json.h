/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as a flat index over the text that it came from: strict (RFC 8259, depth up to
 * LIMIT_JSON_DEPTH), lossless, in one pass. What an engine would take is taken: keys that stand
 * twice, and bytes that are no UTF-8 and escapes of half a surrogate pair, which read as U+FFFD, as
 * in Go. Values are small handles into the index; they borrow
 * the text and the arena. A missing value is a handle too (json_missing), and asking it anything
 * answers the neutral thing, so getters can be chained: json_get(json_get(v, "HostConfig"),
 * "Memory").
 *
 * This is the only reader of JSON in the program. Changing a text is json/edit.h, making one
 * json/build.h.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum json_type {
	JSON_MISSING,
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_index; /* opaque: the text and its tokens */

struct json {
	const struct json_index *index;
	uint32_t at;
};

/*
 * Reads the whole of text (white space around one value allowed). The index is in the arena; text
 * is borrowed and must live as long. Texts of 2 GiB or more are refused. ERR_INVALID says what is
 * wrong and at which byte, in words fit for a client.
 */
must_check struct error *json_parse(struct str text, struct arena *arena, struct json *ret);

/*
 * For streams of values written one after the other (an engine's events, progress): how many bytes
 * the first value of text takes, with white space before it. 0: it is not complete yet.
 * ERR_INVALID: it cannot become a value. Linear when called again with more: keep *state (begin
 * with a zeroed one; reset it to zero after each value).
 */
struct json_scan {
	size_t scanned;
	uint32_t depth;
	bool in_string, escaped, in_scalar, started;
};
must_check struct error *json_scan_value(struct str text, struct json_scan *state, size_t *ret_n);

enum json_type json_type(struct json v);
struct str json_raw(struct json v); /* its text, byte for byte; STR_NONE where missing */

static inline bool json_exists(struct json v)
{
	return v.index != NULL;
}

/* A member of an object by its exact key, the last where it stands twice; missing otherwise. */
struct json json_get(struct json object, const char *key);

/*
 * As Go's encoding/json finds a struct's field, which is what an engine does with a request body:
 * the last member whose key is the same but for the case of ASCII letters (for Go, U+017F is a form
 * of s and U+212A one of k).
 */
struct json json_field(struct json object, const char *key);

/* json_get along "HostConfig.PortBindings": keys without dots only. */
struct json json_path(struct json v, const char *path);

size_t json_count(struct json v);		    /* members or items; 0 for all else */
struct json json_item(struct json array, size_t i); /* walks: use json_iter for all of them */

struct json_iter {
	const struct json_index *index;
	uint32_t next, end;
	bool object;
};
struct json_iter json_iter(struct json v); /* over members or items, in the order of the text */
/* The key is decoded as by json_str, STR_NONE for items; NULL if not wanted. */
bool json_next(struct json_iter *it, struct str *ret_key, struct json *ret_value);

/*
 * A string's value; "" where it is none. Borrowed from the text where it reads as it stands there,
 * else decoded anew at each call, into the arena of the parse.
 */
struct str json_str(struct json v);
struct str json_get_str(struct json object, const char *key);
bool json_str_eq(struct json v, struct str text);

/* false where it is no number, no integer (1.5; but 1.0 and 1e3 are), or does not fit. */
bool json_to_i64(struct json v, int64_t *ret);
bool json_to_u64(struct json v, uint64_t *ret);
int64_t json_get_i64(struct json object, const char *key, int64_t otherwise);
bool json_to_double(struct json v, double *ret);
bool json_is_true(struct json v);
bool json_get_bool(struct json object, const char *key); /* false where missing */

/* Same value: numbers by their text, objects without regard to the order of members. */
bool json_equal(struct json a, struct json b);

#endif
