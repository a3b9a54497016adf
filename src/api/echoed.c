/* SPDX-License-Identifier: Apache-2.0 */
#include "api/echoed.h"

#include "json/build.h"
#include "json/edit.h"

/* What stands before and behind the name that was asked for: those of engines 1.12 to 28. */
static const struct {
	struct str before, behind;
} phrases[] = {
	{ STR_INIT("No such container: "), STR_INIT("") },
	{ STR_INIT("Cannot kill container: "), STR_INIT("") },
	{ STR_INIT("cannot kill container: "), STR_INIT("") },
	{ STR_INIT("cannot remove container \""), STR_INIT("\": ") },
	{ STR_INIT("Cannot stop container "), STR_INIT(": ") },
	{ STR_INIT("cannot stop container: "), STR_INIT("") },
	{ STR_INIT("Cannot restart container "), STR_INIT(": ") },
	{ STR_INIT("Error exporting container "), STR_INIT(": ") },
	{ STR_INIT(" in container "), STR_INIT("") },
	{ STR_INIT("ontainer "), STR_INIT(" is paused, unpause") },
	{ STR_INIT("ontainer "), STR_INIT(" is restarting, wait") },
	{ STR_INIT("emoval of container "), STR_INIT(" is already in progress") },
};

static bool is_asked_for(struct str before, struct str behind)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (str_ends(before, phrases[i].before) && str_starts(behind, phrases[i].behind))
			return true;
	return false;
}

static void rename_all(struct str message, struct str id, struct str name, struct strbuf *out)
{
	ptrdiff_t at;

	while ((at = str_find(message, id)) >= 0) {
		struct str before = str_first(message, (size_t)at);
		struct str behind = str_skip(message, (size_t)at + id.n);

		strbuf_add(out, before);
		strbuf_add(out, is_asked_for(before, behind) ? name : id);
		message = behind;
	}
	strbuf_add(out, message);
}

struct str echoed_body(struct str body, struct str id, struct str name, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, quoted = STRBUF_INIT;
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	struct json_edit *edit;
	struct json root, message;
	struct error *err;

	if (str_empty(id) || str_eq(id, name) || !str_contains(body, id))
		return body;
	err = json_parse(body, arena, &root);
	if (err) {
		error_free(err);
		return body;
	}
	message = json_get(root, "message");
	if (json_type(message) != JSON_STRING)
		return body;
	rename_all(json_str(message), id, name, &text);
	json_quote(&quoted, strbuf_str(&text));
	edit = json_edit_new(root, arena);
	json_edit_replace(edit, message, strbuf_str(&quoted));
	json_edit_apply(edit, &out);
	return arena_dup(arena, strbuf_str(&out));
}
