/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serving.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/user.h"
#include "fiber/loop.h"
#include "fiber/signal.h"
#include "net/listener.h"

enum { USUAL_DESCRIPTORS = 1024 };

may_suspend struct error *serving_open(const struct serving *s, struct vec *ret)
{
	for (size_t i = 0; i < s->n_hosts; i++) {
		struct listener *l;

		TRY(listener_open(&s->hosts[i], s->tls, &l));
		vec_push(ret, l);
	}
	return NULL;
}

static void log_address(const struct serving *s, const struct addr *addr, const char *exposed)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	bool tls = s->tls && addr->kind != ADDR_UNIX;

	addr_format(addr, &name);
	log_info("listening", LOG_STR("address", strbuf_str(&name)),
		 LOG_CSTR("tls", !tls	     ? "off"
				 : s->verify ? "verify"
					     : "on"));
	if (addr->kind == ADDR_TCP && !addr_is_loopback(addr) && !(tls && s->verify))
		log_warn(exposed, LOG_STR("address", strbuf_str(&name)));
}

void serving_log(const struct serving *s, const struct listener *l, const char *exposed)
{
	const struct addr *addr = listener_addr(l);
	struct addr at;

	if (addr->kind != ADDR_FD)
		log_address(s, addr, exposed);
	/* What was passed is told by what it is: a path, an address of one network or of all. */
	for (size_t i = 0; addr->kind == ADDR_FD && listener_socket(l, i, &at); i++)
		log_address(s, &at, exposed);
}

/* Raises the limit of open files to all that is allowed, and answers it. */
static size_t raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return USUAL_DESCRIPTORS;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return USUAL_DESCRIPTORS;
	return limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)limit.rlim_cur;
}

/*
 * A third of the descriptors is left for the engines. A connection whose stream is joined to an
 * engine's has three fibers.
 */
size_t serving_room(size_t wanted)
{
	size_t descriptors = raise_descriptors() / 3 * 2;
	size_t fibers = loop_fiber_capacity() / 4;

	return MIN(wanted, MIN(descriptors, fibers));
}

void serving_log_room(size_t room, size_t wanted)
{
	if (room == wanted)
		return;
	log_info(room < loop_fiber_capacity() / 4
			 ? "fewer connections are taken: the limit of open files is low"
			 : "fewer connections are taken: vm.max_map_count is low",
		 LOG_NUM("connections", (int64_t)room), LOG_NUM("wanted", (int64_t)wanted));
}

static may_suspend void read_certificates(void)
{
	size_t n;
	_cleanup_(error_freep) struct error *err = tls_reload(&n);

	if (err)
		log_error("certificates are not read again", LOG_ERR(err));
	else if (n > 0)
		log_info("certificates are read again");
	else
		log_info("no certificates to read again: TLS is off");
}

may_suspend struct error *serving_wait(const int *signals, size_t n, int *ret_signal)
{
	for (;;) {
		TRY(signal_wait(signals, n, ret_signal));
		if (*ret_signal != SIGHUP)
			return NULL;
		read_certificates();
	}
}

static struct error *refused(const char *dir, const char *what)
{
	return error_as(ERR_INVALID, error_errno(errno, "--state-dir %s cannot be %s", dir, what));
}

struct error *serving_make_state_dir(const char *dir, const struct user *u)
{
	struct stat st;

	if (mkdir(dir, 0700) == 0) {
		if (u && chown(dir, u->uid, u->gid) != 0)
			return refused(dir, "handed to --user");
	} else if (errno != EEXIST) {
		return refused(dir, "made");
	}
	if (stat(dir, &st) != 0)
		return refused(dir, "used");
	if (!S_ISDIR(st.st_mode))
		return error_new(ERR_INVALID, "--state-dir %s is no directory", dir);
	if (u)
		return user_check_writable(u, dir);
	return access(dir, W_OK | X_OK) == 0 ? NULL : refused(dir, "written to");
}
