/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `filters` parameter: what was read is written so that it reads the same, and matching any
 * text against it ends soon.
 */
#include <stdlib.h>

#include "docker/event.h"
#include "docker/filters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct filters *f, struct arena *arena)
{
	struct filters again;

	if (filters_parse(filters_format(f, "", arena), arena, &again))
		abort();
	for (size_t i = 0; i < again.n; i++)
		for (size_t j = 0; j < again.v[i].n; j++)
			if (!filters_have(f, arena_cstr(arena, again.v[i].key),
					  again.v[i].values[j]) &&
			    memchr(again.v[i].key.p, 0, again.v[i].key.n) == NULL)
				abort();
}

static void match(const struct filters *f, struct str text, struct arena *arena)
{
	static const struct event_node node = { .name = STR_INIT("n"), .id = STR_INIT("i") };
	struct docker_event ev;

	for (size_t i = 0; i < f->n; i++) {
		const char *key = arena_cstr(arena, f->v[i].key);

		if (filters_match_exact(f, key, text) && !filters_match_regex(f, key, text))
			abort();
	}
	error_free(filters_check_patterns(f));
	if (docker_event_read(STR("{\"Type\":\"image\",\"Actor\":{\"ID\":\"a:b\",\"Attributes\":"
				  "{\"name\":\"a\",\"k\":\"v\"}}}"),
			      arena, &ev))
		abort();
	(void)docker_event_match(&ev, &node, f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = str_of((const char *)data, size);
	struct filters f;
	struct error *err = filters_parse(text, &arena, &f);

	if (!err) {
		check_written(&f, &arena);
		match(&f, str_first(text, 300), &arena);
	} else if (!error_is(err, ERR_INVALID)) {
		abort();
	}
	error_free(err);
	return 0;
}
