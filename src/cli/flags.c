/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags over getopt_long_only, which knows long options with one dash, `--x v` and `--x=v`. What it
 * is too generous in (any abbreviation that is unique) is refused here.
 */
#include "cli/flags.h"

#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "base/duration.h"

/* Where a flag is: which group, which row. */
struct place {
	struct flag_group *group;
	size_t row;
};

struct parser {
	struct flag_group *groups;
	size_t n_groups;
	struct arena *arena;
	struct option *longs;
	struct place *places; /* of each of longs */
	size_t n_longs;
	struct strbuf letters; /* getopt's optstring */
};

/* What getopt_long answers for a long option: an index into longs above all letters. */
#define LONG_BASE 256

static const struct flag *place_flag(struct place p)
{
	return &p.group->flags[p.row];
}

static size_t count_rows(const struct flag *flags)
{
	size_t n = 0;

	while (flags[n].name)
		n++;
	assert(n <= FLAGS_MAX);
	return n;
}

static void add_long(struct parser *p, const char *name, struct place place)
{
	size_t i = p->n_longs++;
	bool is_switch = place_flag(place)->type == FLAG_SWITCH;

	p->longs[i] = (struct option){ .name = name,
				       .has_arg = is_switch ? optional_argument : required_argument,
				       .val = LONG_BASE + (int)i };
	p->places[i] = place;
}

static void add_flag(struct parser *p, struct place place)
{
	const struct flag *flag = place_flag(place);

	add_long(p, flag->name, place);
	if (flag->alias)
		add_long(p, flag->alias, place);
	if (!flag->letter)
		return;
	/* Also as a long one of one letter, for `-H=tcp://...`, which Go's flags take. */
	add_long(p, arena_cstr(p->arena, str_of(&flag->letter, 1)), place);
	strbuf_addf(&p->letters, "%c%s", flag->letter, flag->type == FLAG_SWITCH ? "" : ":");
}

/* "+" stops at the first word; ":" tells a missing value from an unknown flag. */
static void parser_init(struct parser *p, struct flag_group *groups, size_t n, bool stop,
			struct arena *arena)
{
	size_t rows = 0;

	*p = (struct parser){ .groups = groups, .n_groups = n, .arena = arena };
	for (size_t g = 0; g < n; g++)
		rows += count_rows(groups[g].flags);
	p->longs = arena_new_array(arena, struct option, 3 * rows + 1);
	p->places = arena_new_array(arena, struct place, 3 * rows + 1);
	strbuf_add(&p->letters, stop ? STR("+:") : STR(":"));
	for (size_t g = 0; g < n; g++) {
		for (size_t i = 0; groups[g].flags[i].name; i++)
			add_flag(p, (struct place){ &groups[g], i });
	}
}

static void parser_fini(struct parser *p)
{
	strbuf_fini(&p->letters);
}

static struct place find_letter(const struct parser *p, int letter)
{
	for (size_t i = 0; i < p->n_longs; i++) {
		if (place_flag(p->places[i])->letter == letter)
			return p->places[i];
	}
	abort(); /* getopt answers only letters that add_flag gave it */
}

/* "a duration of at least 1s, such as 1m30s" */
static void describe(const struct flag *flag, struct strbuf *out)
{
	if (flag->choices) {
		for (size_t i = 0; flag->choices[i]; i++) {
			if (i > 0)
				strbuf_add(out, flag->choices[i + 1] ? STR(", ") : STR(" or "));
			strbuf_add(out, str_from(flag->choices[i]));
		}
	} else if (flag->type == FLAG_DURATION) {
		strbuf_add(out, STR("a duration such as 1m30s"));
		if (flag->min > 0) {
			strbuf_add(out, STR(", at least "));
			duration_format(flag->min, out);
		}
	} else if (flag->type == FLAG_COUNT) {
		strbuf_addf(out, "a whole number, at least %" PRId64, flag->min);
	} else if (flag->type == FLAG_SWITCH) {
		strbuf_add(out, STR("no value (or =true, =false)"));
	} else {
		strbuf_add(out, str_from(flag->takes));
	}
}

static struct error *bad_value(const char *source, const struct flag *flag, const char *value,
			       struct error *why)
{
	_cleanup_(strbuf_fini) struct strbuf takes = STRBUF_INIT;
	_cleanup_(error_freep) struct error *reason = why;

	describe(flag, &takes);
	if (reason)
		return error_new(ERR_INVALID, "%s takes %s, not \"%s\": %s", source, takes.p, value,
				 error_message(reason));
	return error_new(ERR_INVALID, "%s takes %s, not \"%s\"", source, takes.p, value);
}

static bool is_choice(const struct flag *flag, const char *value)
{
	if (!flag->choices)
		return true;
	for (size_t i = 0; flag->choices[i]; i++) {
		if (strcmp(flag->choices[i], value) == 0)
			return true;
	}
	return false;
}

static bool read_switch(const char *value, bool *ret)
{
	struct str s = str_from(value);

	*ret = str_eq_nocase(s, STR("true")) || str_eq(s, STR("1"));
	return *ret || str_eq_nocase(s, STR("false")) || str_eq(s, STR("0"));
}

static bool read_duration(const struct flag *flag, const char *value, int64_t *ret)
{
	_cleanup_(error_freep) struct error *err = duration_parse(str_from(value), ret);

	return !err && *ret >= flag->min;
}

