/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking work on libuv's threads. Such work touches its own argument only: errors are made from
 * its findings here, on the fiber.
 */
#include "fiber/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fiber/core.h"
#include "fiber/fiber.h"

struct job {
	uv_work_t request;
	void (*work)(void *arg);
	void *arg;
	struct fiber *fiber;
	bool done;
};

static void no_work(_unused_ uv_work_t *request)
{
}

void offload_start(void)
{
	uv_loop_t starter;
	uv_work_t request;

	if (uv_loop_init(&starter) != 0 || uv_queue_work(&starter, &request, no_work, NULL) != 0)
		loop_abort("cannot start the helper threads");
	uv_run(&starter, UV_RUN_DEFAULT);
	if (uv_loop_close(&starter) != 0)
		loop_abort("the helper threads are in use before the loop");
}

static void on_thread(uv_work_t *request)
{
	struct job *job = container_of(request, struct job, request);

	job->work(job->arg);
}

static void on_done(uv_work_t *request, _unused_ int status)
{
	struct job *job = container_of(request, struct job, request);

	job->done = true;
	fiber_wake(job->fiber, WAKE_EVENT);
}

may_suspend void offload(void (*work)(void *arg), void *arg)
{
	if (!loop || loop->kind == LOOP_VIRTUAL) {
		work(arg);
		return;
	}

	struct job job = { .work = work, .arg = arg, .fiber = fiber_must("offload") };

	if (uv_queue_work(&loop->uv, &job.request, on_thread, on_done) != 0)
		loop_abort("cannot hand work to a thread");
	while (!job.done)
		fiber_park_shielded("a helper thread");
}

struct file_job {
	const char *path;
	size_t max;
	struct strbuf *out;
	bool is_pipe;
	int code; /* errno, 0 when it was read */
};

static int read_all(int fd, size_t max, struct strbuf *out)
{
	for (;;) {
		strbuf_reserve(out, 16 * 1024);

		ssize_t n = read(fd, out->p + out->n, 16 * 1024);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		out->n += (size_t)n;
		if (out->n > max)
			return EFBIG;
	}
}

static void file_work(void *arg)
{
	struct file_job *job = arg;
	/*
	 * Opening a pipe waits for who writes to it, perhaps for ever, and nothing ends a thread.
	 */
	int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0) {
		job->code = errno;
		return;
	}
	job->is_pipe = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
	if (!job->is_pipe)
		job->code = read_all(fd, job->max, job->out);
	close(fd);
}

may_suspend struct error *offload_read_file(const char *path, size_t max, struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct file_job job = { .path = path, .max = max, .out = &text };

	offload(file_work, &job);
	if (job.is_pipe)
		return error_new(ERR_INVALID, "cannot read %s: it is a pipe and no file", path);
	if (job.code == EFBIG)
		return error_new(ERR_TOO_LARGE, "cannot read %s: larger than %zu bytes", path, max);
	if (job.code != 0)
		return error_errno(job.code, "cannot read %s", path);
	strbuf_add(out, strbuf_str(&text));
	return NULL;
}

struct resolve_job {
	const char *host;
	struct offload_addresses found;
	int code; /* of getaddrinfo */
	int system_code;
};

static void resolve_work(void *arg)
{
	struct resolve_job *job = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;

	job->code = getaddrinfo(job->host, NULL, &hints, &list);
	job->system_code = errno;
	if (job->code != 0)
		return;
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		struct offload_addresses *found = &job->found;

		if (found->n < ARRAY_LEN(found->text) &&
		    getnameinfo(a->ai_addr, a->ai_addrlen, found->text[found->n],
				sizeof(found->text[0]), NULL, 0, NI_NUMERICHOST) == 0)
			found->n++;
	}
	freeaddrinfo(list);
}

may_suspend struct error *offload_resolve(const char *host, struct offload_addresses *ret)
{
	struct resolve_job job = { .host = host };

	offload(resolve_work, &job);
	if (job.code == EAI_SYSTEM)
		return error_errno(job.system_code, "cannot look up %s", host);
	if (job.code != 0)
		return error_new(ERR_NOT_FOUND, "cannot look up %s: %s", host,
				 gai_strerror(job.code));
	if (job.found.n == 0)
		return error_new(ERR_NOT_FOUND, "cannot look up %s: it has no address", host);
	*ret = job.found;
	return NULL;
}
