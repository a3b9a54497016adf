/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The alphabet of HTTP/1.1 (RFC 9110, 5.6) and the words for what breaks it: shared by the codec's
 * files, private to http/.
 */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

bool http_is_tchar(char c);
int http_hex_digit(char c);	       /* its value; -1: it is none */
bool http_is_token(struct str s);      /* at least one tchar, nothing else */
bool http_is_field_text(struct str s); /* no control character but TAB */

/* "what: "culprit"", the culprit quoted and at most its first 60 bytes. */
struct error *http_malformed(enum error_kind kind, const char *what, struct str culprit) must_check;

#endif
