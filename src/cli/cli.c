/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From argv to a command: the flags that stand before it, the help texts, and how an error is
 * shown. What a command does is in its cmd_<name>.c.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/version.h"
#include "fiber/offload.h"

struct global_options {
	bool debug, experimental, help, version;
	const char *log_level, *log_format;
};

static const char *const log_levels[] = { "debug", "info", "warn", "error", "fatal", NULL };
static const char *const log_formats[] = { "text", "json", NULL };

#define AT(member) .at = offsetof(struct global_options, member)

const struct flag global_flags[] = {
	{ .name = "debug",
	  .type = FLAG_SWITCH,
	  AT(debug),
	  .help = "Log all, as --log-level debug does" },
	{ .name = "log-level",
	  .letter = 'l',
	  .type = FLAG_TEXT,
	  AT(log_level),
	  .fallback = "info",
	  .value = "LEVEL",
	  .choices = log_levels,
	  .help = "What to log, and all that is worse" },
	{ .name = "log-format",
	  .type = FLAG_TEXT,
	  AT(log_format),
	  .fallback = "text",
	  .value = "FORMAT",
	  .choices = log_formats,
	  .help = "How to log" },
	{ .name = "experimental",
	  .type = FLAG_SWITCH,
	  AT(experimental),
	  .help = "Accepted for old scripts; changes nothing" },
	{ .name = "help", .letter = 'h', .type = FLAG_SWITCH, AT(help), .help = "Show help" },
	{ .name = "version",
	  .letter = 'v',
	  .type = FLAG_SWITCH,
	  AT(version),
	  .help = "Show the version" },
	{ 0 },
};

const struct command *const cli_commands[] = {
	&command_create, &command_list, &command_manage, &command_join, &command_discovery, NULL,
};

/* Everything about one run of the program. */
struct run {
	struct global_options global;
	struct flag_group groups[2]; /* the global ones, then the command's */
	const struct command *command;
	struct texts words;
	struct arena arena;
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct command *c = cli_commands[i];

		if (strcmp(c->name, name) == 0 || (c->alias && strcmp(c->alias, name) == 0))
			return c;
	}
	return NULL;
}

static struct error *print(const struct strbuf *text)
{
	if (fwrite(text->p, 1, text->n, stdout) != text->n || fflush(stdout) != 0)
		return error_new(ERR_INTERNAL, "cannot write to stdout");
	return NULL;
}

static struct error *print_overview(void)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	strbuf_add(&out,
		   STR("Usage: swarm [FLAGS] COMMAND\n\n"
		       "One Docker host out of many: serves the Docker API for a pool of them.\n\n"
		       "Commands:\n"));
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct command *c = cli_commands[i];

		strbuf_addf(&out, "  %s%s%-*s%s\n", c->name, c->alias ? ", " : "",
			    (int)(16 - strlen(c->name) - (c->alias ? 2 : 0)),
			    c->alias ? c->alias : "", c->summary);
	}
	strbuf_addf(&out, "  %-16s%s\n", "help [COMMAND]", "Show this, or the help of a command");
	strbuf_add(&out, STR("\nFlags:\n"));
	flags_help(global_flags, &out);
	strbuf_add(&out, STR("\nThe flags of a command: swarm COMMAND --help\n"));
	return print(&out);
}

static struct error *print_command(const struct command *c)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "Usage: swarm %s %s\n\n%s.\n", c->name, c->synopsis, c->summary);
	if (c->alias)
		strbuf_addf(&out, "Short: swarm %s\n", c->alias);
	if (c->details)
		strbuf_addf(&out, "\n%s", c->details);
	strbuf_add(&out, STR("\nFlags:\n"));
	flags_help(c->flags, &out);
	strbuf_add(&out, STR("\nFlags of all commands:\n"));
	flags_help(global_flags, &out);
	return print(&out);
}

static struct error *print_version(void)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "swarm version %s\n", swarm_version);
	return print(&out);
}

static struct error *unknown_command(const char *name)
{
	return error_new(ERR_INVALID, "there is no command \"%s\"; swarm help lists them", name);
}

/* swarm help, swarm help COMMAND. */
static struct error *help(struct run *r)
{
	const struct texts words = r->words;
	const struct command *c;

	TRY(flags_parse(r->groups, 1, (int)words.n, (char **)words.v, false, &r->arena, &r->words));
	if (r->words.n == 0)
		return print_overview();
	if (r->words.n > 1)
		return error_new(ERR_INVALID, "help takes one command, but there is \"%s\" too",
				 r->words.v[1]);
	c = find_command(r->words.v[0]);
	return c ? print_command(c) : unknown_command(r->words.v[0]);
}

static void set_up_log(const struct global_options *o)
{
	enum log_level level = LOG_INFO;

	log_level_parse(str_from(o->log_level), &level);
	log_set_level(o->debug ? LOG_DEBUG : level);
	log_set_format(strcmp(o->log_format, "json") == 0 ? LOG_JSON : LOG_TEXT);
}

static struct error *run_command(struct run *r)
{
	const struct texts words = r->words;

	r->groups[1] = (struct flag_group){
		.flags = r->command->flags,
		.values = arena_zalloc(&r->arena, r->command->options_size),
	};
	TRY(flags_parse(r->groups, 2, (int)words.n, (char **)words.v, false, &r->arena, &r->words));
	if (r->global.help)
		return print_command(r->command);
	if (r->global.version)
		return print_version();
	TRY(flags_complete(r->groups, 2, &r->arena));
	set_up_log(&r->global);
	offload_start();
	return r->command->run(r->groups[1].values, &r->words);
}

static struct error *run(struct run *r, int argc, char **argv)
{
	r->groups[0] = (struct flag_group){ .flags = global_flags, .values = &r->global };
	TRY(flags_parse(r->groups, 1, argc, argv, true, &r->arena, &r->words));
	if (r->global.version)
		return print_version();
	if (r->words.n == 0)
		return print_overview();
	if (strcmp(r->words.v[0], "help") == 0 || strcmp(r->words.v[0], "h") == 0)
		return help(r);
	r->command = find_command(r->words.v[0]);
	if (!r->command)
		return unknown_command(r->words.v[0]);
	return run_command(r);
}

/* One line, whatever was in the arguments that it quotes. */
static void print_error(const struct run *r, const struct error *err)
{
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;

	for (const char *p = error_message(err); *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			strbuf_addf(&line, "\\x%02x", (unsigned int)*p);
		else
			strbuf_addc(&line, *p);
	}
	fprintf(stderr, "swarm%s%s: %.*s\n", r->command ? " " : "",
		r->command ? r->command->name : "", STR_ARG(strbuf_str(&line)));
}

int cli_main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *err = NULL;
	struct run r = { 0 };

	err = run(&r, argc, argv);
	if (err)
		print_error(&r, err);
	arena_fini(&r.arena);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
