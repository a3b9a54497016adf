/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/progress.h"

#include "json/build.h"
#include "json/edit.h"

static may_suspend struct error *emit_alone(struct progress *p, struct str text)
{
	struct error *err;

	while (p->busy)
		TRY(waitq_wait(&p->free, "its turn to report progress"));
	p->busy = true;
	p->begun = p->begun || !str_empty(text);
	err = p->emit(p->arg, text);
	p->busy = false;
	waitq_wake_one(&p->free);
	return err;
}

may_suspend struct error *progress_begin(struct progress *p)
{
	return emit_alone(p, STR(""));
}

/* {"status":"...","id":"node-1: abc"}; a line without an id gets the node's name as its id. */
static struct error *prefix_id(const struct engine *e, struct str line, struct strbuf *out)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf quoted = STRBUF_INIT;
	struct str node = engine_name(e), id;
	struct json_edit *edit;
	struct json root;

	TRY(json_parse(line, &arena, &root));
	if (json_type(root) != JSON_OBJECT)
		return error_new(ERR_PROTOCOL, "a line of progress is no JSON object");
	id = json_get_str(root, "id");
	json_quote(&quoted,
		   str_empty(id) ? node
				 : arena_printf(&arena, "%.*s: %.*s", STR_ARG(node), STR_ARG(id)));
	edit = json_edit_new(root, &arena);
	json_edit_set(edit, root, "id", strbuf_str(&quoted));
	json_edit_apply(edit, out);
	return NULL;
}

may_suspend struct error *progress_line(struct progress *p, const struct engine *e, struct str line)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	line = str_trim(line);
	if (str_empty(line))
		return NULL;
	if (p->several)
		TRY(prefix_id(e, line, &text));
	else
		strbuf_add(&text, line);
	strbuf_add(&text, STR("\r\n"));
	return emit_alone(p, strbuf_str(&text));
}

may_suspend struct error *progress_failure(struct progress *p, const struct engine *e,
					   const struct error *err)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, words = STRBUF_INIT;
	struct json_out o = json_out(&text);

	if (!p->begun)
		return NULL;
	strbuf_addf(&words, "failed: %s", error_message(err));
	json_begin_object(&o);
	json_put_str(&o, "status", strbuf_str(&words));
	json_put_str(&o, "id", engine_name(e));
	json_end_object(&o);
	strbuf_add(&text, STR("\r\n"));
	return emit_alone(p, strbuf_str(&text));
}
