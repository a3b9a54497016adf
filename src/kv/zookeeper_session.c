/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fiber that drives the library. The library says which socket it wants to wait for, and for
 * what; that is put into an epoll of the session's own, since the socket changes with each
 * connection, and what is wanted with each call (zookeeper_call.c).
 */
#include "kv/zookeeper_session.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "base/duration.h"
#include "base/log.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fd.h"
#include "fiber/fiber.h"
#include "fiber/offload.h"

#define CONNECT_TIME (4 * SECOND)

/* The library would try to connect many times a second: once each server was tried, not so. */
#define CONNECT_PAUSE SECOND

/* After a name that could not be looked up. */
#define RESOLVE_PAUSE (2 * SECOND)

void zk_session_init(struct zk_session *s, const struct addr *addrs, size_t n_addrs, int64_t ttl,
		     bool once)
{
	*s = (struct zk_session){
		.addrs = addrs,
		.n_addrs = n_addrs,
		.ttl = ttl,
		.once = once,
		.epoll = -1,
		.socket = -1,
	};
}

static void on_log(const char *message)
{
	log_debug("zookeeper", LOG_CSTR("says", message));
}

void zk_session_on_event(_unused_ zhandle_t *handle, int type, int state, _unused_ const char *path,
			 void *arg)
{
	struct zk_session *s = arg;

	if (type != ZOO_SESSION_EVENT)
		s->news++;
	else if (state == ZOO_CONNECTED_STATE)
		s->attempts = 0;
	waitq_wake_all(&s->changed);
}

bool zk_session_connected(const struct zk_session *s)
{
	return s->handle && zoo_state(s->handle) == ZOO_CONNECTED_STATE;
}

int64_t zk_session_ttl(const struct zk_session *s)
{
	return zoo_recv_timeout(s->handle) * MILLISECOND;
}

int64_t zk_session_id(const struct zk_session *s)
{
	return s->handle ? zoo_client_id(s->handle)->client_id : 0;
}

/*
 * Numeric, since the library would wait for the DNS: "10.0.0.1:2181,::1:2181". It takes what is
 * behind the last colon for the port, and knows no brackets.
 */
static may_suspend struct error *write_servers(const struct zk_session *s, struct strbuf *out)
{
	_cleanup_(error_freep) struct error *first = NULL;

	for (size_t i = 0; i < s->n_addrs; i++) {
		struct offload_addresses found = { .n = 0 };
		struct error *err = offload_resolve(s->addrs[i].host, &found);

		if (error_is(err, ERR_CANCELLED)) {
			error_free(first);
			first = NULL;
			return err;
		}
		error_keep(&first, err);
		for (size_t k = 0; k < found.n; k++)
			strbuf_addf(out, "%s%s:%u", out->n > 0 ? "," : "", found.text[k],
				    s->addrs[i].port);
	}
	return out->n > 0 ? NULL : take(first);
}

static may_suspend struct error *open_handle(struct zk_session *s)
{
	_cleanup_(strbuf_fini) struct strbuf servers = STRBUF_INIT;
	int timeout = (int)(s->ttl / MILLISECOND);

	TRY(write_servers(s, &servers));
	s->lost_at = clock_now();
	s->attempts = 0;
	s->handle = zookeeper_init2(servers.p, zk_session_on_event, timeout, NULL, s,
				    ZOO_NO_LOG_CLIENTENV, on_log);
	return s->handle ? NULL : error_errno(errno, "cannot use the ZooKeeper at %s", servers.p);
}

/* Tells the server, where it is connected, so that the session's nodes go at once. */
static void close_handle(struct zk_session *s)
{
	zhandle_t *handle = take(s->handle);

	if (!handle)
		return;
	s->epoch++;
	zookeeper_close(handle);
	s->socket = -1;
	if (s->once)
		s->ended = true;
	waitq_wake_all(&s->changed);
}

/* A socket that was closed has left epoll by itself; its number may be that of the next one. */
static void watch_socket(struct zk_session *s, int socket, uint32_t events)
{
	struct epoll_event event = { .events = events };

	s->socket = socket;
	if (socket < 0)
		return;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, socket, &event) != 0 && errno == EEXIST)
		epoll_ctl(s->epoll, EPOLL_CTL_MOD, socket, &event);
}

/* Whatever the library waits for, it looks again. */
void zk_session_kick(struct zk_session *s)
{
	if (s->socket >= 0)
		watch_socket(s, s->socket, EPOLLIN | EPOLLOUT);
}

