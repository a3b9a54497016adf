/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes that are part of our types, and the few macros that every file may use.
 * Not a place for helpers: anything with behaviour has a file of its own.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

/*
 * A failure that is not looked at is a defect: every function that returns an error carries this.
 */
#define must_check __attribute__((warn_unused_result))

/*
 * The function can park its fiber: anything may have changed when it returns. tools/check-suspend
 * proves on clang's AST that whoever calls such a function is marked too.
 */
#ifdef __clang__
#define may_suspend __attribute__((annotate("may_suspend")))
#else
#define may_suspend
#endif

#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
/* Leaving the scope is a use, which clang does not see: so no warning that there is none. */
#define _cleanup_(fn) __attribute__((cleanup(fn), unused))
#define _noreturn_    __attribute__((noreturn))
#define _unused_      __attribute__((unused))

/* Hands over what a variable owns: the variable is NULL afterwards, so its cleanup does nothing. */
#define take(p)                           \
	({                                \
		__auto_type _taken = (p); \
		(p) = NULL;               \
		_taken;                   \
	})

/* Defines `void fn_p(type **)` for _cleanup_(fn_p) out of a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, fn)                      \
	static inline _unused_ void fn##p(type *slot) \
	{                                             \
		fn(*slot);                            \
	}

#define container_of(ptr, type, member)                                             \
	({                                                                          \
		const __typeof__(((type *)0)->member) *_member = (ptr);             \
		(type *)(void *)((char *)(void *)_member - offsetof(type, member)); \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

#endif
