/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dialling: each address of a name in turn, all under the caller's deadline.
 */
#include "net/dial.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/duration.h"
#include "fiber/deadline.h"
#include "fiber/fd.h"
#include "fiber/offload.h"
#include "net/sockaddr.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/tls_stream.h"

/* An address that does not answer leaves time for the next one. The last has all that is left. */
#define NEXT_ADDRESS_AFTER (3 * SECOND)

static dial_fn *hook;
static void *hook_arg;

void dial_set_hook(dial_fn *fn, void *arg)
{
	hook = fn;
	hook_arg = arg;
}

static must_check struct error *refused(const struct sockaddr_any *to, int code)
{
	char text[128];

	sockaddr_format(to, text, sizeof(text));
	return error_as(ERR_REFUSED, error_errno(code, "cannot connect to %s", text));
}

static may_suspend must_check struct error *await_connected(struct fd *fd,
							    const struct sockaddr_any *to)
{
	char text[128];
	int code = 0;
	socklen_t n = sizeof(code);

	sockaddr_format(to, text, sizeof(text));
	TRY(error_wrap(fd_wait_writable(fd), "cannot connect to %s", text));
	if (getsockopt(fd_descriptor(fd), SOL_SOCKET, SO_ERROR, &code, &n) != 0)
		code = errno;
	return code == 0 ? NULL : refused(to, code);
}

static may_suspend must_check struct error *connect_to(const struct sockaddr_any *to,
						       struct fd **ret)
{
	int s = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* That says nothing of the other side. */
	if (s < 0)
		return error_as(ERR_UNAVAILABLE, error_errno(errno, "cannot make a socket"));
	if (to->any.sa_family != AF_UNIX) {
		socket_tune(s);
		socket_limit_silence(s, true);
	}

	int code = connect(s, &to->any, to->n) == 0 ? 0 : errno;

	if (code != 0 && code != EINPROGRESS) {
		close(s);
		return refused(to, code);
	}

	struct fd *fd = fd_new(s);
	struct error *err = code == 0 ? NULL : await_connected(fd, to);

	if (err)
		fd_close(fd);
	else
		*ret = fd;
	return err;
}

static may_suspend must_check struct error *connect_first(const struct offload_addresses *found,
							  uint16_t port, struct fd **ret)
{
	_cleanup_(error_freep) struct error *first = NULL;

	for (size_t i = 0; i < found->n; i++) {
		bool last = i + 1 == found->n;
		_cleanup_(deadline_end) struct deadline d =
			deadline_begin(last ? INT64_MAX : NEXT_ADDRESS_AFTER);
		struct sockaddr_any to;
		bool numeric = sockaddr_numeric(found->text[i], port, &to);

		assert(numeric);

		struct error *err = connect_to(&to, ret);

		if (!err || error_is(err, ERR_CANCELLED))
			return err;
		if (!last && error_is(err, ERR_TIMEOUT))
			err = error_as(ERR_REFUSED, err);
		error_keep(&first, err);
	}
	return take(first);
}

static may_suspend must_check struct error *connect_by_name(const struct addr *a, struct fd **ret)
{
	struct offload_addresses found;
	struct sockaddr_any to;

	if (sockaddr_numeric(a->host, a->port, &to))
		return connect_to(&to, ret);

	struct error *err = offload_resolve(a->host, &found);

	if (err)
		return error_wrap(error_as(ERR_REFUSED, err), "cannot connect to %s:%u", a->host,
				  a->port);
	return connect_first(&found, a->port, ret);
}

static may_suspend must_check struct error *connect_addr(const struct addr *a, struct fd **ret)
{
	struct sockaddr_any to;

	switch (a->kind) {
	case ADDR_TCP:
		return connect_by_name(a, ret);
	case ADDR_UNIX:
		to = sockaddr_unix(a->path);
		return connect_to(&to, ret);
	default:
		return error_new(ERR_INVALID, "cannot connect to fd://%s", a->path);
	}
}

may_suspend struct error *dial(const struct addr *a, struct tls_context *tls, struct stream **ret)
{
	_cleanup_(stream_closep) struct stream *s = NULL;
	struct fd *fd;

	if (hook)
		return hook(a, hook_arg, ret);

	TRY(connect_addr(a, &fd));
	if (tls) {
		s = tls_stream_over(tls, fd, a->host);
		TRY(tls_stream_handshake(s));
	} else {
		s = tcp_stream_new(fd);
	}
	*ret = take(s);
	return NULL;
}
