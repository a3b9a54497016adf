/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket streams: try first, wait only where the kernel says so.
 */
#include "net/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "fiber/fence.h"
#include "net/sockaddr.h"

struct tcp_stream {
	struct stream base;
	struct fd *fd;
};

static struct tcp_stream *tcp(struct stream *s)
{
	return container_of(s, struct tcp_stream, base);
}

static bool try_later(int code)
{
	return code == EAGAIN || code == EWOULDBLOCK;
}

struct error *socket_error(const struct stream *s, const char *verb, int code)
{
	return error_as(ERR_CLOSED, error_errno(code, "cannot %s %s", verb, s->peer));
}

static may_suspend struct error *tcp_read(struct stream *s, void *buf, size_t cap, size_t *ret_n)
{
	struct tcp_stream *t = tcp(s);

	for (;;) {
		ssize_t n = recv(fd_descriptor(t->fd), buf, cap, 0);

		if (n >= 0) {
			*ret_n = (size_t)n;
			return NULL;
		}
		if (try_later(errno))
			TRY(fd_wait_readable(t->fd));
		else if (errno != EINTR)
			return socket_error(s, "read from", errno);
	}
}

/* Drops the first n bytes of the parts that `m` has left. */
static void skip_written(struct msghdr *m, size_t n)
{
	while (m->msg_iovlen > 0 && n >= m->msg_iov->iov_len) {
		n -= m->msg_iov->iov_len;
		m->msg_iov++;
		m->msg_iovlen--;
	}
	if (n > 0) {
		m->msg_iov->iov_base = (char *)m->msg_iov->iov_base + n;
		m->msg_iov->iov_len -= n;
	}
}

static may_suspend struct error *tcp_write(struct stream *s, const struct str *parts, size_t n)
{
	struct tcp_stream *t = tcp(s);
	struct iovec v[STREAM_PARTS];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = n };

	for (size_t i = 0; i < n; i++)
		v[i] = (struct iovec){ (void *)(uintptr_t)parts[i].p, parts[i].n };
	skip_written(&m, 0);
	while (m.msg_iovlen > 0) {
		TRY(fence_check(s->fence));

		ssize_t sent = sendmsg(fd_descriptor(t->fd), &m, MSG_NOSIGNAL);

		if (sent >= 0) {
			s->bytes_written += (uint64_t)sent;
			skip_written(&m, (size_t)sent);
		} else if (try_later(errno))
			TRY(fd_wait_writable(t->fd));
		else if (errno != EINTR)
			return socket_error(s, "write to", errno);
	}
	return NULL;
}

static may_suspend struct error *tcp_shutdown(struct stream *s)
{
	if (shutdown(fd_descriptor(tcp(s)->fd), SHUT_WR) != 0)
		return socket_error(s, "end the stream to", errno);
	return NULL;
}

static may_suspend struct error *tcp_wait_readable(struct stream *s)
{
	return fd_wait_readable(tcp(s)->fd);
}

static void tcp_cancel_on_hangup(struct stream *s, struct fiber *f)
{
	fd_cancel_on_hangup(tcp(s)->fd, f);
}

static void tcp_cancel_when_gone(struct stream *s, struct fiber *f)
{
	fd_cancel_when_gone(tcp(s)->fd, f);
}

static bool tcp_quiet(struct stream *s)
{
	char c;

	return recv(fd_descriptor(tcp(s)->fd), &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       try_later(errno);
}

static void tcp_set_patient(struct stream *s)
{
	socket_limit_silence(fd_descriptor(tcp(s)->fd), !s->patient);
}

void socket_reset_on_close(int descriptor)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void tcp_close(struct stream *s, bool abort)
{
	struct tcp_stream *t = tcp(s);

	if (abort)
		socket_reset_on_close(fd_descriptor(t->fd));
	fd_close(t->fd);
	free(t);
}

static const struct stream_ops tcp_ops = {
	.read = tcp_read,
	.write = tcp_write,
	.shutdown = tcp_shutdown,
	.wait_readable = tcp_wait_readable,
	.cancel_on_hangup = tcp_cancel_on_hangup,
	.cancel_when_gone = tcp_cancel_when_gone,
	.quiet = tcp_quiet,
	.set_patient = tcp_set_patient,
	.close = tcp_close,
};

struct stream *tcp_stream_new(struct fd *fd)
{
	struct tcp_stream *t = mem_new(struct tcp_stream);

	t->base.ops = &tcp_ops;
	t->fd = fd;
	socket_peer(fd_descriptor(fd), t->base.peer, sizeof(t->base.peer));
	return &t->base;
}
