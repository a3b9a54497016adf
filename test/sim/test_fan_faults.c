/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of everything that asks several nodes at once, told with each way in which one of three
 * can fail: the answer comes in time, the others have done their work, the node that failed is
 * named, and the same request works right after. And once more with a client that goes away while
 * that node hangs: nothing of it is left. What each does when all goes well, and faults at every
 * step of some of them, other programs have (test_prune.c, test_faults_streams.c ...).
 */
#include "sim/sim.h"

#include <stdio.h>

#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "sim/engine.h"

#define FAILING "n2"

enum column {
	REFUSES,  /* the daemon is gone: nobody listens */
	HANGS,	  /* the request never gets an answer, though the node is well */
	IS_CUT,	  /* half of the answer comes */
	GARBAGE,  /* what comes is no HTTP */
	NONSENSE, /* HTTP, and what is in it is no JSON */
	SAYS_404,
	SAYS_500,
	COLUMNS,
};

static const char *const column_names[COLUMNS] = { "refuses",  "hangs",	   "is cut",  "garbage",
						   "nonsense", "says 404", "says 500" };

/* How the client hears of the node that failed. */
enum told {
	REFUSED,  /* the answer is an error that names it */
	PROGRESS, /* the error at the end of the progress names it */
	LOGGED,	  /* what the others have is the answer, and the log names it */
};

struct row {
	const char *request; /* "POST /images/load" */
	/* The others' work, each of which was done; NULL: that they were asked. */
	bool (*done)(struct sim *s, const struct sim_engine *e);
	const char *log;   /* what it says of the node that failed, where that is told there */
	const char *item;  /* what is in the answer of each, but for the node's number; or NULL */
	const char *asked; /* of the nodes; NULL: the same */
	const char *body;
	int success; /* status; 0: 200 */
	int again;   /* another that the second request may have: the work is done */
	enum told told;
	int64_t time;	   /* in which a node must answer; 0: it may take any, while it is well */
	bool compat;	   /* only swarm.compat=1.2 sends it to several */
	unsigned int fine; /* columns, as bits, that are no failure here */
};

#define BIT(column) (1U << (column))

static const char *of(struct sim *s, const char *what, const struct sim_engine *e)
{
	return sim_text(s, "%s%s", what, e->name + strlen("n"));
}

static bool is_pulled(_unused_ struct sim *s, const struct sim_engine *e)
{
	return sim_has_image(e, "nginx");
}

static bool is_loaded(_unused_ struct sim *s, const struct sim_engine *e)
{
	return sim_has_image(e, "app:1");
}

static bool is_imported(_unused_ struct sim *s, const struct sim_engine *e)
{
	return sim_has_image(e, "raw:1");
}

static bool is_tagged(_unused_ struct sim *s, const struct sim_engine *e)
{
	return sim_has_image(e, "mine:1");
}

static bool is_untagged(_unused_ struct sim *s, const struct sim_engine *e)
{
	return !sim_has_image(e, "shared");
}

static bool has_no_stopped(struct sim *s, const struct sim_engine *e)
{
	return sim_count_containers(e) == 1 && sim_has_container(e, of(s, "runs", e));
}

static bool has_no_unused_image(struct sim *s, const struct sim_engine *e)
{
	return !sim_has_image(e, of(s, "only-", e)) && sim_has_image(e, "busybox");
}

static bool has_no_volume(struct sim *s, const struct sim_engine *e)
{
	return !sim_has_volume(e, of(s, "left", e));
}

static bool has_no_network(struct sim *s, const struct sim_engine *e)
{
	return !sim_has_network(e, of(s, "net", e));
}

static bool has_data(_unused_ struct sim *s, const struct sim_engine *e)
{
	return sim_has_volume(e, "data");
}

static bool has_no_old(_unused_ struct sim *s, const struct sim_engine *e)
{
	return !sim_has_volume(e, "old");
}

