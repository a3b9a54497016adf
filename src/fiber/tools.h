/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AddressSanitizer, LeakSanitizer and valgrind must be told so that they understand fibers.
 * All of it is empty in a plain build. Private to fiber/.
 */
#ifndef FIBER_TOOLS_H
#define FIBER_TOOLS_H

#include <stddef.h>

#include "base/attr.h"

#if defined(__SANITIZE_ADDRESS__)
#define TOOLS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TOOLS_ASAN 1
#endif
#endif

#ifdef TOOLS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define TOOLS_VALGRIND 1
#endif

#define TOOLS_LAST_FRAMES 16384 /* bytes */

/* LeakSanitizer does not look into mapped memory by itself. */
static inline unsigned tools_stack_add(_unused_ const char *low, _unused_ size_t size)
{
#ifdef TOOLS_ASAN
	__lsan_register_root_region(low, size);
#endif
#ifdef TOOLS_VALGRIND
	return VALGRIND_STACK_REGISTER(low, low + size);
#else
	return 0;
#endif
}

/*
 * A fiber's last frames never return, so that their redzones would stay for the next fiber. Those
 * are at the top: to clean the shadow of a whole stack would map pages that no frame ever touched.
 */
static inline void tools_stack_clean(_unused_ const char *low, _unused_ size_t size)
{
#ifdef TOOLS_ASAN
	__asan_unpoison_memory_region(low + size - TOOLS_LAST_FRAMES, TOOLS_LAST_FRAMES);
#endif
}

static inline void tools_stack_remove(_unused_ const char *low, _unused_ size_t size,
				      _unused_ unsigned valgrind_id)
{
#ifdef TOOLS_ASAN
	tools_stack_clean(low, size);
	__lsan_unregister_root_region(low, size);
#endif
#ifdef TOOLS_VALGRIND
	VALGRIND_STACK_DEREGISTER(valgrind_id);
#endif
}

/* Before a switch to the stack at `low`; a NULL `save` says that this side never runs again. */
static inline void tools_switch_start(_unused_ void **save, _unused_ const void *low,
				      _unused_ size_t size)
{
#ifdef TOOLS_ASAN
	__sanitizer_start_switch_fiber(save, low, size);
#endif
}

/* First thing after a switch: where the side that left was. */
static inline void tools_switch_finish(_unused_ void *saved, _unused_ const void **ret_low,
				       _unused_ size_t *ret_size)
{
#ifdef TOOLS_ASAN
	__sanitizer_finish_switch_fiber(saved, ret_low, ret_size);
#endif
}

#endif