static bool read_count(const struct flag *flag, const char *value, unsigned int *ret)
{
	uint64_t n;

	if (!str_to_u64(str_from(value), &n) || n > UINT_MAX || (int64_t)n < flag->min)
		return false;
	*ret = (unsigned int)n;
	return true;
}

static void texts_add(struct texts *list, const char *text, struct arena *arena)
{
	const char **grown = arena_new_array(arena, const char *, list->n + 2);

	for (size_t i = 0; i < list->n; i++)
		grown[i] = list->v[i];
	grown[list->n] = text;
	*list = (struct texts){ grown, list->n + 1 };
}

/* `source` is how an error calls where the value came from: "--host", "$SWARM_HOST". */
static struct error *set_value(struct place place, const char *source, const char *value,
			       struct arena *arena)
{
	const struct flag *flag = place_flag(place);
	void *slot = (char *)place.group->values + flag->at;
	struct error *why = NULL;
	bool good = is_choice(flag, value);

	switch (flag->type) {
	case FLAG_SWITCH:
		good = read_switch(value, slot);
		break;
	case FLAG_DURATION:
		good = read_duration(flag, value, slot);
		break;
	case FLAG_COUNT:
		good = read_count(flag, value, slot);
		break;
	case FLAG_TEXT:
		*(const char **)slot = value;
		break;
	case FLAG_LIST:
		texts_add(slot, value, arena);
		break;
	}
	if (good && flag->check)
		why = flag->check(value);
	if (!good || why)
		return bad_value(source, flag, value, why);
	place.group->given |= UINT64_C(1) << place.row;
	return NULL;
}

/* The name on the command line of what getopt has just read: without dashes and `=value`. */
static struct str written_name(char *const *argv)
{
	/* A value that stood alone is itself the argument right before optind. */
	struct str name = str_from(argv[optind - 1 - (optarg && optarg == argv[optind - 1])]);
	struct str value;

	name = str_strip_prefix(str_strip_prefix(name, STR("-")), STR("-"));
	str_cut(name, '=', &name, &value);
	return name;
}

static struct error *unknown_flag(char *const *argv)
{
	if (optopt > 0 && optopt < LONG_BASE)
		return error_new(ERR_INVALID, "there is no flag -%c", optopt);
	return error_new(ERR_INVALID, "there is no flag %s", argv[optind - 1]);
}

static struct error *missing_value(const struct parser *p)
{
	struct place place =
		optopt < LONG_BASE ? find_letter(p, optopt) : p->places[optopt - LONG_BASE];
	_cleanup_(strbuf_fini) struct strbuf takes = STRBUF_INIT;

	describe(place_flag(place), &takes);
	return error_new(ERR_INVALID, "--%s needs a value: it takes %s", place_flag(place)->name,
			 takes.p);
}

/* One option that getopt has read. */
static struct error *take_option(const struct parser *p, int option, char *const *argv)
{
	_cleanup_(strbuf_fini) struct strbuf source = STRBUF_INIT;
	struct place place;

	if (option == '?')
		return unknown_flag(argv);
	if (option == ':')
		return missing_value(p);
	if (option < LONG_BASE) {
		place = find_letter(p, option);
	} else {
		place = p->places[option - LONG_BASE];
		if (!str_eq(written_name(argv), str_from(p->longs[option - LONG_BASE].name)))
			return error_new(ERR_INVALID, "there is no flag --%.*s",
					 STR_ARG(written_name(argv)));
	}
	strbuf_addf(&source, "--%s", place_flag(place)->name);
	return set_value(place, source.p, optarg ? optarg : "true", p->arena);
}

struct error *flags_parse(struct flag_group *groups, size_t n, int argc, char **argv, bool stop,
			  struct arena *arena, struct texts *ret_words)
{
	_cleanup_(parser_fini) struct parser p = { 0 };
	int option;

	parser_init(&p, groups, n, stop, arena);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((option = getopt_long_only(argc, argv, p.letters.p, p.longs, NULL)) != -1)
		TRY(take_option(&p, option, argv));
	*ret_words = (struct texts){ (const char *const *)argv + optind, (size_t)(argc - optind) };
	return NULL;
}

/* Commas part the values of a list in the environment, as they did for the original. */
static struct error *set_from_env(struct place place, const char *value, struct arena *arena)
{
	const struct flag *flag = place_flag(place);
	_cleanup_(strbuf_fini) struct strbuf source = STRBUF_INIT;
	struct str rest = str_from(value), part;

	strbuf_addf(&source, "$%s", flag->env);
	if (flag->type != FLAG_LIST)
		return set_value(place, source.p, value, arena);
	while (str_next(&rest, ',', &part))
		TRY(set_value(place, source.p, arena_cstr(arena, str_trim(part)), arena));
	return NULL;
}

static struct error *complete(struct place place, struct arena *arena)
{
	const struct flag *flag = place_flag(place);
	const char *value = flag->env ? getenv(flag->env) : NULL;
	uint64_t given = place.group->given;

	if (given & UINT64_C(1) << place.row)
		return NULL;
	if (value && value[0] != '\0')
		return set_from_env(place, value, arena);
	if (!flag->fallback)
		return NULL;
	TRY(set_value(place, flag->name, flag->fallback, arena));
	place.group->given = given; /* a default is not given */
	return NULL;
}

struct error *flags_complete(struct flag_group *groups, size_t n, struct arena *arena)
{
	for (size_t g = 0; g < n; g++) {
		for (size_t i = 0; groups[g].flags[i].name; i++)
			TRY(complete((struct place){ &groups[g], i }, arena));
	}
	return NULL;
}
