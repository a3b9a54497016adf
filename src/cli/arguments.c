/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several commands take: the <discovery>, and values of some form.
 */
#include <stdlib.h>

#include "cli/command.h"
#include "net/addr.h"

bool discovery_is_given(const struct texts *words)
{
	return words->n > 0 || !str_empty(str_from(getenv("SWARM_DISCOVERY")));
}

const char *default_token_service(void)
{
	return getenv("SWARM_TOKEN_SERVICE");
}

struct error *discovery_argument(const struct texts *words, struct str *ret)
{
	const char *env = getenv("SWARM_DISCOVERY");

	if (words->n > 1)
		return error_new(
			ERR_INVALID,
			"there is more than one <discovery>: \"%s\" and \"%s\" (a list has "
			"commas and no spaces)",
			words->v[0], words->v[1]);
	*ret = str_from(words->n == 1 ? words->v[0] : env);
	if (str_empty(*ret))
		return error_new(ERR_INVALID,
				 "a <discovery> is missing: nodes://host1:2375,host2:2375, "
				 "file:///path, token://id or etcd://host/prefix, as an argument "
				 "or in $SWARM_DISCOVERY");
	return NULL;
}

struct error *no_arguments(const struct texts *words)
{
	if (words->n > 0)
		return error_new(ERR_INVALID, "takes no argument, but there is \"%s\"",
				 words->v[0]);
	return NULL;
}

struct error *check_host(const char *value)
{
	struct addr addr;

	return addr_parse(str_from(value), &addr);
}

struct error *check_host_port(const char *value)
{
	struct addr addr;

	return addr_parse_host_port(str_from(value), &addr);
}

struct error *check_key_value(const char *value)
{
	struct str key, rest;

	if (!str_cut(str_from(value), '=', &key, &rest) || str_empty(key))
		return error_new(ERR_INVALID, "there is no key=");
	return NULL;
}
