/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. Text is not
 * checked where it passes through, only where it is decoded or quoted.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

#define UTF8_REPLACEMENT 0xfffdu

/* How many bytes the character at the start of s has, 1 to 4; 0 where there is no valid one. */
size_t utf8_len(struct str s, uint32_t *ret_code);
bool utf8_valid(struct str s);
/* Writes at most 4 bytes and answers how many; surrogates become U+FFFD. */
size_t utf8_write(char *at, uint32_t code);

#endif
