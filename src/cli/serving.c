/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serving.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/user.h"
#include "net/listener.h"

may_suspend struct error *serving_open(const struct serving *s, struct vec *ret)
{
	for (size_t i = 0; i < s->n_hosts; i++) {
		const struct addr *addr = &s->hosts[i];
		/* Who may open a unix socket is for its file's mode to say. */
		struct tls_context *tls = addr->kind == ADDR_UNIX ? NULL : s->tls;
		struct listener *l;

		TRY(listener_open(addr, tls, &l));
		vec_push(ret, l);
	}
	return NULL;
}

void serving_log(const struct serving *s, const struct listener *l, const char *exposed)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	const struct addr *addr = listener_addr(l);
	bool tls = s->tls && addr->kind != ADDR_UNIX;

	addr_format(addr, &name);
	log_info("listening", LOG_STR("address", strbuf_str(&name)),
		 LOG_CSTR("tls", !tls	     ? "off"
				 : s->verify ? "verify"
					     : "on"));
	if (addr->kind == ADDR_TCP && !addr_is_loopback(addr) && !(tls && s->verify))
		log_warn(exposed, LOG_STR("address", strbuf_str(&name)));
}

void serving_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		log_debug("open files", LOG_NUM("limit", (int64_t)limit.rlim_cur));
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
