/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table against the Docker API, path by path (v1.51-paths.txt), and against docs/api.md, where
 * it is printed. SWARM_WRITE_DOCS=1 writes the document anew.
 */
#include "unit/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/routes.h"
#include "base/mem.h"

#define PATHS	 "test/unit/api/v1.51-paths.txt"
#define DOCUMENT "docs/api.md"
#define BEGIN	 "<!-- The table is printed from src/api/routes.c. -->\n"
#define END	 "<!-- The end of the table. -->\n"

static void read_text(const char *path, struct strbuf *ret)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	do {
		strbuf_reserve(ret, 65536);
		n = fread(ret->p + ret->n, 1, 65536, f);
		strbuf_extend(ret, n);
	} while (n > 0);
	fclose(f);
}

/* "/images/{name}/json" with every name in braces replaced. */
static void fill_names(struct str pattern, const char *with, struct strbuf *out)
{
	struct str before, rest = pattern, name;

	while (str_cut(rest, '{', &before, &rest)) {
		strbuf_add(out, before);
		strbuf_add(out, str_from(with));
		str_cut(rest, '}', &name, &rest);
	}
	strbuf_add(out, before);
}

static bool is_served(struct str method, struct str pattern)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT, wanted = STRBUF_INIT;
	_cleanup_(strbuf_fini) struct strbuf found = STRBUF_INIT;
	const struct route *route;
	struct str name;

	fill_names(pattern, "x", &path);
	fill_names(pattern, "{}", &wanted);
	route = route_find(method, strbuf_str(&path), &name);
	if (!route)
		return false;
	fill_names(str_from(route->pattern), "{}", &found);
	return str_eq(strbuf_str(&found), strbuf_str(&wanted));
}

static void test_every_path_of_the_api_has_a_row(_unused_ void **state)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str rest, line, method, pattern;
	size_t n = 0, missing = 0;

	read_text(PATHS, &text);
	rest = strbuf_str(&text);
	while (str_next(&rest, '\n', &line)) {
		if (!str_cut(line, ' ', &method, &pattern))
			continue;
		n++;
		if (is_served(method, pattern))
			continue;
		print_error("no row for %.*s\n", STR_ARG(line));
		missing++;
	}
	assert_int_equal(n, 107);
	assert_int_equal(missing, 0);
}

static const char *const kinds[] = {
	[ROUTE_MEMORY] = "from memory",	   [ROUTE_PROXIED] = "the node that has it",
	[ROUTE_ANY] = "some healthy node", [ROUTE_ALL] = "all nodes",
	[ROUTE_PLACED] = "a chosen node",  [ROUTE_REFUSED] = "refused",
};

static void print_table(struct strbuf *out)
{
	strbuf_add(out, STR("| request | answered by | what differs from one engine |\n"
			    "| --- | --- | --- |\n"));
	for (size_t i = 0; i < n_routes; i++)
		strbuf_addf(out, "| `%s %s` | %s | %s |\n", routes[i].method, routes[i].pattern,
			    kinds[routes[i].kind], routes[i].note ? routes[i].note : "");
}

static void write_text(const char *path, struct str text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
}

static void test_the_document_is_the_table(_unused_ void **state)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, wanted = STRBUF_INIT;
	ptrdiff_t begin, end;

	read_text(DOCUMENT, &text);
	begin = str_find(strbuf_str(&text), STR(BEGIN));
	end = str_find(strbuf_str(&text), STR(END));
	assert_true(begin >= 0 && end > begin);
	strbuf_add(&wanted, str_first(strbuf_str(&text), (size_t)begin + strlen(BEGIN)));
	print_table(&wanted);
	strbuf_add(&wanted, str_skip(strbuf_str(&text), (size_t)end));
	if (getenv("SWARM_WRITE_DOCS"))
		write_text(DOCUMENT, strbuf_str(&wanted));
	else if (!str_eq(strbuf_str(&text), strbuf_str(&wanted)))
		fail_msg("%s is not what the table says: run this test with SWARM_WRITE_DOCS=1",
			 DOCUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_path_of_the_api_has_a_row),
		cmocka_unit_test(test_the_document_is_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
