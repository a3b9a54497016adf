/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the TLS flags go together. What is in the files is net/tls's to judge.
 */
#include "cli/tls_options.h"

bool tls_options_on(const struct tls_options *t)
{
	return t->tls || t->verify;
}

/* The first that names a file. */
static const char *file_flag(const struct tls_options *t)
{
	return t->cert ? "--tlscert" : t->key ? "--tlskey" : t->ca ? "--tlscacert" : NULL;
}

struct error *tls_options_unused(const struct tls_options *t, const char *scheme)
{
	const char *flag = t->verify ? "--tlsverify" : t->tls ? "--tls" : file_flag(t);

	if (flag)
		return error_new(ERR_INVALID, "%s has no use: %s:// does not use TLS", flag,
				 scheme);
	return NULL;
}

struct error *tls_options_check(const struct tls_options *t)
{
	const char *useless = file_flag(t);

	if (!tls_options_on(t)) {
		if (useless)
			return error_new(ERR_INVALID, "%s needs --tls or --tlsverify beside it",
					 useless);
		return NULL;
	}
	if (t->verify && !t->ca)
		return error_new(ERR_INVALID, "--tlsverify needs --tlscacert FILE beside it");
	if (!t->cert || !t->key)
		return error_new(ERR_INVALID, "%s needs %s FILE beside it",
				 t->verify ? "--tlsverify" : "--tls",
				 t->cert ? "--tlskey" : "--tlscert");
	return NULL;
}

struct tls_files tls_options_files(const struct tls_options *t)
{
	return (struct tls_files){
		.ca = t->ca, .cert = t->cert, .key = t->key, .verify = t->verify
	};
}
