/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for tests, made on the spot in a folder of their own.
 */
#ifndef TEST_NET_CERTS_H
#define TEST_NET_CERTS_H

#include <stdint.h>

enum cert_use {
	CERT_CA,
	CERT_SERVER,
	CERT_CLIENT,
	CERT_BOTH,
	CERT_NO_SIGNING, /* for both by its extendedKeyUsage, and for neither by its keyUsage */
};

struct cert_wish {
	const char *name;   /* the files are <dir>/<name>.pem and <dir>/<name>.key */
	const char *issuer; /* a name made before, or NULL: signs itself */
	enum cert_use use;
	const char *subjects; /* as in openssl.cnf: "DNS:localhost,IP:127.0.0.1", or NULL */
	int64_t from, until;  /* seconds from now */
};

/* Writes both files. Aborts where it cannot. */
void cert_make(const char *dir, const struct cert_wish *wish);
void cert_remove(const char *dir, const char *name); /* both */

/* <dir>/<name><suffix>; four of them can be in use at once. */
const char *cert_path(const char *dir, const char *name, const char *suffix);

/* Writes <dir>/<joint>.pem: the certificates of `names`, with a NULL behind them, in that order. */
void cert_join(const char *dir, const char *const *names, const char *joint);

/* Writes <dir>/<locked>.key, which is the key of `name` behind a passphrase. */
void cert_lock_key(const char *dir, const char *name, const char *locked);

#endif
