/* SPDX-License-Identifier: Apache-2.0 */
/* base/strbuf.c, base/arena.c, base/vec.c, base/list.h: what grows and what links. */
#include "unit/testing.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/vec.h"

static void strbuf_grows_and_ends_in_nul(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strbuf_addc(&b, (char)('a' + i % 26));
	assert_int_equal(b.n, 1000);
	assert_int_equal(strlen(b.p), 1000);
	strbuf_consume(&b, 998);
	assert_buf(b, "kl");
	strbuf_add(&b, STR_NONE);
	strbuf_addf(&b, "-%d-%s", 42, "x");
	assert_string_equal(b.p, "kl-42-x");
	strbuf_truncate(&b, 2);
	assert_string_equal(b.p, "kl");
	strbuf_reset(&b);
	assert_string_equal(b.p, "");
	strbuf_fini(&b);
	assert_null(b.p);
}

static void strbuf_formats_what_is_longer_than_its_room(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;
	char text[500];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	strbuf_addf(&b, "<%s>", text);
	assert_int_equal(b.n, 501);
	assert_int_equal(b.p[500], '>');
	assert_int_equal(b.p[501], '\0');

	/* What exactly fills the room, NUL included. */
	strbuf_reset(&b);
	strbuf_addf(&b, "%*s", (int)b.cap - 1, "");
	assert_int_equal(b.n, b.cap - 1);
	strbuf_addf(&b, "%s", "y");
	assert_int_equal(b.p[b.n - 1], 'y');
}

static void strbuf_hands_over_its_memory(void **state)
{
	struct strbuf b = STRBUF_INIT;
	char *text;

	(void)state;
	text = strbuf_take(&b);
	assert_string_equal(text, "");
	free(text);
	strbuf_add(&b, STR("abc"));
	text = strbuf_take(&b);
	assert_string_equal(text, "abc");
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	free(text);
}

static void arena_keeps_what_it_gave(void **state)
{
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	enum { N = 2000 };
	struct {
		unsigned char *p;
		size_t n;
	} given[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		given[i].n = i % 7 == 0 ? i * 3 : i % 100;
		given[i].p = arena_alloc(&a, given[i].n);
		assert_int_equal((uintptr_t)given[i].p % _Alignof(max_align_t), 0);
		memset(given[i].p, (int)(i % 251), given[i].n);
	}
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < given[i].n; j++)
			assert_int_equal(given[i].p[j], i % 251);
	}
}

static void arena_makes_texts(void **state)
{
	_cleanup_(arena_fini) struct arena a = ARENA_INIT;
	int *zeros = arena_new_array(&a, int, 100);
	struct str s;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(zeros[i], 0);
	s = arena_printf(&a, "%s=%d", "n", 5);
	assert_str(s, "n=5");
	assert_int_equal(s.p[s.n], '\0');
	assert_string_equal(arena_cstr(&a, str_of("abc", 2)), "ab");
	assert_str(arena_dup(&a, STR_NONE), "");
	assert_non_null(arena_dup(&a, STR_NONE).p);
}

static void arena_frees_what_it_adopted(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (int i = 0; i < 10; i++)
		arena_adopt(&a, mem_alloc(10), 10);
	assert_int_equal(a.total, 100);
	arena_fini(&a); /* LeakSanitizer looks */
	assert_int_equal(a.total, 0);
	assert_non_null(arena_alloc(&a, 1));
	arena_fini(&a);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void vec_keeps_order(void **state)
{
	_cleanup_(vec_fini) struct vec v = VEC_INIT;
	static char items[][2] = { "d", "b", "a", "c" };

	(void)state;
	assert_null(vec_pop(&v));
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		vec_push(&v, items[i]);
	vec_sort(&v, by_text);
	for (size_t i = 0; i < v.n; i++)
		assert_int_equal(((char *)v.v[i])[0], 'a' + (int)i);
	assert_true(vec_remove(&v, items[1]));
	assert_false(vec_remove(&v, items[1]));
	assert_string_equal(v.v[0], "a");
	assert_string_equal(v.v[1], "c");
	vec_remove_swap(&v, 0);
	assert_string_equal(v.v[0], "d");
	vec_remove_swap(&v, 1);
	assert_int_equal(v.n, 1);
	assert_string_equal(vec_pop(&v), "d");
	vec_push(&v, items[0]);
	vec_clear(&v);
	assert_int_equal(v.n, 0);
}

struct thing {
	int number;
	struct list link;
};

static void list_lets_go_of_the_one_at_hand(void **state)
{
	struct thing things[4];
	struct list head = LIST_INIT(head), zero = { NULL, NULL };
	int sum = 0;

	(void)state;
	assert_true(list_empty(&head));
	assert_null(list_pop(&head));
	list_for_each(link, &zero)
		fail();
	list_remove(&zero);
	for (int i = 0; i < 4; i++) {
		things[i].number = i;
		list_append(&head, &things[i].link);
	}
	list_for_each(link, &head) {
		if (list_item(link, struct thing, link)->number % 2 == 0)
			list_remove(link);
	}
	list_for_each(link, &head)
		sum = sum * 10 + list_item(link, struct thing, link)->number;
	assert_int_equal(sum, 13);
	assert_false(list_linked(&things[0].link));
	list_remove(&things[0].link);
	list_prepend(&head, &things[0].link);
	assert_ptr_equal(list_pop(&head), &things[0].link);
	assert_ptr_equal(list_pop(&head), &things[1].link);
	assert_ptr_equal(list_pop(&head), &things[3].link);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strbuf_grows_and_ends_in_nul),
		cmocka_unit_test(strbuf_formats_what_is_longer_than_its_room),
		cmocka_unit_test(strbuf_hands_over_its_memory),
		cmocka_unit_test(arena_keeps_what_it_gave),
		cmocka_unit_test(arena_makes_texts),
		cmocka_unit_test(arena_frees_what_it_adopted),
		cmocka_unit_test(vec_keeps_order),
		cmocka_unit_test(list_lets_go_of_the_one_at_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
