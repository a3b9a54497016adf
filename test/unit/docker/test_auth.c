/* SPDX-License-Identifier: Apache-2.0 */
/* docker/auth.c */
#include "unit/testing.h"

#include "base/base64.h"
#include "docker/auth.h"

static void test_present(void **state)
{
	static const struct {
		const char *json;
		bool present;
	} cases[] = {
		{ "{\"username\":\"u\",\"password\":\"p?>~\"}", true },
		{ "{\"identitytoken\":\"t\"}", true },
		{ "{}", false },
		{ "{\"username\":\"\",\"password\":\"\"}", false },
		{ "{\"username\":null}", false },
		{ "null", false },
		{ "[]", false },
		{ "\"text\"", false },
		{ "not json", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf plain = STRBUF_INIT, url = STRBUF_INIT;

		base64_encode(str_from(cases[i].json), &plain);
		base64_encode_url(str_from(cases[i].json), &url);
		assert_int_equal(registry_auth_present(strbuf_str(&plain)), cases[i].present);
		assert_int_equal(registry_auth_present(strbuf_str(&url)), cases[i].present);
	}
	assert_false(registry_auth_present(STR("{}")));
	assert_false(registry_auth_present(STR("!!!")));
	assert_false(registry_auth_present(STR_NONE));
	assert_true(registry_auth_present(STR(" eyJhIjoiYiJ9 ")));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_present) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
