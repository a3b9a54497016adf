/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for tests.
 */
#include "certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"

static void require(int ok)
{
	if (!ok)
		abort();
}

static FILE *open_in(const char *dir, const char *name, const char *suffix, const char *mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);

	FILE *f = fopen(path, mode);

	require(f != NULL);
	return f;
}

static void extend(X509 *cert, X509 *issuer, int id, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);

	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, id, value);

	require(e != NULL && X509_add_ext(cert, e, -1));
	X509_EXTENSION_free(e);
}

static void extend_for_use(X509 *cert, X509 *issuer, const struct cert_wish *wish)
{
	static const char *const usage[] = {
		[CERT_SERVER] = "serverAuth",
		[CERT_CLIENT] = "clientAuth",
		[CERT_BOTH] = "serverAuth,clientAuth",
		[CERT_NO_SIGNING] = "serverAuth,clientAuth",
	};

	if (wish->use == CERT_CA)
		extend(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
	else
		extend(cert, issuer, NID_ext_key_usage, usage[wish->use]);
	if (wish->use == CERT_NO_SIGNING)
		extend(cert, issuer, NID_key_usage, "keyCertSign");
	if (wish->subjects)
		extend(cert, issuer, NID_subject_alt_name, wish->subjects);
}

static void read_issuer(const char *dir, const char *name, X509 **cert, EVP_PKEY **key)
{
	FILE *f = open_in(dir, name, "pem", "r");

	*cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	f = open_in(dir, name, "key", "r");
	*key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	require(*cert && *key);
}

static void write_files(const char *dir, const char *name, X509 *cert, EVP_PKEY *key)
{
	FILE *f = open_in(dir, name, "pem", "w");

	require(PEM_write_X509(f, cert));
	fclose(f);
	f = open_in(dir, name, "key", "w");
	require(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	fclose(f);
}

void cert_make(const char *dir, const struct cert_wish *wish)
{
	static long serial = 1;
	EVP_PKEY *key = EVP_EC_gen("P-256"), *issuer_key = key;
	X509 *cert = X509_new(), *issuer = cert;
	X509_NAME *subject = X509_get_subject_name(cert);

	require(key && cert);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), wish->from);
	X509_gmtime_adj(X509_getm_notAfter(cert), wish->until);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)wish->name,
				   -1, -1, 0);
	if (wish->issuer)
		read_issuer(dir, wish->issuer, &issuer, &issuer_key);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	extend_for_use(cert, issuer, wish);
	require(X509_sign(cert, issuer_key, EVP_sha256()));
	write_files(dir, wish->name, cert, key);

	if (wish->issuer) {
		X509_free(issuer);
		EVP_PKEY_free(issuer_key);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
}

void cert_join(const char *dir, const char *const *names, const char *joint)
{
	FILE *out = open_in(dir, joint, "pem", "w");

	for (; *names; names++) {
		FILE *f = open_in(dir, *names, "pem", "r");
		X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);

		require(cert && PEM_write_X509(out, cert));
		X509_free(cert);
		fclose(f);
	}
	fclose(out);
}

void cert_lock_key(const char *dir, const char *name, const char *locked)
{
	FILE *f = open_in(dir, name, "key", "r");
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	require(key != NULL);
	fclose(f);
	f = open_in(dir, locked, "key", "w");
	require(PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(), (const unsigned char *)"word", 4,
				     NULL, NULL));
	fclose(f);
	EVP_PKEY_free(key);
}

const char *cert_path(const char *dir, const char *name, const char *suffix)
{
	static char paths[4][80];
	static size_t next;
	char *path = paths[next++ % ARRAY_LEN(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s%s", dir, name, suffix);
	return path;
}

void cert_remove(const char *dir, const char *name)
{
	unlink(cert_path(dir, name, ".pem"));
	unlink(cert_path(dir, name, ".key"));
}