static int events_of(const struct zk_session *s)
{
	struct epoll_event event = { 0 };
	int interest = 0;

	if (epoll_wait(s->epoll, &event, 1, 0) <= 0)
		return 0;
	if (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		interest |= ZOOKEEPER_READ;
	if (event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		interest |= ZOOKEEPER_WRITE;
	return interest;
}

/* Before another attempt to connect, where each server has had one. */
static may_suspend struct error *hold_back(struct zk_session *s)
{
	if (s->attempts++ < s->n_addrs)
		return NULL;
	return fiber_sleep(CONNECT_PAUSE);
}

static void note_connection(struct zk_session *s, bool was_connected)
{
	bool connected = zk_session_connected(s);

	if (connected || was_connected)
		s->lost_at = clock_now();
	if (was_connected && !connected) {
		s->epoch++;
		waitq_wake_all(&s->changed);
	}
}

static may_suspend struct error *wait_ready(struct zk_session *s, int64_t span)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(span);
	struct error *err = fd_wait_readable(s->ready);

	if (!error_is(err, ERR_TIMEOUT))
		return err;
	error_free(err);
	return NULL;
}

static bool is_over(const struct zk_session *s)
{
	int64_t now = clock_now();

	if (is_unrecoverable(s->handle) == ZINVALIDSTATE)
		return true;
	/* The server has ended it by now, or it has never heard of it. */
	if (!zk_session_connected(s) && now - s->lost_at > 2 * s->ttl)
		return true;
	return s->once && now > s->until;
}

/* One turn of the library. Only a cancellation is an error. */
static may_suspend struct error *drive_once(struct zk_session *s)
{
	bool was_connected = zk_session_connected(s);
	struct timeval span = { 0 };
	int socket = -1, interest = 0, code;
	uint32_t events;
	int64_t wait;

	if (s->socket < 0)
		TRY(hold_back(s));
	if (zookeeper_interest(s->handle, &socket, &interest, &span) != ZOK)
		socket = -1;
	note_connection(s, was_connected);
	events = (interest & ZOOKEEPER_READ ? EPOLLIN : 0) |
		 (interest & ZOOKEEPER_WRITE ? EPOLLOUT : 0);
	watch_socket(s, socket, events);
	if (socket < 0)
		return fiber_yield();
	wait = span.tv_sec * SECOND + span.tv_usec * MICROSECOND;
	if (s->once)
		wait = MIN(wait, MAX(s->until - clock_now(), 0) + MILLISECOND);
	TRY(wait_ready(s, MAX(wait, MILLISECOND)));
	was_connected = zk_session_connected(s);
	code = zookeeper_process(s->handle, events_of(s));
	if (code != ZOK && code != ZNOTHING)
		s->socket = -1; /* the library has closed it */
	note_connection(s, was_connected);
	return NULL;
}

static may_suspend struct error *drive_turn(struct zk_session *s)
{
	_cleanup_(error_freep) struct error *err = NULL;

	if (s->handle) {
		TRY(drive_once(s));
		if (is_over(s))
			close_handle(s);
		return NULL;
	}
	err = open_handle(s);
	if (!err)
		return NULL;
	if (error_is(err, ERR_CANCELLED))
		return take(err);
	log_debug("zookeeper", LOG_ERR(err));
	return fiber_sleep(RESOLVE_PAUSE);
}

static may_suspend void drive(void *arg)
{
	struct zk_session *s = arg;
	struct error *err = NULL;

	while (!err && !s->ended)
		err = drive_turn(s);
	error_free(err);
	close_handle(s);
}

static void start(struct zk_session *s)
{
	if (s->driver.n > 0)
		return;
	if (s->epoll < 0) {
		s->epoll = epoll_create1(EPOLL_CLOEXEC);
		assert(s->epoll >= 0);
		s->ready = fd_new(s->epoll);
	}
	group_go(&s->driver, "zookeeper", drive, s);
}

may_suspend void zk_session_stop(struct zk_session *s)
{
	group_finish(&s->driver);
	s->ended = true;
	fd_close(take(s->ready));
	s->epoll = -1;
}

void zk_session_fini(struct zk_session *s)
{
	assert(!s->handle && !s->ready);
	waitq_fini(&s->changed);
}

struct error *zk_session_lost(const struct zk_session *s)
{
	if (s->ended)
		return kv_lease_lost("session of ZooKeeper");
	return error_new(ERR_CLOSED, "the connection to ZooKeeper was lost");
}

static may_suspend struct error *wait_connected(struct zk_session *s)
{
	while (!zk_session_connected(s)) {
		if (s->ended)
			return zk_session_lost(s);
		TRY(waitq_wait(&s->changed, "ZooKeeper to be connected"));
	}
	return NULL;
}

static void write_addrs(const struct zk_session *s, struct strbuf *out)
{
	for (size_t i = 0; i < s->n_addrs; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		addr_format(&s->addrs[i], out);
	}
}

may_suspend struct error *zk_session_connect(struct zk_session *s)
{
	_cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(CONNECT_TIME);
	struct error *err;

	if (s->ended)
		return zk_session_lost(s);
	start(s);
	err = wait_connected(s);
	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	write_addrs(s, &names);
	return error_new(ERR_REFUSED, "%s: no ZooKeeper could be connected to", names.p);
}
