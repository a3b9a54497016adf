/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One upload to every node at once: a load, or with compat an import. There is one buffer: it is
 * filled again when every node that is still taking part has sent it on, so the client is held to
 * the pace of the slowest, and a node that takes nothing for a minute is dropped.
 */
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/failures.h"
#include "cluster/images.h"
#include "cluster/internal.h"
#include "cluster/progress.h"
#include "docker/ref.h"
#include "engine/client.h"
#include "fiber/deadline.h"
#include "fiber/loop.h"

#define PIECE	     (64 * KIB)
#define SENT_AT_ONCE (16 * KIB) /* what a node must take within STALL */
#define STALL	     (60 * SECOND)

struct load_job {
	struct engine *engine;
	struct load *load;
	struct error *err;
	bool owes;  /* has the piece at hand still to send */
	bool ended; /* sends no more: failed, or done */
};

struct load {
	const struct load_request *req;
	struct progress progress;
	struct load_job *jobs;
	size_t n_jobs;
	char *piece;
	size_t n;	   /* bytes in it */
	uint64_t number;   /* of the piece at hand, from 1 */
	bool over;	   /* nothing comes behind the pieces so far */
	bool broken;	   /* ... because the client did not send all of it */
	size_t behind;	   /* jobs that owe the piece at hand */
	struct waitq next; /* jobs wait for the next piece */
	struct waitq sent; /* the reader waits for the jobs */
};

static void load_fini(struct load *l)
{
	for (size_t i = 0; i < l->n_jobs; i++)
		error_free(l->jobs[i].err);
	free(l->jobs);
	free(l->piece);
}

static void settle_debt(struct load_job *job)
{
	if (!job->owes)
		return;
	job->owes = false;
	if (--job->load->behind == 0)
		waitq_wake_all(&job->load->sent);
}

static may_suspend struct error *send_piece(struct load *l, struct http_exchange *x)
{
	for (size_t at = 0; at < l->n; at += SENT_AT_ONCE) {
		_cleanup_(deadline_end) struct deadline d = deadline_begin(STALL);
		struct str part = str_of(l->piece + at, MIN(SENT_AT_ONCE, l->n - at));
		struct error *err = http_exchange_write(x, part);

		if (error_is(err, ERR_TIMEOUT) && deadline_passed(&d)) {
			error_free(err);
			return error_new(ERR_TIMEOUT, "took nothing of the upload for 60 s and was "
						      "dropped from it");
		}
		TRY(err);
	}
	return NULL;
}

/* Sends piece after piece until the upload is over. */
static may_suspend struct error *send_all(struct load_job *job, struct http_exchange *x)
{
	struct load *l = job->load;

	for (uint64_t number = 1;; number++) {
		while (l->number < number && !l->over)
			TRY(waitq_wait(&l->next, "the next piece of an upload"));
		if (l->broken)
			return error_new(ERR_CLOSED, "the upload was cut short");
		if (l->number < number)
			return http_exchange_write_end(x);
		TRY(send_piece(l, x));
		settle_debt(job);
	}
}

/*
 * "Loaded image: busybox:latest", "Loaded image ID: sha256:...": what it is called; an import's id.
 */
static struct str loaded_image(struct str line, struct arena *arena)
{
	static const struct str words[] = { STR_INIT("Loaded image: "),
					    STR_INIT("Loaded image ID: ") };
	struct json root;
	struct error *err = json_parse(line, arena, &root);
	struct str text = err ? STR_NONE : json_get_str(root, "stream");
	struct str status = err ? STR_NONE : json_get_str(root, "status");

	error_free(err);
	if (image_id_is(status))
		return status;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_starts(text, words[i]))
			return str_trim(str_skip(text, words[i].n));
	return STR_NONE;
}

/* The image is known before the client hears of it. */
static may_suspend struct error *enter_image(struct engine *e, struct str line)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(error_freep) struct error *err = NULL;
	struct str image = loaded_image(line, &arena);

	if (!str_empty(image))
		err = engine_refresh_image(e, image);
	if (!err || error_is(err, ERR_CANCELLED))
		return take(err);
	log_debug("a loaded image could not be read, its event will tell",
		  LOG_STR("node", engine_name(e)), LOG_ERR(err));
	return NULL;
}

static may_suspend struct error *pass_line(void *arg, struct str line)
{
	struct load_job *job = arg;

	TRY(enter_image(job->engine, line));
	return progress_line(&job->load->progress, job->engine, line);
}

