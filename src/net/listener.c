/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners: some sockets, or a queue in memory, behind one accept.
 */
#include "net/listener.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "fiber/fd.h"
#include "fiber/fiber.h"
#include "fiber/offload.h"
#include "fiber/waitq.h"
#include "net/memory.h"
#include "net/sockets.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/tls_stream.h"

/* Between two looks for a free descriptor. */
#define SHORTAGE_WAIT (100 * MILLISECOND)

#define MEMORY_CAPACITY (64 * KIB)

struct listener {
	struct addr addr;
	struct tls_context *tls;
	struct sockets sockets;
	struct fd *ready;  /* the one socket, or an epoll set of them all */
	size_t next;	   /* where the next look begins, so that no socket starves another */
	bool short_of_fds; /* said so already */
	dev_t device;	   /* of the unix socket's file, to unlink no other */
	ino_t inode;
	bool in_memory;
	struct vec arrivals; /* in memory: streams that wait to be accepted */
	struct waitq acceptors;
};

static may_suspend must_check struct error *open_by_name(const struct addr *a, struct sockets *add)
{
	struct offload_addresses found;

	TRY(error_wrap(offload_resolve(a->host, &found), "cannot listen on %s:%u", a->host,
		       a->port));

	_cleanup_(error_freep) struct error *first = NULL;

	/* A name may have an address of a kind that this machine has not. */
	for (size_t i = 0; i < found.n; i++) {
		struct sockaddr_any at;

		if (sockaddr_numeric(found.text[i], a->port, &at))
			error_keep(&first, sockets_listen_at(&at, add));
	}
	return add->n > 0 ? NULL : take(first);
}

static may_suspend must_check struct error *open_tcp(const struct addr *a, struct sockets *add)
{
	struct sockaddr_any at;

	if (a->host[0] == '\0')
		return sockets_listen_everywhere(a->port, add);
	if (sockaddr_numeric(a->host, a->port, &at))
		return sockets_listen_at(&at, add);
	return open_by_name(a, add);
}

static may_suspend must_check struct error *open_sockets(const struct addr *a, struct sockets *add)
{
	switch (a->kind) {
	case ADDR_TCP:
		return open_tcp(a, add);
	case ADDR_UNIX:
		return sockets_listen_unix(a->path, add);
	default:
		return sockets_passed(a->path, add);
	}
}

/* An epoll descriptor is itself readable when one of its own is. */
static int epoll_of(const struct sockets *s)
{
	int set = epoll_create1(EPOLL_CLOEXEC);

	for (size_t i = 0; set >= 0 && i < s->n; i++) {
		struct epoll_event e = { .events = EPOLLIN };

		if (epoll_ctl(set, EPOLL_CTL_ADD, s->v[i], &e) != 0) {
			close(set);
			return -1;
		}
	}
	return set;
}

static must_check struct error *watch_sockets(struct listener *l)
{
	int descriptor = l->sockets.n == 1 ? l->sockets.v[0] : epoll_of(&l->sockets);

	if (descriptor < 0)
		return error_errno(errno, "cannot wait on %zu sockets", l->sockets.n);
	l->ready = fd_new(descriptor);
	return NULL;
}

static void note_place(struct listener *l)
{
	struct sockaddr_any at = { .n = sizeof(at.unix_) };
	struct stat st;

	if (l->addr.kind == ADDR_UNIX && stat(l->addr.path, &st) == 0) {
		l->device = st.st_dev;
		l->inode = st.st_ino;
	}
	if (l->addr.kind == ADDR_TCP && l->addr.port == 0 &&
	    getsockname(l->sockets.v[0], &at.any, &at.n) == 0)
		l->addr.port = sockaddr_port(&at);
}

may_suspend struct error *listener_open(const struct addr *a, struct tls_context *tls,
					struct listener **ret)
{
	_cleanup_(listener_closep) struct listener *l = mem_new(struct listener);

