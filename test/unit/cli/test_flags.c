/* SPDX-License-Identifier: Apache-2.0 */
/* cli/flags.c and cli/help.c, on a table of each kind of flag. */
#include "unit/testing.h"

#include <stdlib.h>

#include "base/duration.h"
#include "cli/flags.h"

struct values {
	bool quiet, tls, tls_verify;
	struct texts hosts, filters;
	const char *strategy, *advertise;
	int64_t heartbeat;
	unsigned int retry;
};

static const char *const strategies[] = { "spread", "binpack", "random", NULL };
static const char *const filters[] = { "health", "port", NULL };

static struct error *check_colon(const char *value)
{
	return strchr(value, ':') ? NULL : error_new(ERR_INVALID, "it has no colon");
}

#define AT(member) .at = offsetof(struct values, member)

static const struct flag table[] = {
	{ .name = "quiet", .letter = 'q', .type = FLAG_SWITCH, AT(quiet), .help = "Say less" },
	{ .name = "tls", .type = FLAG_SWITCH, AT(tls), .help = "Use TLS" },
	{ .name = "tlsverify", .type = FLAG_SWITCH, AT(tls_verify), .help = "And verify" },
	{ .name = "host",
	  .letter = 'H',
	  .type = FLAG_LIST,
	  AT(hosts),
	  .env = "TEST_HOST",
	  .fallback = "here:1",
	  .value = "ADDRESS",
	  .takes = "host:port",
	  .check = check_colon,
	  .help = "Where to listen" },
	{ .name = "filter",
	  .letter = 'f',
	  .type = FLAG_LIST,
	  AT(filters),
	  .value = "NAME",
	  .choices = filters,
	  .help = "What rules out" },
	{ .name = "strategy",
	  .type = FLAG_TEXT,
	  AT(strategy),
	  .fallback = "spread",
	  .value = "NAME",
	  .choices = strategies,
	  .help = "How to choose" },
	{ .name = "advertise",
	  .alias = "addr",
	  .type = FLAG_TEXT,
	  AT(advertise),
	  .env = "TEST_ADVERTISE",
	  .value = "HOST:PORT",
	  .takes = "host:port",
	  .check = check_colon,
	  .help = "Where others reach this one, which is said at such a length that the line "
		  "has to be broken" },
	{ .name = "heartbeat",
	  .type = FLAG_DURATION,
	  AT(heartbeat),
	  .fallback = "60s",
	  .min = SECOND,
	  .value = "SPAN",
	  .help = "How often" },
	{ .name = "a-flag-with-a-very-long-name",
	  .type = FLAG_COUNT,
	  AT(retry),
	  .env = "TEST_RETRY",
	  .fallback = "3",
	  .min = 1,
	  .value = "N",
	  .help = "How many" },
	{ 0 },
};

#define RETRY "a-flag-with-a-very-long-name"

/* One run: a command line of words parted by spaces, and what came of it. */
struct parsed {
	struct arena arena;
	struct flag_group group;
	struct values values;
	struct texts words;
};

static void parsed_fini(struct parsed *p)
{
	arena_fini(&p->arena);
}

static struct error *parse(struct parsed *p, const char *line, bool stop)
{
	struct str rest = str_from(line), word;
	char **argv;
	int argc = 1;

	*p = (struct parsed){ .group = { .flags = table } };
	p->group.values = &p->values;
	argv = arena_new_array(&p->arena, char *, strlen(line) + 3);
	argv[0] = arena_cstr(&p->arena, STR("swarm"));
	while (line[0] != '\0' && str_next(&rest, ' ', &word))
		argv[argc++] = arena_cstr(&p->arena, word);
	TRY(flags_parse(&p->group, 1, argc, argv, stop, &p->arena, &p->words));
	return flags_complete(&p->group, 1, &p->arena);
}

static void add_texts(struct strbuf *out, const struct texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? "," : "", texts->v[i]);
	if (texts->v)
		assert_null(texts->v[texts->n]);
}

/* All values in one line. */
static void show(const struct parsed *p, struct strbuf *out)
{
	const struct values *v = &p->values;

	strbuf_addf(out, "%c%c%c H=", v->quiet ? 'q' : '-', v->tls ? 't' : '-',
		    v->tls_verify ? 'v' : '-');
	add_texts(out, &v->hosts);
	strbuf_add(out, STR(" f="));
	add_texts(out, &v->filters);
	strbuf_addf(out, " s=%s a=%s b=", v->strategy, v->advertise ? v->advertise : "");
	duration_format(v->heartbeat, out);
	strbuf_addf(out, " r=%u |", v->retry);
	for (size_t i = 0; i < p->words.n; i++)
		strbuf_addf(out, " %s", p->words.v[i]);
}

