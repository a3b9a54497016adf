/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/ports.c: which host ports are in each other's way. */
#include "unit/testing.h"

#include "cluster/ports.h"

static struct container_port port(const char *ip, uint16_t number, const char *protocol)
{
	struct host_port want = { str_from(ip), number, str_from(protocol) };
	struct container_port p = { 0 };

	assert_true(port_from_config(&want, &p));
	return p;
}

static void finds_what_is_in_the_way(void **state)
{
	static const struct {
		const char *ip;
		uint16_t number;
		const char *protocol;
		const char *holder; /* NULL: free */
	} cases[] = {
		{ "", 80, "tcp", "web" },
		{ "0.0.0.0", 80, "tcp", "web" },
		{ "::", 80, "tcp", "web" },
		{ "0:0:0:0:0:0:0:0", 443, "tcp", "tls" },
		{ "10.0.0.1", 80, "tcp", "web" },
		{ "", 80, "", "web" }, /* tcp where nothing is said */
		{ "", 80, "udp", NULL },
		{ "", 81, "tcp", NULL },
		{ "10.0.0.1", 443, "tcp", "tls" },
		{ "10.0.0.2", 443, "tcp", NULL },
		{ "fe80::1", 443, "tcp", NULL },
		{ "", 443, "tcp", "tls" },
		{ "", 53, "udp", "dns" },
	};
	struct port_table t = { NULL, 0, 0 };
	struct container_port web = port("", 80, "tcp"), tls = port("10.0.0.1", 443, "tcp"),
			      dns = port("", 53, "udp");

	(void)state;
	port_table_add(&t, &web, "w", STR("web"));
	port_table_add(&t, &tls, "t", STR("tls"));
	port_table_add(&t, &dns, "d", STR("dns"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container_port p = port(cases[i].ip, cases[i].number, cases[i].protocol);
		const struct port_use *use = port_table_find(&t, &p);

		if (cases[i].holder) {
			assert_non_null(use);
			assert_true(str_eq(use->name, str_from(cases[i].holder)));
		} else {
			assert_null(use);
		}
	}
	port_table_fini(&t);
}

static void gives_back_what_one_holder_had(void **state)
{
	struct port_table t = { NULL, 0, 0 };
	struct container_port p = port("", 80, "tcp");
	int first, second;

	(void)state;
	port_table_add(&t, &p, &first, STR("first"));
	port_table_add(&t, &p, &second, STR("second"));
	port_table_remove(&t, &p, &first);
	assert_ptr_equal(port_table_find(&t, &p)->holder, &second);
	port_table_remove(&t, &p, &first);
	assert_int_equal(t.n, 1);
	port_table_remove(&t, &p, &second);
	assert_null(port_table_find(&t, &p));
	port_table_fini(&t);
}

static void a_port_that_the_engine_draws_holds_nothing(void **state)
{
	struct host_port any = { STR_NONE, 0, STR("tcp") };
	struct container_port p;

	(void)state;
	assert_false(port_from_config(&any, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_in_the_way),
		cmocka_unit_test(gives_back_what_one_holder_had),
		cmocka_unit_test(a_port_that_the_engine_draws_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
