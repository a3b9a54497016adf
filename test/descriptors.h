/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which descriptors are open. Every cmocka case is looked at by itself; this is for who runs a part
 * of one in a process of its own.
 */
#ifndef TEST_DESCRIPTORS_H
#define TEST_DESCRIPTORS_H

#include <stdbool.h>

void descriptors_note(void); /* what is open now */

/* Whether just these are open; what is not as it was is told. Forgets them. */
bool descriptors_as_noted(void);

#endif
