/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 (RFC 4648). Reading takes both alphabets, with and without padding, since Docker's clients
 * send X-Registry-Auth and X-Registry-Config in all four forms.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/strbuf.h"

bool base64_decode(struct str text, struct strbuf *out);      /* false: not base64, out as it was */
void base64_encode(struct str bytes, struct strbuf *out);     /* standard alphabet, padded */
void base64_encode_url(struct str bytes, struct strbuf *out); /* URL alphabet, padded */

#endif
