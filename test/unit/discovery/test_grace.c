/* SPDX-License-Identifier: Apache-2.0 */
/* discovery/grace.c */
#include "heard.h"

#include <stdlib.h>

#include "base/mem.h"
#include "discovery/grace.h"

/* "a b" to the addresses a:1 and b:1 */
static struct discovery_entries entries(const char *hosts)
{
	struct discovery_entries e = { mem_realloc_array(NULL, 8, sizeof(struct addr)), 0 };
	struct str rest = str_from(hosts), host;

	while (str_next(&rest, ' ', &host)) {
		if (!str_empty(host)) {
			e.v[e.n] = (struct addr){ .kind = ADDR_TCP, .port = 1 };
			memcpy(e.v[e.n++].host, host.p, host.n);
		}
	}
	return e;
}

/* The engines that answer, one letter each; `arg` is the text. */
static bool answers(struct str addr, void *arg)
{
	return str_has_char(str_from(arg), addr.p[0]);
}

static void check_nodes(const struct grace *g, const char *hosts)
{
	_cleanup_(discovery_entries_fini) struct discovery_entries nodes = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, STR(""));
	grace_nodes(g, &nodes);
	for (size_t i = 0; i < nodes.n; i++)
		strbuf_addf(&text, "%s%s", i > 0 ? " " : "", nodes.v[i].host);
	assert_buf(text, hosts);
}

/* Listed at a time, with these engines answering: the nodes of the pool. */
static void listed(struct grace *g, int64_t now, const char *hosts, const char *answering,
		   const char *nodes)
{
	struct discovery_entries e = entries(hosts);

	grace_take(g, &e, now);
	assert_null(e.v);
	grace_judge(g, now, answers, (char *)answering);
	check_nodes(g, nodes);
}

static void without_an_outage_nothing_is_kept(_unused_ void **state)
{
	_cleanup_(grace_fini) struct grace g = { 0 };

	listed(&g, 0, "a b c", "abc", "a b c");
	listed(&g, 1, "b", "abc", "b");
	listed(&g, 2, "", "abc", "");
	assert_silent();
}

static void after_an_outage_who_answers_is_kept(_unused_ void **state)
{
	_cleanup_(grace_fini) struct grace g = { 0 };

	listed(&g, 0, "a b c d", "abcd", "a b c d");
	grace_note_outage(&g);
	check_nodes(&g, "a b c d");
	listed(&g, SECOND, "d", "ab", "d a b");
	assert_heard("nodes are missing after an outage");
	assert_heard("a node leaves");
	assert_heard("addr=\"c:1\"");
	/* They come back one by one, and another stops answering. */
	listed(&g, 2 * SECOND, "d b", "ab", "d b a");
	assert_false(grace_judge(&g, 3 * SECOND, answers, (char *)"a"));
	check_nodes(&g, "d b a");
	assert_true(grace_judge(&g, 4 * SECOND, answers, (char *)""));
	check_nodes(&g, "d b");
	/* Within the same time, one that leaves is kept too. */
	listed(&g, 5 * SECOND, "d", "b", "d b");
}

static void the_time_ends(_unused_ void **state)
{
	_cleanup_(grace_fini) struct grace g = { 0 };

	listed(&g, 0, "a", "a", "a");
	grace_note_outage(&g);
	grace_note_outage(&g);
	listed(&g, HOUR, "", "a", "a");
	assert_false(grace_judge(&g, HOUR + GRACE_TIME - 1, answers, (char *)"a"));
	check_nodes(&g, "a");
	assert_true(grace_judge(&g, HOUR + GRACE_TIME, answers, (char *)"a"));
	check_nodes(&g, "");
	assert_heard("nobody registered it again");
	listed(&g, 2 * HOUR, "b", "a", "b");
	listed(&g, 2 * HOUR, "", "b", "");
}

/* A store that goes away again and again gives new time each time it is back. */
static void outages_follow_each_other(_unused_ void **state)
{
	_cleanup_(grace_fini) struct grace g = { 0 };

	listed(&g, 0, "a b", "ab", "a b");
	for (int64_t now = 0; now < HOUR; now += MINUTE) {
		grace_note_outage(&g);
		listed(&g, now, "b", "a", "b a");
	}
	listed(&g, HOUR + GRACE_TIME, "b", "a", "b");
}

static void the_first_list_keeps_nobody(_unused_ void **state)
{
	_cleanup_(grace_fini) struct grace g = { 0 };

	grace_note_outage(&g);
	listed(&g, 0, "", "", "");
	listed(&g, 0, "a", "", "a");
	assert_silent();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ear_setup, ear_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_an_outage_nothing_is_kept),
		TEST(after_an_outage_who_answers_is_kept),
		TEST(the_time_ends),
		TEST(outages_follow_each_other),
		TEST(the_first_list_keeps_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
