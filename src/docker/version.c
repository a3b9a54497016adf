/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API versions are compared as pairs of numbers. What a version changes in a request or a reply is
 * the affair of those who read and write them, not of this file.
 */
#include "docker/version.h"

/* A few digits: longer ones are no version that anybody has, and must not overflow. */
static bool number_parse(struct str text, int *ret)
{
	uint64_t n;

	if (text.n > 6 || !str_to_u64(text, &n))
		return false;
	*ret = (int)n;
	return true;
}

bool api_version_parse(struct str text, struct api_version *ret)
{
	struct str major, minor;
	struct api_version v;

	if (!str_cut(text, '.', &major, &minor))
		return false;
	if (!number_parse(major, &v.major) || !number_parse(minor, &v.minor))
		return false;
	*ret = v;
	return true;
}

int api_version_cmp(struct api_version a, struct api_version b)
{
	if (a.major != b.major)
		return a.major < b.major ? -1 : 1;
	if (a.minor != b.minor)
		return a.minor < b.minor ? -1 : 1;
	return 0;
}

struct api_version api_version_clamp(struct api_version v, struct api_version low,
				     struct api_version high)
{
	if (api_version_cmp(v, low) < 0)
		return low;
	if (api_version_cmp(v, high) > 0)
		return high;
	return v;
}

struct error *api_version_check(struct api_version asked, struct api_version oldest,
				struct api_version newest)
{
	if (api_version_cmp(asked, oldest) < 0)
		return error_new(ERR_INVALID,
				 "client version %d.%d is too old. Minimum supported API version "
				 "is %d.%d, please upgrade your client to a newer version",
				 asked.major, asked.minor, oldest.major, oldest.minor);
	if (api_version_cmp(asked, newest) > 0)
		return error_new(ERR_INVALID,
				 "client version %d.%d is too new. Maximum supported API version "
				 "is %d.%d",
				 asked.major, asked.minor, newest.major, newest.minor);
	return NULL;
}
