/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of flags of all commands: sound in themselves, and true to the manual page. */
#include "unit/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "cli/cli.h"
#include "cli/version.h"

static struct strbuf manual;

static int read_manual(_unused_ void **state)
{
	FILE *f = fopen("docs/swarm.1", "r");
	int c;

	if (!f)
		return -1;
	while ((c = fgetc(f)) != EOF)
		strbuf_addc(&manual, (char)c);
	return fclose(f);
}

static int free_manual(_unused_ void **state)
{
	strbuf_fini(&manual);
	return 0;
}

static struct str word_key(const void *item)
{
	return *(const struct str *)item;
}

/* Remembers what stands behind each Fl in the part of the manual that begins with this title. */
static void flags_in_manual(const char *title, struct arena *arena, struct map *ret)
{
	_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
	struct str rest, line, word;
	bool after_fl = false;
	ptrdiff_t at;

	strbuf_addf(&head, "\n.Ss %s", title);
	at = str_find(strbuf_str(&manual), strbuf_str(&head));
	assert_true(at >= 0);
	rest = str_skip(strbuf_str(&manual), (size_t)at + head.n);
	while (str_next(&rest, '\n', &line) && !str_starts(line, STR(".Ss")) &&
	       !str_starts(line, STR(".Sh"))) {
		if (!str_starts(line, STR(".It")))
			continue;
		while (str_next(&line, ' ', &word)) {
			if (after_fl) {
				struct str *item = arena_new(arena, struct str);

				*item = str_strip_prefix(word, STR("-"));
				map_put(ret, item);
			}
			after_fl = str_eq(word, STR("Fl"));
		}
	}
}

static void assert_documented(const struct flag *flags, const char *title)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(map_fini) struct map found = MAP_INIT(word_key);

	flags_in_manual(title, &arena, &found);
	for (; flags->name; flags++) {
		if (!map_get(&found, str_from(flags->name)) ||
		    (flags->alias && !map_get(&found, str_from(flags->alias))) ||
		    (flags->letter && !map_get(&found, str_of(&flags->letter, 1))))
			fail_msg("the manual's part \"%s\" does not tell all of --%s", title,
				 flags->name);
	}
}

static void the_manual_has_all_flags(_unused_ void **state)
{
	assert_documented(global_flags, "Flags of all commands");
	assert_documented(command_manage.flags, "swarm manage");
	assert_documented(command_list.flags, "swarm list");
	assert_documented(command_create.flags, "swarm create");
	assert_documented(command_join.flags, "swarm join");
	assert_documented(command_discovery.flags, "swarm discovery");
}

static bool has_name(const struct flag *flags, struct str name)
{
	for (; flags->name; flags++) {
		if (str_eq(name, str_from(flags->name)) || str_eq(name, str_from(flags->alias)) ||
		    str_eq(name, str_of(&flags->letter, 1)))
			return true;
	}
	return false;
}

static bool any_has_name(struct str name)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		if (has_name(cli_commands[i]->flags, name))
			return true;
	}
	return has_name(global_flags, name);
}

static void the_manual_has_no_other_flags(_unused_ void **state)
{
	static const char *const titles[] = { "Flags of all commands", "swarm manage", "swarm list",
					      "swarm create" };

	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(map_fini) struct map found = MAP_INIT(word_key);
		const struct str *name;

		flags_in_manual(titles[i], &arena, &found);
		assert_true(found.n > 0);
		for (size_t pos = 0; (name = map_next(&found, &pos));) {
			if (!any_has_name(*name))
				fail_msg("there is no flag %.*s", STR_ARG(*name));
		}
	}
}

static void check_row(const struct flag *flag, bool *letters)
{
	const bool needs_value = flag->type != FLAG_SWITCH;

	assert_true(strlen(flag->name) > 1);
	assert_int_equal(flag->value != NULL, needs_value);
	assert_false(str_ends(str_from(flag->help), STR(".")));
	if (flag->type == FLAG_TEXT || flag->type == FLAG_LIST)
		assert_true(flag->takes || flag->choices);
	if (flag->letter) {
		assert_false(letters[(unsigned char)flag->letter]);
		letters[(unsigned char)flag->letter] = true;
	}
}

/* Of the command's flags and the global ones, which stand beside them. */
static void check_command(const struct command *c)
{
	const struct flag *tables[] = { global_flags, c->flags };
	bool letters[256] = { false };
	char *argv[] = { (char[]){ "swarm" }, NULL };
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct texts words;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (const struct flag *f = tables[t]; f->name; f++) {
			size_t same = 0;

			check_row(f, letters);
			for (const struct flag *g = global_flags; g->name; g++)
				same += strcmp(f->name, g->name) == 0;
			for (const struct flag *g = c->flags; g->name; g++)
				same += strcmp(f->name, g->name) == 0 ||
					(g->alias && strcmp(f->name, g->alias) == 0);
			assert_int_equal(same, 1);
		}
	}

	/* Defaults are good values. */
	struct flag_group group = { .flags = c->flags,
				    .values = arena_zalloc(&arena, c->options_size) };

	assert_ok(flags_parse(&group, 1, 1, argv, false, &arena, &words));
	assert_ok(flags_complete(&group, 1, &arena));
	assert_int_equal(group.given, 0);
}

static void tables_are_sound(_unused_ void **state)
{
	for (size_t i = 0; cli_commands[i]; i++)
		check_command(cli_commands[i]);
}

static void the_version_has_three_numbers(_unused_ void **state)
{
	int major, minor, patch, end = 0;

	assert_int_equal(sscanf(swarm_version, "%d.%d.%d%n", &major, &minor, &patch, &end), 3);
	assert_int_equal(end, (int)strlen(swarm_version));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_has_all_flags),
		cmocka_unit_test(the_manual_has_no_other_flags),
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(the_version_has_three_numbers),
	};

	unsetenv("SWARM_HOST");
	unsetenv("SWARM_ADVERTISE");
	unsetenv("SWARM_TOKEN_SERVICE");
	return cmocka_run_group_tests(tests, read_manual, free_manual);
}
