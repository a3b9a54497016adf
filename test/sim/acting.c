/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/acting.h"

struct acting acting;

struct request_job {
	struct sim *s;
	const char *method, *path, *body;
	const struct http_header *headers;
};

static may_suspend void request_main(void *arg)
{
	const struct request_job *job = arg;

	acting.reply = sim_request_as(job->s, "192.168.0.1", job->method, job->path, job->body,
				      job->headers);
}

may_suspend void act(struct sim *s, const char *method, const char *path, const char *body,
		     const struct http_header *headers)
{
	struct request_job job = { s, method, path, body, headers };

	acting.reply = (struct sim_reply){ 0 };
	sim_go(s, "client", request_main, &job);
	acting.in_time = sim_join_within(s, PATIENCE);
}

void check_answer(struct sim *s, int success)
{
	/* It was the client that went away. */
	if (sim_fault_kind(s) == FAULT_HANGUP || !acting.in_time)
		return;
	if (acting.reply.status == success)
		return;
	if (acting.reply.status < 400)
		fail_msg("status %d: %.*s", acting.reply.status, STR_ARG(acting.reply.body));
	assert_refused(acting.reply, acting.reply.status, "");
}

void check_in_time(void)
{
	assert_true(acting.in_time);
}

may_suspend void two_nodes(struct sim *s)
{
	pool_up(s, 2);
}

may_suspend void x_created(struct sim *s)
{
	two_nodes(s);
	sim_create(s, "x", NULL);
}

may_suspend void x_running(struct sim *s)
{
	two_nodes(s);
	sim_run_container(s, "x", NULL);
}

size_t copies_of(struct sim *s, const char *name)
{
	return pool_count(s, sim_has_container, name);
}

bool runs(struct sim *s, const char *name)
{
	return pool_count(s, sim_is_running, name) > 0;
}

void check_stream(struct sim *s, const char *last)
{
	if (sim_fault_kind(s) == FAULT_HANGUP || !acting.in_time || acting.reply.status == 0)
		return;
	if (acting.reply.status != 200) {
		check_answer(s, 200);
		return;
	}
	if (!str_contains(acting.reply.body, str_from(last)))
		fail_msg("cut short, and nobody is told: %.*s", STR_ARG(acting.reply.body));
}

struct hijack_job {
	struct sim *s;
	const char *path, *body;
	struct sim_hijack *h;
};

static may_suspend void hijack_main(void *arg)
{
	struct hijack_job *job = arg;

	job->h = sim_hijack_try(job->s, job->path, job->body, true, "early ");
	if (!job->h->stream)
		return;
	/* Each may fail: the other side is gone, which the reading shows. */
	error_free(stream_write(job->h->stream, STR("hello")));
	error_free(stream_shutdown(job->h->stream));
	sim_hijack_to_end(job->h, 20 * MINUTE);
}

/* What came in order ends in order; what did not is broken, cut or was refused. */
may_suspend void act_hijacked(struct sim *s, const char *path, const char *body)
{
	struct hijack_job job = { s, path, body, NULL };
	struct sim_hijack *h;

	sim_go(s, "client", hijack_main, &job);
	acting.in_time = sim_join_within(s, PATIENCE);
	h = job.h;
	if (sim_fault_kind(s) == FAULT_HANGUP || !acting.in_time) {
		if (h)
			sim_hijack_close(h);
		return;
	}
	if (h->status != 101) {
		assert_in_range(h->status, 400, 599);
		assert_true(str_contains(h->refusal, STR("{\"message\":\"")));
		return;
	}
	assert_true(h->ended);
	if (!sim_fault_fired(s)) {
		assert_true(str_contains(strbuf_str(&h->in), STR("early ")));
		assert_true(str_contains(strbuf_str(&h->in), STR("hello")));
		assert_false(h->broke);
	}
	sim_hijack_close(h);
}

void check_progress(struct sim *s)
{
	struct str rest = acting.reply.body, line, last = STR("");
	size_t errors = 0;

	if (sim_fault_kind(s) == FAULT_HANGUP || !acting.in_time || acting.reply.status == 0)
		return;
	if (acting.reply.status != 200) {
		check_answer(s, 200);
		return;
	}
	while (str_next(&rest, '\n', &line)) {
		errors += str_contains(line, STR("\"errorDetail\""));
		if (!str_empty(str_trim(line)))
			last = line;
	}
	assert_true(errors <= 1);
	if (errors)
		assert_true(str_contains(last, STR("\"errorDetail\"")));
}
