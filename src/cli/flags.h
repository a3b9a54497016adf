/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags of a command as a table, from which come its parsing, its checks and its --help.
 * Each row says where in the command's struct of options its value goes.
 *
 *   static const struct flag list_flags[] = {
 *           { .name = "timeout", .type = FLAG_DURATION, .at = offsetof(struct list_options, timeout),
 *             .value = "SPAN", .fallback = "10s", .help = "How long the look-up may take" },
 *           { 0 },
 *   };
 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/strbuf.h"

enum flag_type {
	FLAG_SWITCH,   /* bool: --x, --x=false */
	FLAG_TEXT,     /* const char *; NULL where it is not there */
	FLAG_LIST,     /* struct texts; each time the flag stands adds one */
	FLAG_DURATION, /* int64_t, ns, as Go writes it: 1m30s */
	FLAG_COUNT,    /* unsigned int */
};

/* Some texts, with a NULL behind the last. All zero is none. */
struct texts {
	const char *const *v;
	size_t n;
};

struct flag {
	const char *name;  /* long, without dashes; NULL ends a table */
	const char *alias; /* another long one, or NULL */
	char letter;	   /* 0: none */
	enum flag_type type;
	size_t at;	      /* offset of the value in the options */
	const char *env;      /* where the value comes from when no flag gives it, or NULL */
	const char *fallback; /* the default, as it would be written; NULL: none */
	const char *value;    /* what --help calls the value: "HOST:PORT". NULL for switches */
	const char *const *choices; /* all that it can be, with a NULL behind; NULL: anything */
	int64_t min;		    /* of a duration or count */
	/* Says what is wrong with a value by its form alone; its message needs no flag's name. */
	struct error *(*check)(const char *value);
	const char *takes; /* in errors: "host:port"; needed for texts and lists without choices */
	const char *help;
};

#define FLAGS_MAX 64 /* rows of a table */

struct flag_group {
	const struct flag *flags;
	void *values;	/* the struct that flag.at is in; all zero before */
	uint64_t given; /* bit i: flags[i] was on the command line or in the environment */
};

/*
 * Reads argv[1] and what follows into the values of the groups, whose names are all different;
 * what is no flag is answered as words. Flags may stand behind words, unless `stop` is set: then
 * the first word ends it, and the words are all that is left. Long flags may have one dash, as in
 * scripts for the original. ERR_INVALID names the flag and what it takes. Orders argv anew;
 * the values borrow from it, and lists live in the arena.
 */
must_check struct error *flags_parse(struct flag_group *groups, size_t n, int argc, char **argv,
				     bool stop, struct arena *arena, struct texts *ret_words);

/* Fills in what flags_parse was not given: from the environment, else the default. */
must_check struct error *flags_complete(struct flag_group *groups, size_t n, struct arena *arena);

/* Two columns: what to write, and what it does. */
void flags_help(const struct flag *flags, struct strbuf *out);

#endif