static may_suspend struct error *begin(struct load_job *job, struct http_exchange **ret)
{
	const struct load_request *req = job->load->req;
	struct http_header type = { STR("Content-Type"), req->content_type };
	struct http_call call = {
		.method = STR("POST"),
		.headers = &type,
		.n_headers = str_empty(req->content_type) ? 0 : 1,
		.send = req->length < 0 ? HTTP_SEND_CHUNKED : HTTP_SEND_LENGTH,
		.length = req->length < 0 ? 0 : (uint64_t)req->length,
	};

	return engine_exchange(job->engine, req->version, req->path, &call, ret);
}

static may_suspend struct error *load_on(struct load_job *job)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(error_freep) struct error *cut = NULL;
	const struct http_response *response;
	struct error *err;

	TRY(begin(job, &x));
	cut = send_all(job, x);
	job->ended = true;
	settle_debt(job);
	/*
	 * An engine that refuses answers before it has read everything: that answer is the reason.
	 */
	if (cut && (!error_is(cut, ERR_CLOSED) || job->load->broken))
		return take(cut);
	err = http_exchange_response(x, &response);
	if (err && cut) {
		error_free(err);
		return take(cut);
	}
	TRY(err);
	if (response->status >= 400)
		return engine_refusal(x);
	TRY(progress_begin(&job->load->progress));
	return engine_read_lines(x, pass_line, job);
}

static may_suspend void load_one(void *arg)
{
	struct load_job *job = arg;
	struct load *l = job->load;

	job->err = load_on(job);
	job->ended = true;
	settle_debt(job);
	if (job->err && l->progress.several && !error_is(job->err, ERR_CANCELLED))
		error_keep(&job->err, progress_failure(&l->progress, job->engine, job->err));
}

/* The piece goes to all that still take part; returns when they have sent it. */
static may_suspend struct error *hand_out(struct load *l, size_t n)
{
	l->n = n;
	l->number++;
	for (size_t i = 0; i < l->n_jobs; i++) {
		l->jobs[i].owes = !l->jobs[i].ended;
		l->behind += l->jobs[i].owes;
	}
	waitq_wake_all(&l->next);
	while (l->behind)
		TRY(waitq_wait(&l->sent, "nodes to take an upload"));
	return NULL;
}

static bool anyone_left(const struct load *l)
{
	for (size_t i = 0; i < l->n_jobs; i++)
		if (!l->jobs[i].ended)
			return true;
	return false;
}

static may_suspend struct error *read_upload(struct load *l)
{
	size_t n;

	while (anyone_left(l)) {
		TRY(l->req->read(l->req->read_arg, l->piece, PIECE, &n));
		if (!n)
			return NULL;
		TRY(hand_out(l, n));
	}
	return NULL;
}

static struct error *join_errors(struct load *l)
{
	struct failures failures = { 0 };

	for (size_t i = 0; i < l->n_jobs; i++)
		failures_add(&failures, l->jobs[i].engine, take(l->jobs[i].err));
	return failures_join(&failures);
}

may_suspend struct error *cluster_load(struct cluster *c, const struct load_request *req,
				       emit_fn *emit, void *arg)
{
	_cleanup_(engines_fini) struct engines engines = { NULL, 0 };
	_cleanup_(load_fini) struct load l = { .req = req };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	_cleanup_(error_freep) struct error *cut = NULL;

	cluster_healthy_engines(c, &engines);
	if (!engines.n)
		return error_new(ERR_NO_NODE, "No healthy node available in the cluster");

	/* They are all needed at once. */
	if (engines.n > loop_fiber_room())
		return error_over_limit(ERR_UNAVAILABLE,
					"too much is under way to load an image into %zu nodes",
					engines.n);
	l.progress = (struct progress){ .emit = emit, .arg = arg, .several = engines.n > 1 };
	l.piece = mem_alloc(PIECE);
	l.n_jobs = engines.n;
	l.jobs = mem_zalloc(l.n_jobs * sizeof(*l.jobs));
	for (size_t i = 0; i < l.n_jobs; i++) {
		l.jobs[i] = (struct load_job){ .engine = engines.v[i], .load = &l };
		group_go(&g, "load", load_one, &l.jobs[i]);
	}
	cut = read_upload(&l);
	l.broken = cut != NULL;
	l.over = true;
	waitq_wake_all(&l.next);
	TRY(group_wait(&g));
	return cut ? take(cut) : join_errors(&l);
}
