/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log that an operator reads: a line on stderr for each thing that happened, as text or as a
 * JSON object, with named fields. Libraries return errors; only cli/, api/ and long-lived loops
 * log above debug. Never a secret: no X-Registry-Auth, no environment value, no token.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
	const char *key; /* NULL ends a list */
	struct str text;
	int64_t number;
	bool is_number;
};

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);
/* Where lines go instead of stderr (a test's ear); NULL puts stderr back. `line` has no newline. */
void log_set_sink(void (*sink)(enum log_level level, struct str line, void *arg), void *arg);
/* Replaces the wall clock that stamps lines (the simulation's); ns since 1970. */
void log_set_clock(int64_t (*now)(void));
bool log_level_parse(struct str name, enum log_level *ret);
bool log_enabled(enum log_level level);

void log_write(enum log_level level, const char *msg, const struct log_field *fields);

/*
 *   log_info("node is healthy", LOG_STR("node", e->name), LOG_NUM("containers", n));
 *   time="2026-11-22T06:29:35.120Z" level=info msg="node is healthy" node=node-1 containers=3
 * A field with a NULL string (STR_NONE) is left out.
 */
#define LOG_STR(k, s)  ((struct log_field){ .key = (k), .text = (s) })
#define LOG_CSTR(k, s) LOG_STR(k, str_from(s))
#define LOG_NUM(k, v)  ((struct log_field){ .key = (k), .number = (v), .is_number = true })
#define LOG_ERR(e)     LOG_CSTR("error", error_message(e))

#define log_at(level, msg, ...)                                                                   \
	do {                                                                                      \
		if (log_enabled(level))                                                           \
			log_write(level, msg,                                                     \
				  (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } }); \
	} while (0)

#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

#endif
