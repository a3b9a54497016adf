/* SPDX-License-Identifier: Apache-2.0 */
/* engine/info.c: /info and /version read as one engine. */
#include "unit/testing.h"

#include "base/duration.h"
#include "engine/info.h"

#define VERSION "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}"
#define NOW	(INT64_C(1795327200) * SECOND) /* 2026-11-22T06:00:00Z */

static struct error *read_info(const char *info, const char *version, struct engine_info **ret)
{
	return engine_info_read(STR("h1:2375"), str_from(info), str_from(version), NOW,
				NOW + 10 * MILLISECOND, ret);
}

static void show_labels(const struct engine_info *i, struct strbuf *out)
{
	for (size_t k = 0; k < i->n_labels; k++)
		strbuf_addf(out, "%s%.*s=%.*s", k ? " " : "", STR_ARG(i->labels[k].key),
			    STR_ARG(i->labels[k].value));
}

static void test_engine(void **state)
{
	_cleanup_(engine_info_unrefp) struct engine_info *i = NULL;
	_cleanup_(strbuf_fini) struct strbuf labels = STRBUF_INIT;

	(void)state;
	assert_ok(read_info("{\"ID\":\"AA:BB\",\"Name\":\"n1\",\"NCPU\":4,\"MemTotal\":8589934592,"
			    "\"ServerVersion\":\"20.10.24\",\"OSType\":\"linux\",\"Architecture\":"
			    "\"x86_64\",\"OperatingSystem\":\"Debian\",\"KernelVersion\":\"6.1\","
			    "\"Driver\":\"overlay2\",\"Plugins\":{\"Volume\": [\"local\"]},"
			    "\"Labels\":[\"storage=ssd\",\"a=b=c\",\"bare\","
			    "\"node=x\",\"ostype=plan9\",\"storage=hdd\",\"executiondriver=runc\"],"
			    "\"SystemTime\":\"2026-11-22T06:00:01Z\"}",
			    VERSION, &i));
	assert_str(i->id, "AA:BB");
	assert_str(i->name, "n1");
	assert_str(i->server_version, "20.10.24");
	assert_int_equal(i->cpus, 4);
	assert_int_equal(i->memory, 8589934592);
	assert_int_equal(i->api_newest.minor, 41);
	assert_int_equal(i->api_oldest.minor, 12);
	assert_int_equal(i->skew, 0);
	show_labels(i, &labels);
	assert_buf(labels,
		   "a=b=c architecture=x86_64 bare= executiondriver=runc kernelversion=6.1 "
		   "operatingsystem=Debian ostype=linux storage=ssd storagedriver=overlay2");
	assert_str(engine_info_label(i, STR("storage")), "ssd");
	assert_null(engine_info_label(i, STR("node")).p);
	assert_true(str_contains(i->warnings, STR("\"node=x\"")));
	assert_true(str_contains(i->warnings, STR("\"ostype=plan9\"")));
	assert_false(str_contains(i->warnings, STR("executiondriver")));
	assert_str(i->plugins, "{\"Volume\": [\"local\"]}");
	assert_str(i->version, VERSION);
}

/* Sums over a pool of such liars stay what they are. */
static void test_what_no_machine_has(void **state)
{
	_cleanup_(engine_info_unrefp) struct engine_info *i = NULL;

	(void)state;
	assert_ok(read_info("{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":9223372036854775807,"
			    "\"MemTotal\":9223372036854775807}",
			    VERSION, &i));
	assert_int_equal(i->cpus, 65536);
	assert_int_equal(i->memory, INT64_C(1) << 47);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *info, *version, *error;
	} cases[] = {
		{ "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":0,\"MemTotal\":1}", VERSION,
		  "cannot get resources for this engine, make sure h1:2375 is a Docker Engine, "
		  "not a Swarm manager" },
		{ "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1}", VERSION, "cannot get resources" },
		{ "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1,\"ServerVersion\":"
		  "\"swarm/2.0\"}",
		  VERSION, "cannot get resources" },
		{ "{\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1}", VERSION, "no ID" },
		{ "{\"ID\":\"A\",\"NCPU\":1,\"MemTotal\":1}", VERSION, "no Name" },
		{ "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1}",
		  "{\"ApiVersion\":\"1.23\"}", "API version 1.23 is too old: 1.24" },
		{ "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1}",
		  "{\"ApiVersion\":\"1.99\",\"MinAPIVersion\":\"1.90\"}", "1.90 is newer" },
		{ "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1}", "{}",
		  "no API version" },
		{ "<html>", VERSION, "in /info: invalid JSON" },
		{ "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1}", "", "in /version" },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		struct engine_info *i;

		assert_err(read_info(cases[k].info, cases[k].version, &i), ERR_INVALID,
			   cases[k].error);
	}
}

static void test_old_engine_tells_no_oldest_version(void **state)
{
	_cleanup_(engine_info_unrefp) struct engine_info *i = NULL;

	(void)state;
	assert_ok(read_info("{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1}",
			    "{\"ApiVersion\":\"1.24\"}", &i));
	assert_int_equal(i->api_oldest.minor, 24);
	assert_int_equal(i->n_labels, 0);
	assert_null(engine_info_label(i, STR("x")).p);
}

/* The answer took six seconds, 06:00:00 to 06:00:06. */
static void test_skew(void **state)
{
	static const struct {
		const char *theirs;
		int64_t skew;
	} cases[] = {
		{ "2026-11-22T06:00:00Z", 0 },
		{ "2026-11-22T06:00:07.9Z", 0 },
		{ "2026-11-22T05:59:58.1Z", 0 },
		{ "2026-11-22T06:00:13Z", 10 * SECOND },
		{ "2026-11-22T08:00:03+01:00", HOUR },
		{ "2026-11-22T05:59:53Z", -10 * SECOND },
		{ "yesterday", 0 },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		_cleanup_(engine_info_unrefp) struct engine_info *i = NULL;
		_cleanup_(strbuf_fini) struct strbuf info = STRBUF_INIT;

		strbuf_addf(&info,
			    "{\"ID\":\"A\",\"Name\":\"n\",\"NCPU\":1,\"MemTotal\":1,"
			    "\"SystemTime\":\"%s\"}",
			    cases[k].theirs);
		assert_ok(engine_info_read(STR("h1:2375"), strbuf_str(&info), STR(VERSION), NOW,
					   NOW + 6 * SECOND, &i));
		assert_int_equal(i->skew, cases[k].skew);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_what_no_machine_has),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_old_engine_tells_no_oldest_version),
		cmocka_unit_test(test_skew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