static int clear_env(_unused_ void **state)
{
	unsetenv("TEST_HOST");
	unsetenv("TEST_ADVERTISE");
	unsetenv("TEST_RETRY");
	return 0;
}

static void reads_command_lines(_unused_ void **state)
{
	static const struct {
		const char *line, *shown;
	} cases[] = {
		{ "", "--- H=here:1 f= s=spread a= b=1m0s r=3 |" },
		{ "--quiet --tls", "qt- H=here:1 f= s=spread a= b=1m0s r=3 |" },
		{ "-q", "q-- H=here:1 f= s=spread a= b=1m0s r=3 |" },
		{ "-quiet -tls -tlsverify", "qtv H=here:1 f= s=spread a= b=1m0s r=3 |" },
		{ "--tls=true --quiet=1", "qt- H=here:1 f= s=spread a= b=1m0s r=3 |" },
		{ "--tls --tls=false", "--- H=here:1 f= s=spread a= b=1m0s r=3 |" },
		/* Every way to write a value. */
		{ "--strategy random", "--- H=here:1 f= s=random a= b=1m0s r=3 |" },
		{ "--strategy=random", "--- H=here:1 f= s=random a= b=1m0s r=3 |" },
		{ "-strategy random", "--- H=here:1 f= s=random a= b=1m0s r=3 |" },
		{ "-strategy=random", "--- H=here:1 f= s=random a= b=1m0s r=3 |" },
		{ "-H a:1", "--- H=a:1 f= s=spread a= b=1m0s r=3 |" },
		{ "-Ha:1", "--- H=a:1 f= s=spread a= b=1m0s r=3 |" },
		{ "-H=a:1", "--- H=a:1 f= s=spread a= b=1m0s r=3 |" },
		{ "-H tcp://a:1?x=y", "--- H=tcp://a:1?x=y f= s=spread a= b=1m0s r=3 |" },
		{ "--addr x:1", "--- H=here:1 f= s=spread a=x:1 b=1m0s r=3 |" },
		{ "--addr=x:1=y", "--- H=here:1 f= s=spread a=x:1=y b=1m0s r=3 |" },
		/*
		 * A list gathers, and what is given replaces the default; of others the last
		 * counts.
		 */
		{ "-H a:1 --host b:2 -H=c:3", "--- H=a:1,b:2,c:3 f= s=spread a= b=1m0s r=3 |" },
		{ "-f health --filter=port",
		  "--- H=here:1 f=health,port s=spread a= b=1m0s r=3 |" },
		{ "--strategy random --strategy binpack",
		  "--- H=here:1 f= s=binpack a= b=1m0s r=3 |" },
		{ "--heartbeat 1m30s --" RETRY " 7", "--- H=here:1 f= s=spread a= b=1m30s r=7 |" },
		{ "--heartbeat 1s", "--- H=here:1 f= s=spread a= b=1s r=3 |" },
		/* Words before, between and behind; -- ends the flags. */
		{ "one -q two", "q-- H=here:1 f= s=spread a= b=1m0s r=3 | one two" },
		{ "-- -q", "--- H=here:1 f= s=spread a= b=1m0s r=3 | -q" },
		{ "-q - x", "q-- H=here:1 f= s=spread a= b=1m0s r=3 | - x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(parsed_fini) struct parsed p;
		_cleanup_(strbuf_fini) struct strbuf shown = STRBUF_INIT;

		assert_ok(parse(&p, cases[i].line, false));
		show(&p, &shown);
		assert_buf(shown, cases[i].shown);
	}
}

static void stops_at_the_first_word(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;
	_cleanup_(strbuf_fini) struct strbuf shown = STRBUF_INIT;

	assert_ok(parse(&p, "-q manage --unknown -H x", true));
	show(&p, &shown);
	assert_buf(shown, "q-- H=here:1 f= s=spread a= b=1m0s r=3 | manage --unknown -H x");
}

static void refuses_command_lines(_unused_ void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "--nope", "there is no flag --nope" },
		{ "-nope", "there is no flag -nope" },
		{ "-x", "there is no flag -x" },
		{ "-qx", "there is no flag -x" },
		{ "--nope=1", "there is no flag --nope=1" },
		/* getopt would take each as short for the one flag that it can be. */
		{ "--strat random", "there is no flag --strat" },
		{ "--strat=random", "there is no flag --strat" },
		{ "--quie", "there is no flag --quie" },
		{ "-heart 1s", "there is no flag --heart" },
		{ "--t", "there is no flag --t" },
		{ "--strategy", "--strategy needs a value: it takes spread, binpack or random" },
		{ "-H", "--host needs a value: it takes host:port" },
		{ "--addr", "--advertise needs a value: it takes host:port" },
		{ "--heartbeat",
		  "--heartbeat needs a value: it takes a duration such as 1m30s, at least 1s" },
		{ "--strategy best", "--strategy takes spread, binpack or random, not \"best\"" },
		{ "--strategy=", "--strategy takes spread, binpack or random, not \"\"" },
		{ "-f nope", "--filter takes health or port, not \"nope\"" },
		{ "-f health,port", "--filter takes health or port, not \"health,port\"" },
		{ "-H here", "--host takes host:port, not \"here\": it has no colon" },
		{ "-H=", "--host takes host:port, not \"\": it has no colon" },
		{ "--heartbeat 5",
		  "--heartbeat takes a duration such as 1m30s, at least 1s, not \"5\"" },
		{ "--heartbeat 999ms", "at least 1s, not \"999ms\"" },
		{ "--heartbeat -1m", "at least 1s, not \"-1m\"" },
		{ "--" RETRY " 0", "--" RETRY " takes a whole number, at least 1, not \"0\"" },
		{ "--" RETRY " -1", "at least 1, not \"-1\"" },
		{ "--" RETRY " 1.5", "at least 1, not \"1.5\"" },
		{ "--" RETRY " 4294967296", "at least 1, not \"4294967296\"" },
		{ "--tls=maybe", "--tls takes no value (or =true, =false), not \"maybe\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(parsed_fini) struct parsed p;

		assert_err(parse(&p, cases[i].line, false), ERR_INVALID, cases[i].why);
	}
}

