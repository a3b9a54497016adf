/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmocka with what it wants included before it, and assertions on our own types.
 */
#ifndef UNIT_TESTING_H
#define UNIT_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

static inline void check_str(struct str s, const char *expected, const char *file, int line)
{
	if (str_eq(s, str_from(expected)))
		return;
	print_error("\"%.*s\" is not \"%s\"\n", STR_ARG(s), expected);
	_fail(file, line);
}

static inline void check_ok(struct error *err, const char *file, int line)
{
	if (!err)
		return;
	print_error("unexpected error: %s\n", error_message(err));
	error_free(err);
	_fail(file, line);
}

static inline void check_error(struct error *err, enum error_kind kind, const char *part,
			       const char *file, int line)
{
	_cleanup_(error_freep) struct error *owned = err;

	if (error_is(err, kind) && str_contains(str_from(error_message(err)), str_from(part)))
		return;
	print_error("the error is \"%s\" and not one of kind %d with \"%s\"\n",
		    err ? error_message(err) : "(none)", (int)kind, part);
	_fail(file, line);
}

#define assert_str(s, expected) check_str(s, expected, __FILE__, __LINE__)
#define assert_buf(b, expected) check_str(strbuf_str(&(b)), expected, __FILE__, __LINE__)
#define assert_ok(err)		check_ok(err, __FILE__, __LINE__)
/* Takes err: it has this kind, and its message has this text in it. */
#define assert_err(err, kind, part) check_error(err, kind, part, __FILE__, __LINE__)

#endif
