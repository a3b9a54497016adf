/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming another user, for good, once nothing needs root any more.
 */
#ifndef CLI_USER_H
#define CLI_USER_H

#include <sys/types.h>

#include "base/error.h"

struct user {
	const char *name; /* borrowed */
	uid_t uid;
	gid_t gid;
};

/*
 * ERR_INVALID: no such user, or one that this process may not become. Reads files: before a loop
 * runs.
 */
must_check struct error *user_find(const char *name, struct user *ret);

/* Whether that user can read the file; NULL as path is fine. */
must_check struct error *user_check_readable(const struct user *u, const char *path);

/* Whether that user can make files in the directory. */
must_check struct error *user_check_writable(const struct user *u, const char *dir);

/* Groups, group, user; root's rights are gone afterwards. */
must_check struct error *user_become(const struct user *u);

#endif
