/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in double quotes: for JSON, and for a line that people read.
 */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include "base/strbuf.h"

/* As Go's encoding/json without HTML escapes: invalid UTF-8 becomes \ufffd. */
void quote_json(struct strbuf *b, struct str s);

/* As Go's %q, so that nothing in it can end the line or move a cursor: invalid UTF-8 as \xff. */
void quote_text(struct strbuf *b, struct str s);

#endif
