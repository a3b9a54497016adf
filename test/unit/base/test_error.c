/* SPDX-License-Identifier: Apache-2.0 */
/* base/error.c */
#include "unit/testing.h"

#include <errno.h>

static void carries_kind_and_message(void **state)
{
	_cleanup_(error_freep) struct error *err =
		error_new(ERR_CONFLICT, "the name %s is taken", "x");

	(void)state;
	assert_true(error_is(err, ERR_CONFLICT));
	assert_false(error_is(err, ERR_INVALID));
	assert_false(error_is(NULL, ERR_INTERNAL));
	assert_int_equal(error_kind(err), ERR_CONFLICT);
	assert_string_equal(error_message(err), "the name x is taken");
	assert_int_equal(error_status(err), 0);
	assert_string_equal(error_message(NULL), "");
}

static void says_the_systems_word(void **state)
{
	(void)state;
	assert_err(error_errno(ENOENT, "cannot open %s", "/x"), ERR_INTERNAL,
		   "cannot open /x: No such file or directory");
}

static void wraps_and_keeps_kind_and_status(void **state)
{
	struct error *err = error_from_status(409, STR("in use"));

	(void)state;
	err = error_wrap(err, "node %s", "n1");
	assert_int_equal(error_status(err), 409);
	assert_err(err, ERR_CONFLICT, "node n1: in use");
	assert_null(error_wrap(NULL, "node"));
}

static void stays_over_a_limit(void **state)
{
	struct error *err = error_over_limit(ERR_PROTOCOL, "more than %d", 5);

	(void)state;
	err = error_as(ERR_INVALID, error_wrap(err, "list"));
	assert_true(error_is_over_limit(err));
	struct error *copy = error_copy(err);

	assert_true(error_is_over_limit(copy));
	error_free(copy);
	assert_err(err, ERR_INVALID, "list: more than 5");
	assert_false(error_is_over_limit(NULL));
	err = error_new(ERR_INVALID, "x");
	assert_false(error_is_over_limit(err));
	error_free(err);
}

static void changes_its_kind(void **state)
{
	struct error *err = error_as(ERR_UNAVAILABLE, error_from_status(500, STR("down")));

	(void)state;
	assert_int_equal(error_status(err), 0);
	assert_err(err, ERR_UNAVAILABLE, "down");
	assert_null(error_as(ERR_INVALID, NULL));
}

static void follows_the_engines_status(void **state)
{
	static const struct {
		int status;
		enum error_kind kind;
	} cases[] = {
		{ 400, ERR_INVALID },	      { 401, ERR_UNAUTHORIZED }, { 403, ERR_FORBIDDEN },
		{ 404, ERR_NOT_FOUND },	      { 405, ERR_BAD_METHOD },	 { 409, ERR_CONFLICT },
		{ 413, ERR_TOO_LARGE },	      { 418, ERR_ENGINE },	 { 500, ERR_ENGINE },
		{ 501, ERR_NOT_IMPLEMENTED }, { 503, ERR_UNAVAILABLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error *err = error_from_status(cases[i].status, STR_NONE);

		assert_int_equal(error_status(err), cases[i].status);
		assert_err(err, cases[i].kind, "");
	}
}

static void copies_and_keeps_the_first(void **state)
{
	struct error *first = error_from_status(404, STR("no such image"));
	struct error *copy = error_copy(first), *slot = NULL;

	(void)state;
	assert_null(error_copy(NULL));
	error_keep(&slot, NULL);
	assert_null(slot);
	error_keep(&slot, first);
	error_keep(&slot, error_new(ERR_INTERNAL, "second"));
	error_keep(&slot, NULL);
	assert_ptr_equal(slot, first);
	error_free(slot);
	assert_int_equal(error_status(copy), 404);
	assert_err(copy, ERR_NOT_FOUND, "no such image");
}

static void knows_what_counts_against_a_node(void **state)
{
	static const enum error_kind transport[] = { ERR_TIMEOUT, ERR_REFUSED, ERR_CLOSED,
						     ERR_PROTOCOL, ERR_TLS };
	static const enum error_kind other[] = { ERR_CANCELLED, ERR_INTERNAL, ERR_ENGINE,
						 ERR_NOT_FOUND };

	(void)state;
	assert_false(error_is_transport(NULL));
	for (size_t i = 0; i < ARRAY_LEN(transport); i++) {
		_cleanup_(error_freep) struct error *err = error_new(transport[i], "x");

		assert_true(error_is_transport(err));
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		_cleanup_(error_freep) struct error *err = error_new(other[i], "x");

		assert_false(error_is_transport(err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_kind_and_message),
		cmocka_unit_test(says_the_systems_word),
		cmocka_unit_test(wraps_and_keeps_kind_and_status),
		cmocka_unit_test(stays_over_a_limit),
		cmocka_unit_test(changes_its_kind),
		cmocka_unit_test(follows_the_engines_status),
		cmocka_unit_test(copies_and_keeps_the_first),
		cmocka_unit_test(knows_what_counts_against_a_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
