/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --user: another user's rights, tried on for a look at the files that will be needed, then taken.
 */
#include "cli/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

struct error *user_find(const char *name, struct user *ret)
{
	const struct passwd *found;

	errno = 0;
	found = getpwnam(name);
	if (!found)
		return error_new(ERR_INVALID, "--user: there is no user \"%s\"", name);
	*ret = (struct user){ .name = name, .uid = found->pw_uid, .gid = found->pw_gid };
	if (geteuid() != 0 && geteuid() != ret->uid)
		return error_new(ERR_INVALID, "--user: only root can become \"%s\"", name);
	return NULL;
}

static struct error *try_open(const struct user *u, const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (descriptor < 0)
		return error_errno(errno, "user \"%s\" cannot read %s", u->name, path);
	close(descriptor);
	return NULL;
}

static struct error *try_write(const struct user *u, const char *dir)
{
	/* By the rights at hand: the effective ones. */
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) != 0)
		return error_errno(errno, "user \"%s\" cannot write to %s", u->name, dir);
	return NULL;
}

/* What `look` finds with that user's rights. */
static struct error *look_as(const struct user *u, const char *path,
			     struct error *(*look)(const struct user *u, const char *path))
{
	gid_t group = getegid();
	gid_t groups[256];
	int n_groups = getgroups((int)ARRAY_LEN(groups), groups);
	struct error *err;

	if (geteuid() == u->uid)
		return look(u, path);
	if (n_groups < 0 || initgroups(u->name, u->gid) || setegid(u->gid) || seteuid(u->uid))
		return error_errno(errno, "cannot become user \"%s\"", u->name);
	err = look(u, path);
	/* Not to be root again here would leave a manager that fails later, and oddly. */
	if (seteuid(0) || setegid(group) || setgroups((size_t)n_groups, groups))
		abort();
	return err;
}

struct error *user_check_readable(const struct user *u, const char *path)
{
	return path ? look_as(u, path, try_open) : NULL;
}

struct error *user_check_writable(const struct user *u, const char *dir)
{
	return look_as(u, dir, try_write);
}

struct error *user_become(const struct user *u)
{
	if (geteuid() == u->uid)
		return NULL;
	if (initgroups(u->name, u->gid) || setgid(u->gid) || setuid(u->uid))
		return error_errno(errno, "cannot become user \"%s\"", u->name);
	return NULL;
}
