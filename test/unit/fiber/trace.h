/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fibers of a test did, in the order in which they did it, as a string to compare.
 */
#ifndef TEST_FIBER_TRACE_H
#define TEST_FIBER_TRACE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/strbuf.h"

static struct strbuf trace_text;

static inline void trace(const char *word)
{
	if (trace_text.n > 0)
		strbuf_addc(&trace_text, ' ');
	strbuf_add(&trace_text, str_from(word));
}

/* "name: ok", "name: cancelled" or "name: timeout"; frees err. */
static inline void trace_end(const char *name, struct error *err)
{
	const char *word = error_is(err, ERR_CANCELLED) ? "cancelled"
			   : error_is(err, ERR_TIMEOUT) ? "timeout"
			   : err			? error_message(err)
							: "ok";

	if (trace_text.n > 0)
		strbuf_addc(&trace_text, ' ');
	strbuf_addf(&trace_text, "%s:%s", name, word);
	error_free(err);
}

/* Compares and forgets. */
#define assert_trace(expected)                                                   \
	do {                                                                     \
		assert_string_equal(trace_text.p ? trace_text.p : "", expected); \
		strbuf_fini(&trace_text);                                        \
	} while (0)

#define assert_ok(expr)                                                 \
	do {                                                            \
		struct error *_err = (expr);                            \
		if (_err)                                               \
			fail_msg("%s: %s", #expr, error_message(_err)); \
	} while (0)

#define assert_fails(expr, kind)                   \
	do {                                       \
		struct error *_err = (expr);       \
		assert_true(error_is(_err, kind)); \
		error_free(_err);                  \
	} while (0)

#endif
