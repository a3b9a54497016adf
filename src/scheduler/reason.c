/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers reasons while nodes are gone through, and writes them in one line. */
#include "scheduler/reason.h"

#include <stdlib.h>

#include "base/attr.h"

struct reason *reasons_get(struct reasons *r, const void *about)
{
	struct reason *other = &r->v[REASONS_MAX - 1];

	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].about == about)
			return &r->v[i];
	if (r->n == REASONS_MAX)
		return other;

	struct reason *reason = &r->v[r->n++];

	*reason = (struct reason){ .about = about };
	if (reason == other)
		reason->text = STR("other reasons on");
	return reason;
}

static void add_detail(struct reason *r, struct str detail)
{
	if (str_empty(detail) || r->n_details == REASON_NODES)
		return;
	for (size_t i = 0; i < r->n_details; i++)
		if (str_eq(r->details[i], detail))
			return;
	r->details[r->n_details++] = detail;
}

void reason_add(struct reason *r, struct str node, struct str detail)
{
	if (r->n_nodes < REASON_NODES) {
		r->nodes[r->n_nodes] = node;
		add_detail(r, detail);
	}
	r->n_nodes++;
}

static void write_list(const struct str *v, size_t n, struct strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_add(out, STR(", "));
		strbuf_add(out, v[i]);
	}
}

static struct str reason_line(const struct reason *r, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;

	strbuf_add(&b, r->text);
	strbuf_addc(&b, ' ');
	write_list(r->nodes, MIN(r->n_nodes, (size_t)REASON_NODES), &b);
	if (r->n_nodes > REASON_NODES)
		strbuf_addf(&b, " and %zu more", r->n_nodes - REASON_NODES);
	if (r->n_details) {
		strbuf_add(&b, STR(" ("));
		write_list(r->details, r->n_details, &b);
		strbuf_addc(&b, ')');
	}
	return arena_dup(arena, strbuf_str(&b));
}

static int by_length(const void *a, const void *b)
{
	const struct str *left = a, *right = b;

	if (left->n != right->n)
		return left->n < right->n ? -1 : 1;
	return str_cmp(*left, *right);
}

void reasons_write(struct reasons *r, struct strbuf *out)
{
	struct str *lines = arena_new_array(r->arena, struct str, r->n);

	for (size_t i = 0; i < r->n; i++)
		lines[i] = reason_line(&r->v[i], r->arena);
	qsort(lines, r->n, sizeof(lines[0]), by_length);
	for (size_t i = 0; i < r->n; i++) {
		if (i)
			strbuf_add(out, STR("; "));
		strbuf_add(out, lines[i]);
	}
}
