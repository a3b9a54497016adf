/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of time as int64 nanoseconds, written and read as Go does (`1m30s`, `500ms`, `1.5h`), and
 * points in time as int64 nanoseconds since 1970, written and read as RFC 3339.
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

#define NANOSECOND  ((int64_t)1)
#define MICROSECOND (1000 * NANOSECOND)
#define MILLISECOND (1000 * MICROSECOND)
#define SECOND	    (1000 * MILLISECOND)
#define MINUTE	    (60 * SECOND)
#define HOUR	    (60 * MINUTE)

/* ERR_INVALID quotes the text and says what is taken. "0" needs no unit; a sign is allowed. */
must_check struct error *duration_parse(struct str text, int64_t *ret);
void duration_format(int64_t span, struct strbuf *out); /* "1m30s", as Go prints it */

/*
 * "Less than a second", "2 minutes", "About an hour": the words of `docker ps`, as Docker's
 * go-units HumanDuration gives them.
 */
void duration_format_human(int64_t span, struct strbuf *out);

/*
 * 2026-11-22T06:29:35.123456789Z, with offsets too; false where it is not that. A time that int64
 * cannot hold (Docker's "0001-01-01T00:00:00Z" for never) is INT64_MIN or INT64_MAX.
 */
bool time_parse_rfc3339(struct str text, int64_t *ret_unix_ns);
void time_format_rfc3339(int64_t unix_ns, struct strbuf *out);	    /* whole seconds, Z */
void time_format_rfc3339_nano(int64_t unix_ns, struct strbuf *out); /* fraction without end zeros */

#endif