static const struct row rows[] = {
	{ "POST /images/create?fromImage=nginx&tag=latest", is_pulled, .told = PROGRESS },
	{ "POST /images/load", is_loaded, .body = "image app:1\n", .told = PROGRESS },
	{ "POST /images/create?fromSrc=-&repo=raw&tag=1", is_imported, .body = "a root",
	  .told = PROGRESS, .compat = true },
	/* The body of its answer says nothing. */
	{ "POST /images/shared/tag?repo=mine&tag=1", is_tagged, .success = 201, .time = 60 * SECOND,
	  .fine = BIT(SAYS_404) | BIT(NONSENSE) },
	{ "DELETE /images/shared", is_untagged, .time = 10 * MINUTE, .fine = BIT(SAYS_404),
	  .again = 404 },
	{ "POST /containers/prune", has_no_stopped, .time = 10 * MINUTE },
	{ "POST /images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D",
	  has_no_unused_image, .time = 10 * MINUTE },
	{ "POST /volumes/prune", has_no_volume, .time = 10 * MINUTE },
	{ "POST /networks/prune", has_no_network, .time = 10 * MINUTE },
	/* Old engines have no build cache. */
	{ "POST /build/prune", .time = 10 * MINUTE, .fine = BIT(SAYS_404) },
	{ "GET /system/df", .time = 10 * MINUTE },
	{ "GET /plugins", .time = 60 * SECOND },
	{ "GET /events?since=1m&until=0s", .asked = "GET /events?since=", .told = LOGGED,
	  .log = "the past events of a node are missing in a replay", .time = 10 * SECOND,
	  .item = "stops" },
	{ "GET /containers/json?all=1&size=1", .told = LOGGED, .time = 10 * MINUTE,
	  .log = "a node does not tell its containers' sizes",
	  .asked = "GET /containers/json?size=1", .item = "stops" },
	{ "GET /v1.42/images/json?shared-size=1", .told = LOGGED, .time = 10 * MINUTE,
	  .log = "a node does not tell the details of its images",
	  .asked = "GET /images/json?all=1&shared-size=1", .item = "only-" },
	{ "GET /networks/bridge", .told = LOGGED, .log = "a node does not tell who is in a network",
	  .time = 5 * SECOND, .item = "runs" },
	/*
	 * Which of the answers the client gets is one: of the others only the status is looked at.
	 */
	{ "POST /volumes/create", has_data, .body = "{\"Name\":\"data\"}", .success = 201,
	  .time = 60 * SECOND, .compat = true, .fine = BIT(NONSENSE) },
	{ "DELETE /volumes/old", has_no_old, .success = 204, .time = 5 * MINUTE, .compat = true,
	  .fine = BIT(SAYS_404) | BIT(NONSENSE), .again = 404 },
};

/* As a node is asked: "POST /images/create". */
static const char *asked(struct sim *s, const struct row *row)
{
	struct str path, query;

	if (row->asked)
		return row->asked;
	str_cut(str_from(row->request), '?', &path, &query);
	return sim_text(s, "%.*s", STR_ARG(path));
}

static int success(const struct row *row)
{
	return row->success ?: 200;
}

static may_suspend void three(struct sim *s, const struct row *row)
{
	sim_registry_put(s, "nginx", false);
	for (int i = 1; i <= 3; i++)
		sim_engine(s, sim_text(s, "n%d", i), IMAGE("busybox"), IMAGE("shared"),
			   IMAGE(sim_text(s, "only-%d", i)));
	sim_config(s)->compat = row->compat;
	sim_up(s);
	for (int i = 1; i <= 3; i++) {
		sim_run_container(s, sim_text(s, "n%d/runs%d", i, i), NULL);
		sim_create(s, sim_text(s, "n%d/stops%d", i, i), NULL);
		assert_status(sim_post(s, "/volumes/create",
				       sim_text(s, "{\"Name\":\"n%d/left%d\"}", i, i)),
			      201);
		assert_status(sim_post(s, "/networks/create",
				       sim_text(s, "{\"Name\":\"n%d/net%d\"}", i, i)),
			      201);
		if (row->compat)
			assert_status(sim_post(s, "/volumes/create",
					       sim_text(s, "{\"Name\":\"n%d/old\"}", i)),
				      201);
	}
	sim_run(s, SECOND);
}

static may_suspend void begin_fault(struct sim *s, const struct row *row, enum column column)
{
	struct sim_engine *e = sim_find_engine(s, FAILING);

	switch (column) {
	case REFUSES:
		sim_stop(e);
		break;
	case HANGS:
		/* What may take any time ends with the node's health. */
		if (row->time)
			sim_fault(s, e, FAULT_STALL, asked(s, row), 1);
		else
			sim_cut(e);
		break;
	case IS_CUT:
		sim_fault(s, e, FAULT_CUT, asked(s, row), 0);
		break;
	case GARBAGE:
		sim_fault(s, e, FAULT_GARBAGE, asked(s, row), 0);
		break;
	case NONSENSE:
		sim_script(e, asked(s, row), success(row), "<html>");
		break;
	case SAYS_404:
		sim_script(e, asked(s, row), 404, "{\"message\":\"page not found\"}");
		break;
	case SAYS_500:
		sim_script(e, asked(s, row), 500, "{\"message\":\"no space left on device\"}");
		break;
	default:
		break;
	}
}

static may_suspend void end_fault(struct sim *s, enum column column)
{
	struct sim_engine *e = sim_find_engine(s, FAILING);

	sim_fault_clear(s);
	sim_script(e, NULL, 0, NULL);
	sim_heal(e);
	if (column == REFUSES)
		sim_start(e);
}

struct request_job {
	struct sim *s;
	const struct row *row;
	struct sim_reply reply;
};

static may_suspend void request_main(void *arg)
{
	struct request_job *job = arg;
	struct str method, path;

	str_cut(str_from(job->row->request), ' ', &method, &path);
	job->reply = sim_request(job->s, sim_text(job->s, "%.*s", STR_ARG(method)), path.p,
				 job->row->body);
}

