/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines that answer what no engine would: each hurts its own node only, which turns unhealthy
 * with the reason, takes no more of the manager than the limits say, and heals when it behaves
 * again. What that costs in memory of a real process is in test/e2e/test_bad_engines.py.
 */
#include "sim/sim.h"

#define OK	"HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define X16	"xxxxxxxxxxxxxxxx"
#define X256	X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define X1024	X256 X256 X256 X256
#define HEADS16                                                                                  \
	"A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:" \
	"\r\nA:\r\n"
#define HEADS64	 HEADS16 HEADS16 HEADS16 HEADS16
#define HEADS257 HEADS64 HEADS64 HEADS64 HEADS64 "A:\r\n"
#define OPEN16	 "[[[[[[[[[[[[[[[["
#define OPEN256                                                                                    \
	OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 OPEN16 \
		OPEN16 OPEN16 OPEN16

/* What is on its way when the manager has had enough: what both ends keep, and a piece of it. */
#define ON_THE_WAY (512 * KIB)

static const struct row {
	const char *name, *request;
	struct str first, more;
	const char *reason; /* in the node's Error line */
	size_t most;	    /* that is taken of one answer, besides ON_THE_WAY */
} rows[] = {
	{ "garbage", "", STR_INIT("\0\1\2 garbage\r\n\r\n"), STR_INIT(""),
	  "control character in a head: the first line", 0 },
	{ "endless_garbage", "", STR_INIT("\177"), STR_INIT(X1024), "not HTTP", 0 },
	{ "endless_head", "", STR_INIT(OK), STR_INIT("A: " X1024 "\r\n"),
	  "head of more than 262144 bytes", LIMIT_HTTP_HEAD },
	{ "many_headers", "", STR_INIT(OK HEADS257 "\r\n"), STR_INIT(""), "more than 256 headers",
	  0 },
	{ "endless_interim_answers", "", STR_INIT(""), STR_INIT("HTTP/1.1 100 Continue\r\n\r\n"),
	  "more than 16 interim answers", 0 },
	{ "two_lengths", "", STR_INIT(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
	  STR_INIT(""), "more than one Content-Length", 0 },
	{ "bad_chunk", "GET /containers/json", STR_INIT(CHUNKED "zz\r\n"), STR_INIT(""),
	  "bad chunk size", 0 },
	{ "huge_chunk", "GET /containers/json", STR_INIT(CHUNKED "fffffffffffffffff\r\n"),
	  STR_INIT(""), "chunk size", 0 },
	{ "endless_chunk_line", "GET /containers/json", STR_INIT(CHUNKED "1;a="), STR_INIT(X1024),
	  "chunk size line of more than 4096 bytes", LIMIT_HTTP_CHUNK_LINE },
	{ "endless_trailer", "GET /containers/json", STR_INIT(CHUNKED "2\r\n[]\r\n0\r\n"),
	  STR_INIT("A: " X1024 "\r\n"), "trailer of more than 16384 bytes", LIMIT_HTTP_TRAILER },
	{ "endless_json", "GET /containers/json", STR_INIT(CHUNKED "1\r\n[\r\n"),
	  STR_INIT("403\r\n\"" X1024 "\",\r\n"), "more than 67108864 bytes",
	  LIMIT_ENGINE_REPLY + LIMIT_ENGINE_REPLY / 64 },
	{ "ten_gigabytes", "GET /containers/json",
	  STR_INIT(OK "Content-Length: 10000000000\r\n\r\n["), STR_INIT(X1024),
	  "more than 67108864 bytes", 0 },
	{ "no_json", "GET /containers/json", STR_INIT(OK "Content-Length: 2\r\n\r\n[}"),
	  STR_INIT(""), "JSON", 0 },
	{ "deep_json", "GET /containers/json", STR_INIT(OK "Content-Length: 256\r\n\r\n" OPEN256),
	  STR_INIT(""), "deep", 0 },
	{ "never_answers", "", STR_INIT(""), STR_INIT(""), "no answer", 0 },
	{ "never_goes_on", "", STR_INIT(OK "Content-Length: 100\r\n\r\n[{\"Id\":"), STR_INIT(""),
	  "no answer", 0 },
};

static const struct row *row;

static may_suspend void one_node_misbehaves(struct sim *s)
{
	struct sim_engine *bad = sim_engine(s, "bad"), *good = sim_engine(s, "good");

	sim_config(s)->failure_retry = 1;
	sim_up(s);
	sim_run_container(s, "before", NULL);

	sim_lie(bad, row->request, row->first, row->more);
	sim_wait(s, strcmp(sim_info_line(s, "bad", "Status"), "Unhealthy") == 0);
	if (!strstr(sim_info_line(s, "bad", "Error"), row->reason))
		fail_msg("not \"%s\": %s", row->reason, sim_info_line(s, "bad", "Error"));
	assert_in_range(sim_most_lied(bad), 0, row->most + ON_THE_WAY);

	/* Whoever asks for the other node notices nothing. */
	assert_string_equal(sim_info_line(s, "good", "Status"), "Healthy");
	assert_string_equal(sim_info_line(s, "good", "Error"), "");
	sim_run_container(s, "meanwhile", NULL);
	assert_true(sim_is_running(good, "meanwhile"));

	sim_lie(bad, NULL, STR_NONE, STR_NONE);
	sim_wait(s, strcmp(sim_info_line(s, "bad", "Status"), "Healthy") == 0);
	assert_string_equal(sim_info_line(s, "bad", "Error"), "");
	sim_settle(s);
	sim_check(s);
}

static void tell(void **state)
{
	row = *state;
	sim_tell_seeds(&(struct story){ row->name, one_node_misbehaves }, 1);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = tell,
						.initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
