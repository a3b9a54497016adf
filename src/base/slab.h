/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for the many small things that live as long as the pool does (containers, the nodes of
 * indexes), apart from what requests take and give back all the time: mixed in one heap, the ones
 * keep whole pages of the others from ever being free. Pages go back when nothing is left in them.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>

#define SLAB_LARGEST 4096 /* what is larger comes from the heap */

void *slab_alloc(size_t n);	   /* aligned to 8 bytes, not zeroed; never NULL */
void slab_free(void *p, size_t n); /* n as it was asked for; NULL is fine */

size_t slab_mapped(void); /* bytes of all slabs */
bool slab_is_heap(void);  /* this build takes all from the heap, for AddressSanitizer */

#endif