static void assert_shown(const char *line, const char *expected)
{
	_cleanup_(parsed_fini) struct parsed p;
	_cleanup_(strbuf_fini) struct strbuf shown = STRBUF_INIT;

	assert_ok(parse(&p, line, false));
	show(&p, &shown);
	assert_buf(shown, expected);
}

static void reads_the_environment(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;

	setenv("TEST_HOST", "a:1, b:2", 1);
	setenv("TEST_ADVERTISE", "x:9", 1);
	setenv("TEST_RETRY", "", 1);
	assert_shown("", "--- H=a:1,b:2 f= s=spread a=x:9 b=1m0s r=3 |");
	assert_shown("-H c:1 --advertise y:8", "--- H=c:1 f= s=spread a=y:8 b=1m0s r=3 |");

	setenv("TEST_ADVERTISE", "nine", 1);
	assert_err(parse(&p, "", false), ERR_INVALID,
		   "$TEST_ADVERTISE takes host:port, not \"nine\": it has no colon");
	parsed_fini(&p);
	assert_shown("--advertise y:8", "--- H=a:1,b:2 f= s=spread a=y:8 b=1m0s r=3 |");
	setenv("TEST_RETRY", "no", 1);
	assert_err(parse(&p, "--addr y:8", false), ERR_INVALID, "$TEST_RETRY takes a whole number");
}

static void knows_what_was_given(_unused_ void **state)
{
	_cleanup_(parsed_fini) struct parsed p;

	setenv("TEST_ADVERTISE", "x:9", 1);
	assert_ok(parse(&p, "--quiet --strategy spread", false));
	for (size_t i = 0; table[i].name; i++) {
		const bool expected = i == 0 || strcmp(table[i].name, "strategy") == 0 ||
				      strcmp(table[i].name, "advertise") == 0;

		assert_int_equal(p.group.given >> i & 1, expected);
	}
}

static void shows_help(_unused_ void **state)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	flags_help(table, &out);
	assert_buf(
		out,
		"  -q, --quiet                     Say less\n"
		"      --tls                       Use TLS\n"
		"      --tlsverify                 And verify\n"
		"  -H, --host ADDRESS              Where to listen (repeatable) (default here:1) "
		"[$TEST_HOST]\n"
		"  -f, --filter NAME               What rules out: health, port (repeatable)\n"
		"      --strategy NAME             How to choose: spread, binpack, random (default "
		"spread)\n"
		"      --advertise, --addr HOST:PORT\n"
		"                                  Where others reach this one, which is said at "
		"such a length\n"
		"                                  that the line has to be broken "
		"[$TEST_ADVERTISE]\n"
		"      --heartbeat SPAN            How often (default 60s)\n"
		"      --a-flag-with-a-very-long-name N\n"
		"                                  How many (default 3) [$TEST_RETRY]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_command_lines, clear_env),
		cmocka_unit_test_setup(stops_at_the_first_word, clear_env),
		cmocka_unit_test_setup(refuses_command_lines, clear_env),
		cmocka_unit_test_setup(reads_the_environment, clear_env),
		cmocka_unit_test_setup(knows_what_was_given, clear_env),
		cmocka_unit_test(shows_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
