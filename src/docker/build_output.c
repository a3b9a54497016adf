/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the ids of images in a build's progress. The classic builder tells of each stage with
 * {"aux":{"ID":"sha256:..."}}, BuildKit of its result with {"id":"moby.image.id","aux":{...}}, and
 * with `q=1` there is nothing but {"stream":"sha256:...\n"}.
 */
#include "docker/build.h"
#include "docker/ref.h"

#define ID_BYTES (sizeof("sha256:") - 1 + 64)
#define LINE_MAX ((size_t)1024) /* no line that tells of an image is longer */
#define KEPT	 ((size_t)64)	/* ids; the result is the last */

static struct str id_in(struct json line)
{
	struct str id = json_get_str(json_get(line, "aux"), "ID");

	if (str_empty(id))
		id = str_trim(json_get_str(line, "stream"));
	return id.n == ID_BYTES && image_id_is(id) ? id : STR_NONE;
}

static void read_line(struct build_output *o)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str text = strbuf_str(&o->line), id;
	struct json line;
	struct error *err;

	if (text.n > LINE_MAX || !str_contains(text, STR("sha256:")))
		return;
	err = json_parse(text, &arena, &line);
	id = err ? STR_NONE : id_in(line);
	error_free(err);
	if (str_empty(id))
		return;
	if (o->ids.n >= KEPT * (ID_BYTES + 1))
		strbuf_consume(&o->ids, ID_BYTES + 1);
	strbuf_add(&o->ids, id);
	strbuf_addc(&o->ids, '\n');
}

/* Of a line that is too long one byte more is kept, which says so. */
static void add_to_line(struct build_output *o, struct str part)
{
	strbuf_add(&o->line, str_first(part, LINE_MAX + 1 - o->line.n));
}

void build_output_feed(struct build_output *o, struct str piece)
{
	ptrdiff_t end;

	while ((end = str_find_char(piece, '\n')) >= 0) {
		add_to_line(o, str_first(piece, (size_t)end));
		read_line(o);
		strbuf_reset(&o->line);
		piece = str_skip(piece, (size_t)end + 1);
	}
	add_to_line(o, piece);
}

bool build_output_next(struct str *rest, struct str *ret_id)
{
	if (str_empty(*rest))
		return false;
	return str_next(rest, '\n', ret_id);
}

void build_output_fini(struct build_output *o)
{
	strbuf_fini(&o->line);
	strbuf_fini(&o->ids);
}
