/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS flags that several commands have, and what goes together.
 */
#ifndef CLI_TLS_OPTIONS_H
#define CLI_TLS_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/flags.h"
#include "net/tls.h"

struct tls_options {
	bool tls, verify;
	const char *ca, *cert, *key; /* NULL: not given */
};

/* Rows for a command whose options have a struct tls_options called `tls`. */
#define TLS_FLAGS(options)                                                                   \
	{ .name = "tls",                                                                     \
	  .type = FLAG_SWITCH,                                                               \
	  .at = offsetof(options, tls.tls),                                                  \
	  .help = "Use TLS, and verify nobody; --tlsverify implies it" },                    \
		{ .name = "tlsverify",                                                       \
		  .type = FLAG_SWITCH,                                                       \
		  .at = offsetof(options, tls.verify),                                       \
		  .help = "Use TLS, and verify the other side against --tlscacert" },        \
		{ .name = "tlscacert",                                                       \
		  .type = FLAG_TEXT,                                                         \
		  .at = offsetof(options, tls.ca),                                           \
		  .value = "FILE",                                                           \
		  .takes = "a PEM file",                                                     \
		  .help = "Certificates of the CA" },                                        \
		{ .name = "tlscert",                                                         \
		  .type = FLAG_TEXT,                                                         \
		  .at = offsetof(options, tls.cert),                                         \
		  .value = "FILE",                                                           \
		  .takes = "a PEM file",                                                     \
		  .help = "Our certificate" },                                               \
	{                                                                                    \
		.name = "tlskey", .type = FLAG_TEXT, .at = offsetof(options, tls.key),       \
		.value = "FILE", .takes = "a PEM file", .help = "The key of our certificate" \
	}

/* ERR_INVALID names the flag that is missing or has no use. */
must_check struct error *tls_options_check(const struct tls_options *t);
/* ERR_INVALID where any is given to a command whose discovery has no use for them. */
must_check struct error *tls_options_unused(const struct tls_options *t, const char *scheme);
bool tls_options_on(const struct tls_options *t);
struct tls_files tls_options_files(const struct tls_options *t);

#endif
