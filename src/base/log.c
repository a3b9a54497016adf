/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line for each thing that happened, in one write(2): lines of several processes that share a
 * stderr do not mix.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/quote.h"
#include "base/strbuf.h"

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info",   [LOG_WARN] = "warn",
	[LOG_ERROR] = "error", [LOG_FATAL] = "fatal",
};

static int64_t wall_clock(void);

static struct {
	enum log_level level;
	enum log_format format;
	void (*sink)(enum log_level level, struct str line, void *arg);
	void *sink_arg;
	int64_t (*now)(void);
} the_log = { .level = LOG_INFO, .format = LOG_TEXT, .now = wall_clock };

static int64_t wall_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

void log_set_level(enum log_level level)
{
	the_log.level = level;
}

void log_set_format(enum log_format format)
{
	the_log.format = format;
}

void log_set_sink(void (*sink)(enum log_level level, struct str line, void *arg), void *arg)
{
	the_log.sink = sink;
	the_log.sink_arg = arg;
}

void log_set_clock(int64_t (*now)(void))
{
	the_log.now = now ? now : wall_clock;
}

bool log_level_parse(struct str name, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (str_eq_nocase(name, str_from(level_names[i]))) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level >= the_log.level;
}

/* What logfmt readers take without quotes. */
static bool needs_no_quotes(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && !str_has_char(STR("-._/@^+"), c))
			return false;
	}
	return s.n > 0;
}

static void add_text(struct strbuf *line, const char *key, struct str text)
{
	if (the_log.format == LOG_JSON) {
		strbuf_addc(line, line->n ? ',' : '{');
		quote_json(line, str_from(key));
		strbuf_addc(line, ':');
		quote_json(line, text);
		return;
	}
	strbuf_addf(line, "%s%s=", line->n ? " " : "", key);
	if (needs_no_quotes(text))
		strbuf_add(line, text);
	else
		quote_text(line, text);
}

static void add_number(struct strbuf *line, const char *key, int64_t number)
{
	if (the_log.format == LOG_JSON) {
		strbuf_addc(line, ',');
		quote_json(line, str_from(key));
		strbuf_addf(line, ":%" PRId64, number);
	} else {
		strbuf_addf(line, " %s=%" PRId64, key, number);
	}
}

static void add_time(struct strbuf *line)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	int64_t now = the_log.now();

	/* Milliseconds, always three digits: times of lines stand below each other. */
	time_format_rfc3339(now, &text);
	strbuf_truncate(&text, text.n - 1);
	strbuf_addf(&text, ".%03dZ", (int)(((now % SECOND) + SECOND) % SECOND / MILLISECOND));
	add_text(line, "time", strbuf_str(&text));
}

static void write_stderr(struct strbuf *line)
{
	ssize_t n;

	strbuf_addc(line, '\n');
	do {
		n = write(STDERR_FILENO, line->p, line->n);
	} while (n < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields)
{
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;

	assert(level < ARRAY_LEN(level_names));
	add_time(&line);
	add_text(&line, "level", str_from(level_names[level]));
	add_text(&line, "msg", str_from(msg));
	for (; fields && fields->key; fields++) {
		if (fields->is_number)
			add_number(&line, fields->key, fields->number);
		else if (fields->text.p)
			add_text(&line, fields->key, fields->text);
	}
	if (the_log.format == LOG_JSON)
		strbuf_addc(&line, '}');

	if (the_log.sink)
		the_log.sink(level, strbuf_str(&line), the_log.sink_arg);
	else
		write_stderr(&line);
}
