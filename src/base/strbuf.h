/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing run of bytes that owns its memory. Always has a NUL behind its content once anything
 * was added. Zero-initialised is valid and empty.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

struct strbuf {
	char *p;
	size_t n;
	size_t cap;
};

#define STRBUF_INIT        \
	{                  \
		NULL, 0, 0 \
	}

void strbuf_fini(struct strbuf *b);
void strbuf_reset(struct strbuf *b);		    /* empty, memory kept */
void strbuf_reserve(struct strbuf *b, size_t more); /* room for `more` bytes at b->p + b->n */
void strbuf_add(struct strbuf *b, struct str s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) printf_like(2, 3);
void strbuf_addv(struct strbuf *b, const char *fmt, va_list args) printf_like(2, 0);
void strbuf_extend(struct strbuf *b, size_t n);	  /* by n bytes that were written to that room */
void strbuf_consume(struct strbuf *b, size_t n);  /* drops the first n bytes */
void strbuf_truncate(struct strbuf *b, size_t n); /* keeps the first n bytes */
char *strbuf_take(struct strbuf *b);		  /* the caller frees; b is empty. Never NULL */

static inline struct str strbuf_str(const struct strbuf *b)
{
	return (struct str){ b->p, b->n };
}

#endif
