/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/limit_options.h"

#include <stddef.h>

#include "base/duration.h"

enum { MOST = 1000000 };

static const struct {
	struct str name;
	size_t at; /* in struct api_limits */
	bool is_time;
} limits[] = {
	{ STR_INIT("connections"), offsetof(struct api_limits, http.connections), false },
	{ STR_INIT("requests"), offsetof(struct api_limits, client_requests), false },
	{ STR_INIT("head-time"), offsetof(struct api_limits, http.head_time), true },
	{ STR_INIT("idle-time"), offsetof(struct api_limits, http.idle_time), true },
};

static struct error *read_count(struct str value, void *ret)
{
	uint64_t n;

	if (!str_to_u64(value, &n) || n < 1 || n > MOST)
		return error_new(ERR_INVALID, "it is a whole number from 1 to %d", MOST);
	*(size_t *)ret = (size_t)n;
	return NULL;
}

static struct error *read_time(struct str value, void *ret)
{
	int64_t span;
	struct error *err = duration_parse(value, &span);

	error_free(err);
	if (err || span < SECOND || span > 24 * HOUR)
		return error_new(ERR_INVALID, "it is a span from 1s to 24h, such as 1m30s");
	*(int64_t *)ret = span;
	return NULL;
}

static struct error *read_limit(const char *text, struct api_limits *ret)
{
	struct str key, value;

	if (!str_cut(str_from(text), '=', &key, &value))
		return error_new(ERR_INVALID, "there is no =");
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		void *at = (char *)ret + limits[i].at;

		if (str_eq(key, limits[i].name))
			return limits[i].is_time ? read_time(value, at) : read_count(value, at);
	}
	return error_new(ERR_INVALID, "there is no limit %.*s", STR_ARG(key));
}

struct error *check_limit(const char *value)
{
	struct api_limits unused;

	return read_limit(value, &unused);
}

struct error *limit_options_read(const struct texts *words, struct api_limits *ret)
{
	*ret = api_limits_default;
	for (size_t i = 0; i < words->n; i++)
		TRY(read_limit(words->v[i], ret));
	return NULL;
}
