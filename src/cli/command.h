/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command is: a cmd_<name>.c, and a row of the table in cli.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/error.h"
#include "cli/flags.h"

struct command {
	const char *name;
	const char *alias;    /* one letter, or NULL */
	const char *synopsis; /* what follows the name: "[FLAGS] <discovery>" */
	const char *summary;  /* one line */
	const char *details;  /* further lines of --help, each with its newline; or NULL */
	const struct flag *flags;
	size_t options_size; /* of the struct that the flags fill in */

	/*
	 * Checks what no flag can check alone, and does it. An error is shown as one line, and is
	 * exit status 1. Not on a fiber: it runs the loop itself where it needs one.
	 */
	struct error *(*run)(const void *options, const struct texts *words);
};

extern const struct command command_create, command_list, command_manage, command_join,
	command_discovery;
extern const struct flag global_flags[];

/* How to write a <discovery>, for `details`: any, and those that nodes enter themselves. */
#define STORED_DISCOVERY_DETAILS                                                 \
	"  token://host:port/id             in a token service; token://id: in " \
	"$SWARM_TOKEN_SERVICE's\n"                                               \
	"  etcd://host1,host2/prefix        in a key-value store; consul://, zk://\n"
#define DISCOVERY_DETAILS                                                                          \
	"<discovery> says where the addresses of the nodes come from, or $SWARM_DISCOVERY does:\n" \
	"  host1:2375,host2:2375            a list; nodes:// may stand before it\n"                \
	"  10.0.0.[10:20]:2375              with ranges\n"                                         \
	"  file:///path/to/file             an address a line, # comments; followed as it "        \
	"changes\n" STORED_DISCOVERY_DETAILS

/* The one word that is the <discovery>, else $SWARM_DISCOVERY. */
must_check struct error *discovery_argument(const struct texts *words, struct str *ret);

/* Whether there is one at all. */
bool discovery_is_given(const struct texts *words);
/* $SWARM_TOKEN_SERVICE: the service of token://id; NULL: not known. */
const char *default_token_service(void);

/* ERR_INVALID where there are words at all. */
must_check struct error *no_arguments(const struct texts *words);

#define HOST_TAKES "tcp://ip:port, :port, ip:port, [v6]:port, unix:///path or fd://"
#define HOST_FLAG(options)                                                                        \
	{                                                                                         \
		.name = "host", .letter = 'H', .type = FLAG_LIST, .at = offsetof(options, hosts), \
		.env = "SWARM_HOST", .fallback = "tcp://127.0.0.1:2375", .value = "ADDRESS",      \
		.takes = HOST_TAKES, .check = check_host, .help = "Where to listen: " HOST_TAKES  \
	}

#define DISCOVERY_OPT_FLAG(options)                                                             \
	{                                                                                       \
		.name = "discovery-opt", .type = FLAG_LIST,                                     \
		.at = offsetof(options, discovery_opts), .value = "K=V",                        \
		.takes = "an option of the discovery as key=value", .check = check_key_value,   \
		.help = "An option of a key-value store: kv.path, kv.cacertfile, kv.certfile, " \
			"kv.keyfile"                                                            \
	}

/* Forms of values that several commands take; see flag.check. */
must_check struct error *check_host(const char *value);
must_check struct error *check_host_port(const char *value);
must_check struct error *check_key_value(const char *value);

#endif
