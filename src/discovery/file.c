/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file:///path: an address a line. The file is read again when it changes. Its directory is what
 * is watched, so that a file which is replaced, or made later, is seen; and every heartbeat it is
 * read anyway, for what no watch sees (a link to elsewhere, a network's file system).
 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "discovery/backend.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/offload.h"
#include "fiber/watch.h"

/* After this long a file that was read empty, as one is in the middle of being written, counts. */
#define EMPTY_PAUSE SECOND

/* Where there is no directory to watch yet, it is looked for this often. */
#define NO_WATCH_PAUSE (5 * SECOND)

/* Who writes a file in several steps is given this long to finish. */
#define SETTLE_PAUSE (100 * MILLISECOND)

struct file {
	struct discovery base;
	char *path;
	struct file_watch *watch; /* NULL: its directory could not be watched (yet) */
	int64_t heartbeat;
	uint64_t seen; /* a hash of what it held when it was last read; 0: it could not be read */
};

void discovery_parse_lines(struct str text, struct arena *arena, struct vec *ret)
{
	struct str line, comment;

	text = str_strip_prefix(text, STR("\xef\xbb\xbf")); /* Windows' editors put it in front */
	while (str_next(&text, '\n', &line)) {
		str_cut(line, '#', &line, &comment);
		line = str_trim(line);
		if (!str_empty(line))
			discovery_push(arena, ret, line);
	}
}

static struct error *file_open(struct str rest, const struct discovery_options *options,
			       struct discovery **ret)
{
	struct file *file;

	if (str_empty(rest))
		return error_new(ERR_INVALID, "file:// needs the path of a file: file:///path");
	file = mem_new(struct file);
	file->path = str_dup(rest);
	file->heartbeat = options->heartbeat;
	*ret = &file->base;
	return NULL;
}

static void watch_begin(struct file *file)
{
	if (!file->watch)
		error_free(file_watch_new(file->path, &file->watch));
}

static may_suspend struct error *read_text(struct file *file, struct strbuf *out)
{
	file->seen = 0;
	strbuf_reset(out);
	TRY(offload_read_file(file->path, LIMIT_DISCOVERY_FILE, out));
	file->seen = str_hash(strbuf_str(out));
	return NULL;
}

static may_suspend struct error *file_fetch(struct discovery *d, struct arena *arena,
					    struct vec *ret)
{
	struct file *file = container_of(d, struct file, base);
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	/* First the watch, then the file: a change between the two is seen. */
	watch_begin(file);
	TRY(read_text(file, &text));
	discovery_parse_lines(strbuf_str(&text), arena, ret);
	if (ret->n > 0)
		return NULL;
	TRY(fiber_sleep(EMPTY_PAUSE));
	TRY(read_text(file, &text));
	discovery_parse_lines(strbuf_str(&text), arena, ret);
	return NULL;
}

/* Until there may be something new. */
static may_suspend struct error *wait_for_news(struct file *file)
{
	struct error *err;

	watch_begin(file);
	if (!file->watch)
		return fiber_sleep(MIN(file->heartbeat, NO_WATCH_PAUSE));

	_cleanup_(deadline_end) struct deadline patience = deadline_begin(file->heartbeat);

	err = file_watch_wait(file->watch);
	if (!err) {
		deadline_end(&patience);
		return fiber_sleep(SETTLE_PAUSE);
	}
	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&patience))
		return err;

	/* The directory itself may be another one by now: watch it anew before the next look. */
	error_free(err);
	file_watch_free(take(file->watch));
	watch_begin(file);
	return NULL;
}

static may_suspend struct error *file_wait(struct discovery *d)
{
	struct file *file = container_of(d, struct file, base);
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	uint64_t before = file->seen;

	do {
		TRY(wait_for_news(file));
		error_free(read_text(file, &text));
	} while (file->seen == before);
	return NULL;
}

static void file_close(struct discovery *d)
{
	struct file *file = container_of(d, struct file, base);

	file_watch_free(file->watch);
	free(file->path);
	free(file);
}

const struct discovery_backend discovery_file = {
	.scheme = "file",
	.has_ranges = true,
	.open = file_open,
	.fetch = file_fetch,
	.wait = file_wait,
	.close = file_close,
};
