/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets: made here, or passed by systemd (sd_listen_fds(3) describes the protocol).
 */
#include "net/sockets.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define PASSED_FIRST 3

void sockets_close(struct sockets *s)
{
	while (s->n > 0)
		close(s->v[--s->n]);
}

bool sockets_is_unix(int descriptor)
{
	int family = AF_UNSPEC;
	socklen_t n = sizeof(family);

	return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0 && family == AF_UNIX;
}

struct addr sockets_addr(const struct sockets *s, size_t i)
{
	struct sockaddr_any at = { .n = sizeof(at.unix_) };
	struct addr a = { .kind = ADDR_TCP };

	/* What cannot be told is taken for any address, so that it is warned of. */
	if (getsockname(s->v[i], &at.any, &at.n) != 0)
		return a;
	if (at.any.sa_family == AF_UNIX) {
		a.kind = ADDR_UNIX;
		(void)snprintf(a.path, sizeof(a.path), "%.*s", (int)sizeof(a.path) - 1,
			       at.unix_.sun_path);
		return a;
	}
	(void)getnameinfo(&at.any, at.n, a.host, sizeof(a.host), NULL, 0, NI_NUMERICHOST);
	a.port = sockaddr_port(&at);
	return a;
}

static void add_socket(struct sockets *s, int descriptor)
{
	assert(s->n < SOCKETS_MAX);
	s->v[s->n++] = descriptor;
}

static must_check struct error *cannot_listen(const struct sockaddr_any *at, int code)
{
	char text[128];

	sockaddr_format(at, text, sizeof(text));
	return error_errno(code, "cannot listen on %s", text);
}

static int set_flag(int s, int level, int option, int value)
{
	return setsockopt(s, level, option, &value, sizeof(value));
}

/* errno, or 0 and the socket in *ret. */
static int listen_at(const struct sockaddr_any *at, bool v6_only, int *ret)
{
	int s = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return errno;
	(void)set_flag(s, SOL_SOCKET, SO_REUSEADDR, 1);
	if (at->any.sa_family == AF_INET6)
		(void)set_flag(s, IPPROTO_IPV6, IPV6_V6ONLY, v6_only);
	socket_tune(s);
	if (bind(s, &at->any, at->n) != 0 || listen(s, SOMAXCONN) != 0) {
		int code = errno;

		close(s);
		return code;
	}
	*ret = s;
	return 0;
}

struct error *sockets_listen_at(const struct sockaddr_any *at, struct sockets *add)
{
	int s = -1, code = listen_at(at, true, &s);

	if (code != 0)
		return cannot_listen(at, code);
	add_socket(add, s);
	return NULL;
}

struct error *sockets_listen_everywhere(uint16_t port, struct sockets *add)
{
	struct sockaddr_any v6 = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) },
				   .n = sizeof(v6.v6) };
	struct sockaddr_any v4 = { .v4 = { .sin_family = AF_INET, .sin_port = htons(port) },
				   .n = sizeof(v4.v4) };
	int s = -1, code = listen_at(&v6, false, &s);

	if (code == EAFNOSUPPORT || code == EADDRNOTAVAIL)
		return sockets_listen_at(&v4, add);
	if (code != 0)
		return cannot_listen(&v6, code);
	add_socket(add, s);
	return NULL;
}

/* Somebody listens there. Where that cannot be told, errno in *ret_code. */
static bool is_live(const struct sockaddr_any *at, int *ret_code)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int code = s < 0 || connect(s, &at->any, at->n) == 0 ? 0 : errno;

	*ret_code = 0;
	if (s < 0)
		*ret_code = errno;
	else
		close(s);
	if (code != 0 && code != EAGAIN && code != ECONNREFUSED)
		*ret_code = code;
	return code == 0 || code == EAGAIN;
}

/* Something has that name already: takes it away if it is a socket that a process left behind. */
static must_check struct error *clear_stale(const struct sockaddr_any *at)
{
	const char *path = at->unix_.sun_path;
	struct stat st;
	int code;

	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return error_new(ERR_CONFLICT, "cannot listen on %s: it exists and is no socket",
				 path);
	bool live = is_live(at, &code);

	if (code != 0)
		return cannot_listen(at, code);
	if (live)
		return error_new(ERR_CONFLICT, "cannot listen on %s: a running process does", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return cannot_listen(at, errno);
	return NULL;
}

static must_check struct error *bind_unix(int s, const struct sockaddr_any *at)
{
	/* The file has the mode of the socket, less the umask: at no time more than 0660. */
	(void)fchmod(s, 0660);
	if (bind(s, &at->any, at->n) != 0) {
		if (errno != EADDRINUSE)
			return cannot_listen(at, errno);
		TRY(clear_stale(at));
		if (bind(s, &at->any, at->n) != 0)
			return cannot_listen(at, errno);
	}
	if (chmod(at->unix_.sun_path, 0660) != 0 || listen(s, SOMAXCONN) != 0)
		return cannot_listen(at, errno);
	return NULL;
}

struct error *sockets_listen_unix(const char *path, struct sockets *add)
{
	struct sockaddr_any at = sockaddr_unix(path);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return cannot_listen(&at, errno);

	struct error *err = bind_unix(s, &at);

	if (err)
		close(s);
	else
		add_socket(add, s);
	return err;
}

/* How many were passed to this process, and not to its parent. */
static size_t passed_count(void)
{
	uint64_t pid, n;

	if (!str_to_u64(str_from(getenv("LISTEN_PID")), &pid) || pid != (uint64_t)getpid() ||
	    !str_to_u64(str_from(getenv("LISTEN_FDS")), &n))
		return 0;
	return MIN(n, SOCKETS_MAX);
}

static bool is_meant(const char *name, struct str passed_name, int descriptor)
{
	uint64_t number;

	return name[0] == '\0' || strcmp(name, "*") == 0 || str_eq(passed_name, str_from(name)) ||
	       (str_to_u64(str_from(name), &number) && number == (uint64_t)descriptor);
}

static must_check struct error *adopt(int descriptor, struct sockets *add)
{
	int listens = 0;
	socklen_t n = sizeof(listens);

	if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 || !listens)
		return error_new(ERR_INVALID,
				 "descriptor %d from the service manager is no listening socket",
				 descriptor);
	(void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
	(void)fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
	socket_tune(descriptor);
	add_socket(add, descriptor);
	return NULL;
}

struct error *sockets_passed(const char *name, struct sockets *add)
{
	struct str names = str_from(getenv("LISTEN_FDNAMES"));
	size_t n = passed_count();

	if (n == 0)
		return error_new(ERR_INVALID, "the service manager passed no socket (LISTEN_FDS)");
	for (size_t i = 0; i < n; i++) {
		int descriptor = PASSED_FIRST + (int)i;
		struct str passed_name = STR_NONE;

		(void)str_next(&names, ':', &passed_name);
		if (is_meant(name, passed_name, descriptor))
			TRY(adopt(descriptor, add));
	}
	if (add->n == 0)
		return error_new(ERR_INVALID, "the service manager passed no socket named \"%s\"",
				 name);
	return NULL;
}
