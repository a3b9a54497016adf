/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The budget is counted and not timed, so that a simulation replays it: PCRE2 calls back before
 * each item of a pattern that it tries, and the callback counts. The interpreter runs on heap
 * frames under a limit; the JIT is left alone, since it knows neither limit and needs writable
 * code. What PCRE2 allocates comes from the caller's arena.
 */
#include "docker/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/limits.h"

/*
 * A step takes some 20 ns. So a pattern may take 1 ms at once, and 40 ms over 10,000 names of 20
 * characters; an ordinary one takes a tenth of that.
 */
#define STEPS_AT_ONCE  50000
#define STEPS_PER_TEXT 100
#define STEPS_PER_BYTE 4

#define HEAP_KIB 512
#define NESTING	 50

struct pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	uint32_t steps; /* left to spend */
	uint64_t taken; /* ever */
	bool exceeded;
};

static void *from_arena(PCRE2_SIZE n, void *arena)
{
	return arena_alloc(arena, n);
}

static void to_arena(void *p, void *arena)
{
	(void)p;
	(void)arena;
}

static int count_step(pcre2_callout_block *block, void *arg)
{
	struct pattern *p = arg;

	(void)block;
	if (p->steps == 0)
		return PCRE2_ERROR_MATCHLIMIT;
	p->steps--;
	p->taken++;
	return 0;
}

static must_check struct error *compile_error(int code, PCRE2_SIZE at)
{
	PCRE2_UCHAR why[128];

	pcre2_get_error_message(code, why, sizeof(why));
	return error_new(ERR_INVALID, "%s at character %zu", (char *)why, at);
}

struct error *pattern_new(struct str text, struct arena *arena, struct pattern **ret)
{
	/* UTF-8 and a $ that is the very end: as Go has them. */
	const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
				 PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
	struct pattern *p = arena_new(arena, struct pattern);
	pcre2_general_context *memory;
	pcre2_compile_context *limits;
	PCRE2_SIZE at;
	int code;

	if (text.n > LIMIT_PATTERN)
		return error_over_limit(ERR_INVALID, "it is longer than %zu bytes",
					(size_t)LIMIT_PATTERN);

	memory = pcre2_general_context_create(from_arena, to_arena, arena);
	limits = pcre2_compile_context_create(memory);
	pcre2_set_parens_nest_limit(limits, NESTING);
	p->code = pcre2_compile((PCRE2_SPTR)(text.n ? text.p : ""), text.n, options, &code, &at,
				limits);
	if (!p->code)
		return compile_error(code, at);

	p->data = pcre2_match_data_create(1, memory);
	p->context = pcre2_match_context_create(memory);
	pcre2_set_heap_limit(p->context, HEAP_KIB);
	pcre2_set_callout(p->context, count_step, p);
	p->steps = STEPS_AT_ONCE;
	*ret = p;
	return NULL;
}

bool pattern_find(struct pattern *p, struct str text)
{
	int rc;

	if (p->exceeded)
		return false;

	p->steps =
		(uint32_t)MIN(STEPS_AT_ONCE, p->steps + STEPS_PER_TEXT + STEPS_PER_BYTE * text.n);
	rc = pcre2_match(p->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, 0, 0, p->data,
			 p->context);
	if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
	    rc == PCRE2_ERROR_DEPTHLIMIT)
		p->exceeded = true;
	return rc >= 0;
}

bool pattern_exceeded(const struct pattern *p)
{
	return p->exceeded;
}

uint64_t pattern_steps(const struct pattern *p)
{
	return p->taken;
}
