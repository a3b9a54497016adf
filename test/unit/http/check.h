/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of http/ assert beyond cmocka's own.
 */
#ifndef TEST_HTTP_CHECK_H
#define TEST_HTTP_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"

/* Takes err. */
#define assert_ok(err)                                              \
	do {                                                        \
		struct error *_err = (err);                         \
		if (_err)                                           \
			fail_msg("error: %s", error_message(_err)); \
	} while (0)

/* Takes err. `message` NULL: any. */
#define assert_error(err, kind, message)                                    \
	do {                                                                \
		_cleanup_(error_freep) struct error *_err = (err);          \
		const char *_message = (message);                           \
		assert_non_null(_err);                                      \
		if (_message)                                               \
			assert_string_equal(error_message(_err), _message); \
		assert_int_equal(error_kind(_err), kind);                   \
	} while (0)

#define assert_str(got, want)                                                                  \
	do {                                                                                   \
		struct str _got = (got), _want = (want);                                       \
		if (!str_eq(_got, _want))                                                      \
			fail_msg("got \"%.*s\", not \"%.*s\"", STR_ARG(_got), STR_ARG(_want)); \
	} while (0)

#endif
