/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing buffer. It doubles, so that adding byte by byte is linear.
 */
#include "base/strbuf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { SMALLEST = 64 };

void strbuf_fini(struct strbuf *b)
{
	free(b->p);
	*b = (struct strbuf)STRBUF_INIT;
}

void strbuf_reset(struct strbuf *b)
{
	strbuf_truncate(b, 0);
}

void strbuf_reserve(struct strbuf *b, size_t more)
{
	size_t need;

	if (__builtin_add_overflow(b->n, more, &need) || __builtin_add_overflow(need, 1, &need))
		abort();
	if (need <= b->cap)
		return;
	b->cap = MAX(need, MAX(b->cap * 2, (size_t)SMALLEST));
	b->p = mem_realloc(b->p, b->cap);
	b->p[b->n] = '\0';
}

void strbuf_add(struct strbuf *b, struct str s)
{
	strbuf_reserve(b, s.n);
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	b->p[b->n] = '\0';
}

void strbuf_addc(struct strbuf *b, char c)
{
	strbuf_reserve(b, 1);
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strbuf_addv(b, fmt, args);
	va_end(args);
}

void strbuf_addv(struct strbuf *b, const char *fmt, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	strbuf_reserve(b, 0);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, args);
	assert(n >= 0);
	if ((size_t)n >= b->cap - b->n) {
		strbuf_reserve(b, (size_t)n);
		n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
		assert(n >= 0);
	}
	va_end(again);
	b->n += (size_t)n;
}

void strbuf_extend(struct strbuf *b, size_t n)
{
	assert(n < b->cap - b->n);
	b->n += n;
	b->p[b->n] = '\0';
}

void strbuf_consume(struct strbuf *b, size_t n)
{
	assert(n <= b->n);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	strbuf_truncate(b, b->n - n);
}

void strbuf_truncate(struct strbuf *b, size_t n)
{
	assert(n <= b->n);
	b->n = n;
	if (b->p)
		b->p[n] = '\0';
}

char *strbuf_take(struct strbuf *b)
{
	char *p;

	strbuf_reserve(b, 0);
	p = b->p;
	*b = (struct strbuf)STRBUF_INIT;
	return p;
}