	l->addr = *a;
	TRY(open_sockets(a, &l->sockets));
	note_place(l);
	TRY(watch_sockets(l));
	if (tls)
		l->tls = tls_context_ref(tls);
	*ret = take(l);
	return NULL;
}

struct listener *listener_memory(void)
{
	struct listener *l = mem_new(struct listener);

	l->in_memory = true;
	return l;
}

struct stream *listener_connect(struct listener *l, const char *peer_name)
{
	struct stream *ours, *theirs;

	assert(l->in_memory);
	memory_pair(MEMORY_CAPACITY, peer_name, "memory", &theirs, &ours);
	vec_push(&l->arrivals, ours);
	waitq_wake_one(&l->acceptors);
	return theirs;
}

static may_suspend must_check struct error *accept_memory(struct listener *l, struct stream **ret)
{
	while (l->arrivals.n == 0)
		TRY(waitq_wait(&l->acceptors, "a connection"));
	*ret = l->arrivals.v[0];
	(void)vec_remove(&l->arrivals, *ret);
	return NULL;
}

static bool is_shortage(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

/* A connection of any of the sockets, or -1; *ret_short says that there was one but no room. */
static int accept_any(struct listener *l, bool *ret_short)
{
	*ret_short = false;
	for (size_t i = 0; i < l->sockets.n; i++) {
		int from = l->sockets.v[(l->next + i) % l->sockets.n];
		int s = accept4(from, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (s >= 0) {
			l->next += i + 1;
			return s;
		}
		*ret_short |= is_shortage(errno);
	}
	return -1;
}

static may_suspend must_check struct error *await_descriptors(struct listener *l)
{
	_cleanup_(strbuf_fini) struct strbuf at = STRBUF_INIT;

	addr_format(&l->addr, &at);
	if (!l->short_of_fds)
		log_warn("cannot accept connections: out of file descriptors or memory",
			 LOG_STR("address", strbuf_str(&at)));
	l->short_of_fds = true;
	return fiber_sleep(SHORTAGE_WAIT);
}

static may_suspend must_check struct error *accept_socket(struct listener *l, int *ret)
{
	bool is_short;
	int s;

	while ((s = accept_any(l, &is_short)) < 0) {
		if (is_short)
			TRY(await_descriptors(l));
		else
			TRY(fd_wait_readable(l->ready));
	}
	l->short_of_fds = false;
	*ret = s;
	return NULL;
}

may_suspend struct error *listener_accept(struct listener *l, struct stream **ret)
{
	int s;

	TRY(fiber_pace());
	if (l->in_memory)
		return accept_memory(l, ret);
	TRY(accept_socket(l, &s));

	/* Who may open a unix socket is for its file's mode to say; passed ones may be both. */
	bool tls = l->tls && !sockets_is_unix(s);
	struct fd *fd = fd_new(s);

	*ret = tls ? tls_stream_over(l->tls, fd, NULL) : tcp_stream_new(fd);
	return NULL;
}

const struct addr *listener_addr(const struct listener *l)
{
	return &l->addr;
}

static void unlink_own(const struct listener *l)
{
	struct stat st;

	if (l->inode != 0 && stat(l->addr.path, &st) == 0 && st.st_dev == l->device &&
	    st.st_ino == l->inode)
		unlink(l->addr.path);
}

bool listener_socket(const struct listener *l, size_t i, struct addr *ret)
{
	if (i >= l->sockets.n)
		return false;
	*ret = sockets_addr(&l->sockets, i);
	return true;
}

void listener_close(struct listener *l)
{
	struct stream *s;

	if (!l)
		return;
	while ((s = vec_pop(&l->arrivals)))
		stream_abort(s);
	vec_fini(&l->arrivals);
	waitq_fini(&l->acceptors);

	unlink_own(l);
	if (l->ready) {
		int watched = fd_release(l->ready);

		if (l->sockets.n > 1)
			close(watched);
	}
	sockets_close(&l->sockets);
	tls_context_unref(l->tls);
	free(l);
}
