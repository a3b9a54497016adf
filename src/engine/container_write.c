/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's list entry as it goes out: the engine's bytes but for names, state and status,
 * which are as of now. And the digest by which an entry is known again.
 */
#include "engine/container.h"

#include <assert.h>

#include "json/build.h"

#define N_SPLICES 3

struct splice {
	struct span span;
	struct str text;
};

static void add_sorted(struct splice *v, size_t *n, struct span span, struct str text)
{
	size_t at = *n;

	if (!span.n)
		return;
	for (; at > 0 && v[at - 1].span.at > span.at; at--)
		v[at] = v[at - 1];
	v[at] = (struct splice){ span, text };
	(*n)++;
}

static void quote_state(const struct container *c, struct strbuf *out)
{
	json_quote(out, str_from(container_status_name(c->state.status)));
}

static void quote_status(const struct container *c, int64_t now, bool down, struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	if (down)
		strbuf_add(&text, STR("Host Down"));
	else
		container_status_text(&c->state, now, &text);
	json_quote(out, strbuf_str(&text));
}

void container_write_entry(const struct container *c, struct str names, int64_t now, bool down,
			   struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf state = STRBUF_INIT, status = STRBUF_INIT;
	struct splice v[N_SPLICES];
	size_t n = 0, done = 0;

	quote_state(c, &state);
	quote_status(c, now, down, &status);
	add_sorted(v, &n, c->names, names);
	add_sorted(v, &n, c->state_text, strbuf_str(&state));
	add_sorted(v, &n, c->status, strbuf_str(&status));

	strbuf_reserve(out, c->entry.n + names.n + status.n);
	for (size_t i = 0; i < n; i++) {
		strbuf_add(out, str_of(c->entry.p + done, v[i].span.at - done));
		strbuf_add(out, v[i].text);
		done = v[i].span.at + v[i].span.n;
	}
	strbuf_add(out, str_skip(c->entry, done));
}

/* Order matters here, and two equal parts do not cancel each other out. */
static uint64_t mix(uint64_t digest, uint64_t part)
{
	return (digest ^ part) * 0x9e3779b97f4a7c15u + (digest >> 29);
}

/* "Up 2 minutes (healthy)", "Exited (0) 3 hours ago": the first word and what is in brackets. */
static uint64_t digest_status(struct str status)
{
	struct str word, rest = STR("");
	uint64_t digest;

	str_cut(status, ' ', &word, &rest);
	digest = str_hash(word);
	while (!str_empty(rest)) {
		struct str skipped, in_brackets;

		if (!str_cut(rest, '(', &skipped, &rest))
			break;
		str_cut(rest, ')', &in_brackets, &rest);
		digest = mix(digest, str_hash(in_brackets));
	}
	return digest;
}

/* Engines make some of their arrays (Ports, Mounts) out of maps, in any order. */
static uint64_t digest_array(struct json array)
{
	struct json_iter it = json_iter(array);
	struct json item;
	uint64_t sum = 0;

	while (json_next(&it, NULL, &item))
		sum += str_hash(json_raw(item));
	return sum;
}

static uint64_t digest_member(struct str key, struct json value)
{
	if (str_eq(key, STR("Status")))
		return digest_status(json_str(value));
	if (json_type(value) == JSON_ARRAY)
		return digest_array(value);
	return str_hash(json_raw(value));
}

uint64_t container_entry_digest(struct json entry)
{
	struct json_iter it = json_iter(entry);
	uint64_t digest = 0;
	struct json value;
	struct str key;

	while (json_type(entry) == JSON_OBJECT && json_next(&it, &key, &value))
		digest = mix(mix(digest, str_hash(key)), digest_member(key, value));
	return digest;
}
