/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values are compared byte for byte, in full; only a regex finds its text anywhere, as it did in
 * the original Swarm.
 */
#include "scheduler/match.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "docker/pattern.h"

/*
 * What is counted, in ns: for a text that it is fetched, and what setting out costs; a step of a
 * regex; and 1 for a turn of a glob's loop.
 */
#define GLOB_TIME  100
#define REGEX_TIME 250
#define STEP_TIME  20

/* False where that is more than is left: the answer is no then, and the request is refused. */
static bool spend(struct match *m, int64_t time)
{
	if (!m->left)
		return true;
	m->exceeded |= time > *m->left;
	*m->left -= MIN(time, *m->left);
	return !m->exceeded;
}

/*
 * Each star takes as little as it can; a later one may take the rest, so one step back is enough.
 */
static bool glob_find(struct str glob, struct str text, int64_t *turns)
{
	size_t g = 0, t = 0, after_star = 0, resume = 0;
	bool starred = false;

	for (; *turns > 0 && t < text.n; --*turns) {
		if (g < glob.n && glob.p[g] == '*') {
			starred = true;
			after_star = ++g;
			resume = t;
		} else if (g < glob.n && glob.p[g] == text.p[t]) {
			g++;
			t++;
		} else if (starred) {
			g = after_star;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n && t == text.n;
}

static bool glob_test(struct match *m, struct str glob, struct str text)
{
	int64_t most, turns;
	bool found;

	if (!spend(m, GLOB_TIME))
		return false;
	most = turns = m->left ? *m->left + 1 : INT64_MAX;
	found = glob_find(glob, text, &turns);
	return spend(m, most - turns) && found;
}

static bool is_regex(struct str value)
{
	return value.n >= 2 && value.p[0] == '/' && value.p[value.n - 1] == '/';
}

static must_check struct error *compile(struct match *m, struct str value)
{
	if (value.n == 0)
		return error_new(ERR_INVALID, "it is empty");
	if (is_regex(value)) {
		m->kind = MATCH_REGEX;
		m->text = str_of(value.p + 1, value.n - 2);
		m->memory = mem_new(struct arena);
		return pattern_new(m->text, m->memory, &m->pattern);
	}
	if (value.n > LIMIT_PATTERN)
		return error_over_limit(ERR_INVALID, "it is longer than %d bytes", LIMIT_PATTERN);
	m->kind = str_has_char(value, '*') ? MATCH_GLOB : MATCH_PLAIN;
	return NULL;
}

struct error *match_init(struct match *m, struct str value)
{
	struct error *err;

	*m = (struct match){ .text = value };
	err = compile(m, value);
	if (err)
		match_fini(m);
	return error_wrap(err, "Value '%.*s' is invalid", STR_ARG(str_first(value, 256)));
}

void match_fini(struct match *m)
{
	if (m->memory)
		arena_fini(m->memory);
	free(m->memory);
	node_set_fini(&m->found);
	m->memory = NULL;
	m->pattern = NULL;
}

void match_begin(struct match *m, int64_t *left)
{
	m->found.known = false;
	m->left = left;
}

static bool regex_test(struct match *m, struct str text)
{
	const uint64_t before = pattern_steps(m->pattern);
	bool found = spend(m, REGEX_TIME) && pattern_find(m->pattern, text);

	m->exceeded |= pattern_exceeded(m->pattern);
	return spend(m, STEP_TIME * (int64_t)(pattern_steps(m->pattern) - before)) && found;
}

bool match_test(struct match *m, struct str text)
{
	switch (m->kind) {
	case MATCH_PLAIN:
		return str_eq(m->text, text);
	case MATCH_GLOB:
		return glob_test(m, m->text, text);
	case MATCH_REGEX:
		return regex_test(m, text);
	}
	return false;
}

bool match_test_any(struct match *m, struct str text)
{
	struct str rest = m->text, part;

	if (m->kind == MATCH_REGEX)
		return regex_test(m, text);
	while (str_next(&rest, '|', &part))
		if (glob_test(m, part, text))
			return true;
	return false;
}
