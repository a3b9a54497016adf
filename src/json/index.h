/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of json/ know of the index and nobody else does.
 *
 * The tokens stand in the order of the text. A scalar and a key are one token each; an object or an
 * array is one where it opens and one where it closes, with the tokens of its content between.
 */
#ifndef JSON_INDEX_H
#define JSON_INDEX_H

#include "base/strbuf.h"
#include "json/json.h"

struct token {
	uint32_t offset : 31; /* of its first byte: the quote of a string, the bracket */
	uint32_t nested : 1;  /* opens an object or an array */
	/*
	 * How many bytes it has (a string with its quotes), or, where it is nested, at which token
	 * it closes.
	 */
	uint32_t span : 31;
	uint32_t unplain : 1; /* a string that has escapes or bytes beyond ASCII */
};

struct json_index {
	struct str text;
	struct arena *arena;
	struct token *v;
	uint32_t n;
};

#define JSON_MAX_TEXT ((size_t)INT32_MAX)

static inline struct json json_at(const struct json_index *index, uint32_t at)
{
	return (struct json){ index, at };
}

/* The token behind all of this one's. */
static inline uint32_t token_after(const struct json_index *index, uint32_t at)
{
	const struct token *t = &index->v[at];

	return 1 + (t->nested ? (uint32_t)t->span : at);
}

static inline uint32_t token_end(const struct json_index *index, uint32_t at)
{
	const struct token *t = &index->v[at];

	return t->nested ? index->v[t->span].offset + 1u : (uint32_t)t->offset + t->span;
}

/* What stands between the quotes. */
static inline struct str token_inside(const struct json_index *index, uint32_t at)
{
	return str_of(index->text.p + index->v[at].offset + 1, index->v[at].span - 2);
}

/* Whether the key (or string) at this token is `key`, exactly or as Go folds a field's name. */
bool token_is(const struct json_index *index, uint32_t at, struct str key);
bool token_is_folded(const struct json_index *index, uint32_t at, struct str key);

/*
 * Decodes what stands between the quotes of a checked string; answers at most inside.n * 3 bytes.
 */
void json_unescape(struct str inside, struct strbuf *out);

#endif
