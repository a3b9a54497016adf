/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to a JSON text that leave every other byte as it was: unknown fields, the order of
 * members, numbers to the last digit. Edits are collected against one parsed text, in any order,
 * and applied at once. To replace the same value twice is a bug of the caller (asserted). Edits
 * inside a value that is replaced or deleted as a whole go with it.
 */
#ifndef JSON_EDIT_H
#define JSON_EDIT_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "json/json.h"

struct json_edit;

/*
 * Of the whole text in which `root` stands. Lives in the arena; `raw` texts are borrowed until
 * apply.
 */
struct json_edit *json_edit_new(struct json root, struct arena *arena);

void json_edit_replace(struct json_edit *e, struct json value, struct str raw);
/* Removes a member of an object, each of it where the key stands twice; nothing where missing. */
void json_edit_delete(struct json_edit *e, struct json object, const char *key);
/* json_edit_delete with keys compared as json_field does. */
void json_edit_delete_field(struct json_edit *e, struct json object, const char *key);
/* Adds a member at the end of an object; the key must not be there (or be deleted in this edit). */
void json_edit_add(struct json_edit *e, struct json object, struct str key, struct str raw);
/* Sets a member: replaces what json_get finds and was not deleted before, or adds. */
void json_edit_set(struct json_edit *e, struct json object, const char *key, struct str raw);
void json_edit_append(struct json_edit *e, struct json array, struct str raw);
/* Puts an item before all others, those too that were put there before. */
void json_edit_prepend(struct json_edit *e, struct json array, struct str raw);

void json_edit_apply(const struct json_edit *e, struct strbuf *out); /* appends the new text */

#endif
