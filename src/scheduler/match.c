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

/* Each star takes as little as it can; a later one may take the rest, so one step back is enough. */
static bool glob_test(struct str glob, struct str text)
{
	size_t g = 0, t = 0, after_star = 0, resume = 0;
	bool starred = false;

	while (t < text.n) {
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
	return g == glob.n;
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
		return error_new(ERR_INVALID, "it is longer than %d bytes", LIMIT_PATTERN);
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

void match_forget(struct match *m)
{
	m->found.known = false;
}

static bool regex_test(struct match *m, struct str text)
{
	bool found = pattern_find(m->pattern, text);

	m->exceeded = pattern_exceeded(m->pattern);
	return found;
}

bool match_test(struct match *m, struct str text)
{
	switch (m->kind) {
	case MATCH_PLAIN:
		return str_eq(m->text, text);
	case MATCH_GLOB:
		return glob_test(m->text, text);
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
		if (glob_test(part, text))
			return true;
	return false;
}
