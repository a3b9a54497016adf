/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags of a table as --help shows them.
 */
#include "cli/flags.h"

#define HELP_COLUMN 34
#define HELP_WIDTH  96

static void add_form(const struct flag *flag, struct strbuf *out)
{
	if (flag->letter)
		strbuf_addf(out, "  -%c, --%s", flag->letter, flag->name);
	else
		strbuf_addf(out, "      --%s", flag->name);
	if (flag->alias)
		strbuf_addf(out, ", --%s", flag->alias);
	if (flag->value)
		strbuf_addf(out, " %s", flag->value);
}

/* "What it does: spread, binpack or random (repeatable) (default spread) [$NAME]" */
static void add_meaning(const struct flag *flag, struct strbuf *out)
{
	strbuf_add(out, str_from(flag->help));
	for (size_t i = 0; flag->choices && flag->choices[i]; i++)
		strbuf_addf(out, "%s %s", i == 0 ? ":" : ",", flag->choices[i]);
	if (flag->type == FLAG_LIST)
		strbuf_add(out, STR(" (repeatable)"));
	if (flag->fallback)
		strbuf_addf(out, " (default %s)", flag->fallback);
	if (flag->env)
		strbuf_addf(out, " [$%s]", flag->env);
}

static void pad(struct strbuf *out, size_t n)
{
	strbuf_addf(out, "%*s", (int)n, "");
}

/* Breaks between words; `column` is where the line is now. */
static void add_wrapped(struct str text, size_t column, struct strbuf *out)
{
	struct str word;

	while (str_next(&text, ' ', &word)) {
		if (column > HELP_COLUMN && column + 1 + word.n > HELP_WIDTH) {
			strbuf_addc(out, '\n');
			pad(out, HELP_COLUMN);
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			strbuf_addc(out, ' ');
			column++;
		}
		strbuf_add(out, word);
		column += word.n;
	}
	strbuf_addc(out, '\n');
}

void flags_help(const struct flag *flags, struct strbuf *out)
{
	for (; flags->name; flags++) {
		_cleanup_(strbuf_fini) struct strbuf form = STRBUF_INIT, meaning = STRBUF_INIT;

		add_form(flags, &form);
		strbuf_add(out, strbuf_str(&form));
		if (form.n + 2 > HELP_COLUMN) {
			strbuf_addc(out, '\n');
			form.n = 0;
		}
		pad(out, HELP_COLUMN - form.n);
		add_meaning(flags, &meaning);
		add_wrapped(strbuf_str(&meaning), HELP_COLUMN, out);
	}
}
