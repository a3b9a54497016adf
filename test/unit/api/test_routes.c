/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table against the Docker API, path by path (v1.51-paths.txt), and against docs/api.md, where
 * it is printed: by request, and by what each subcommand of `docker` asks (docker-commands.txt).
 * SWARM_WRITE_DOCS=1 writes the document anew.
 */
#include "unit/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/routes.h"
#include "base/mem.h"

#define PATHS	       "test/unit/api/v1.51-paths.txt"
#define COMMANDS       "test/unit/api/docker-commands.txt"
#define DOCUMENT       "docs/api.md"
#define BEGIN	       "<!-- The table is printed from src/api/routes.c. -->\n"
#define END	       "<!-- The end of the table. -->\n"
#define BEGIN_COMMANDS "<!-- The list is printed from " COMMANDS ". -->\n"
#define END_COMMANDS   "<!-- The end of the list. -->\n"

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

static const struct route *row_of(struct str request)
{
	struct str method, pattern;

	str_cut(request, ' ', &method, &pattern);
	for (size_t i = 0; i < n_routes; i++)
		if (str_eq(str_from(routes[i].method), method) &&
		    str_eq(str_from(routes[i].pattern), pattern))
			return &routes[i];
	fail_msg("%s: no row for %.*s", COMMANDS, STR_ARG(request));
	return NULL;
}

/* Behind what was said before, unless it was. */
static void say(struct strbuf *out, struct str words)
{
	if (str_empty(words) || str_find(strbuf_str(out), words) >= 0)
		return;
	if (out->n)
		strbuf_add(out, STR("; "));
	strbuf_add(out, words);
}

static void print_names(struct str names, struct strbuf *out)
{
	const char *before = "";
	struct str name;

	while (str_next(&names, ',', &name)) {
		strbuf_addf(out, "%s`%.*s`", before, STR_ARG(str_trim(name)));
		before = ", ";
	}
}

/* Refused where one of its requests is. */
static void print_command(struct str names, struct str requests, struct str extra,
			  struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf who = STRBUF_INIT, differs = STRBUF_INIT;
	struct str request;

	while (!str_empty(requests) && str_next(&requests, ',', &request)) {
		const struct route *row = row_of(str_trim(request));

		say(&who, str_from(kinds[row->kind]));
		say(&differs, str_from(row->note ? row->note : ""));
	}
	say(&differs, extra);
	strbuf_add(out, STR("| "));
	print_names(names, out);
	strbuf_addf(out, " | %.*s | %.*s |\n",
		    STR_ARG(who.n ? strbuf_str(&who) : STR("the command line itself")),
		    STR_ARG(strbuf_str(&differs)));
}

static void print_commands(struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str rest, line, names, requests, extra;

	read_text(COMMANDS, &text);
	rest = strbuf_str(&text);
	strbuf_add(out, STR("| `docker` | answered by | what differs from one engine |\n"
			    "| --- | --- | --- |\n"));
	while (str_next(&rest, '\n', &line)) {
		if (str_empty(line) || str_starts(line, STR("#")))
			continue;
		assert_true(str_cut(line, '|', &names, &requests));
		assert_true(str_cut(requests, '|', &requests, &extra));
		print_command(names, str_trim(requests), str_trim(extra), out);
	}
}

static void write_text(const char *path, struct str text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
}

/* What stands between the two lines is what `print` says, or is made so. */
static void check_printed(const char *begin_line, const char *end_line,
			  void (*print)(struct strbuf *out))
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, wanted = STRBUF_INIT;
	ptrdiff_t begin, end;

	read_text(DOCUMENT, &text);
	begin = str_find(strbuf_str(&text), str_from(begin_line));
	end = str_find(strbuf_str(&text), str_from(end_line));
	assert_true(begin >= 0 && end > begin);
	strbuf_add(&wanted, str_first(strbuf_str(&text), (size_t)begin + strlen(begin_line)));
	print(&wanted);
	strbuf_add(&wanted, str_skip(strbuf_str(&text), (size_t)end));
	if (getenv("SWARM_WRITE_DOCS"))
		write_text(DOCUMENT, strbuf_str(&wanted));
	else if (!str_eq(strbuf_str(&text), strbuf_str(&wanted)))
		fail_msg("%s is not what the table says: run this test with SWARM_WRITE_DOCS=1",
			 DOCUMENT);
}

static void test_the_document_is_the_table(_unused_ void **state)
{
	check_printed(BEGIN, END, print_table);
}

static void test_the_document_lists_the_commands(_unused_ void **state)
{
	check_printed(BEGIN_COMMANDS, END_COMMANDS, print_commands);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_path_of_the_api_has_a_row),
		cmocka_unit_test(test_the_document_is_the_table),
		cmocka_unit_test(test_the_document_lists_the_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