/* Its answer, which must come within the node's time, or that of finding it unhealthy. */
static may_suspend struct sim_reply request_in_time(struct sim *s, const struct row *row)
{
	struct request_job job = { .s = s, .row = row };

	sim_go(s, "client", request_main, &job);
	if (!sim_join_within(s, (row->time ?: 90 * SECOND) + 2 * SECOND))
		fail_msg("%s: no answer in time", row->request);
	return job.reply;
}

static void check_told(struct sim *s, const struct row *row, const struct sim_reply *r)
{
	struct str body = r->body, line, last = STR("");

	switch (row->told) {
	case REFUSED:
		check_refused(r, r->status, FAILING ": ", __FILE__, __LINE__);
		assert_true(r->status == 404 || r->status >= 500);
		break;
	case PROGRESS:
		assert_int_equal(r->status, success(row));
		while (str_next(&body, '\n', &line))
			if (!str_empty(str_trim(line)))
				last = line;
		assert_true(str_contains(last, STR("\"errorDetail\"")));
		assert_true(str_contains(last, STR(FAILING ": ")));
		break;
	case LOGGED:
		assert_int_equal(r->status, success(row));
		assert_true(sim_logged(s, sim_text(s, "msg=\"%s\" node=" FAILING, row->log)));
		break;
	}
}

static void check_done(struct sim *s, const struct row *row, const struct sim_reply *r)
{
	for (int i = 1; i <= 3; i++) {
		const char *name = sim_text(s, "n%d", i);
		const struct sim_engine *e = sim_find_engine(s, name);

		if (strcmp(name, FAILING) == 0)
			continue;
		if (row->done ? !row->done(s, e) : !sim_calls(e, asked(s, row)))
			fail_msg("%s: %s has not done its work", row->request, name);
		if (row->item)
			assert_true(
				str_contains(r->body, str_from(sim_text(s, "%s%d", row->item, i))));
	}
}

static may_suspend void check_again(struct sim *s, const struct row *row)
{
	struct sim_reply r = request_in_time(s, row);

	if (r.status != row->again)
		assert_status(r, success(row));
	assert_false(str_contains(r.body, STR("\"errorDetail\"")));
}

static struct cell {
	const struct row *row;
	enum column column;
} told_cell;

static may_suspend void tell_cell(struct sim *s)
{
	const struct row *row = told_cell.row;
	struct sim_reply r;
	int64_t began;

	three(s, row);
	begin_fault(s, row, told_cell.column);
	began = clock_now();
	r = request_in_time(s, row);
	/* One that is well and takes long has all of its time. */
	if (told_cell.column == HANGS)
		assert_true(clock_now() - began >= row->time);
	if (row->fine & BIT(told_cell.column))
		assert_status(r, success(row));
	else
		check_told(s, row, &r);
	check_done(s, row, &r);
	end_fault(s, told_cell.column);
	check_again(s, row);
	sim_settle(s);
}

static bool is_at_work(void)
{
	static const char *const names[] = { "fan-out", "pull", "load", "replay" };
	_cleanup_(strbuf_fini) struct strbuf fibers = STRBUF_INIT;
	bool found = false;
	char part[32];

	fiber_dump(&fibers);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(part, sizeof(part), " %s: ", names[i]);
		found = found || str_contains(strbuf_str(&fibers), str_from(part));
	}
	return found;
}

static may_suspend void tell_leaver(struct sim *s)
{
	const struct row *row = told_cell.row;
	const char *body = row->body ?: "", *request;
	struct stream *client;

	three(s, row);
	sim_fault(s, sim_find_engine(s, FAILING), FAULT_STALL, asked(s, row), 0);
	request = sim_text(s,
			   "%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
			   "Content-Length: %zu\r\n\r\n%s",
			   row->request, strlen(body), body);
	client = sim_connect(s, "192.168.0.9");
	assert_null(stream_write(client, str_from(request)));
	sim_run(s, 100 * MILLISECOND);
	assert_true(sim_fault_fired(s) && is_at_work());
	stream_close(client);
	sim_run(s, SECOND);
	assert_false(is_at_work());
	end_fault(s, HANGS);
	check_again(s, row);
	sim_settle(s);
}

static void tell_row(void **state)
{
	const struct row *row = *state;
	int stride = (int)sim_stride();
	char name[120];

	/* Each row begins in another column. */
	for (int i = (int)(row - rows) % stride; i < COLUMNS; i += stride) {
		snprintf(name, sizeof(name), "%s: " FAILING " %s", row->request, column_names[i]);
		told_cell = (struct cell){ row, (enum column)i };
		sim_tell_seeds(&(struct story){ name, tell_cell }, 1);
	}
	snprintf(name, sizeof(name), "%s: the client goes away", row->request);
	sim_tell_seeds(&(struct story){ name, tell_leaver }, 1);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].request,
						.test_func = tell_row,
						.initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
