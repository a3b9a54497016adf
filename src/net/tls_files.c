/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be wrong with certificates and keys is found as they are read: an operator learns at
 * the start which file it is and why, and not from the first client.
 */
#include "net/tls_files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void file_closep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static void x509_freep(X509 **cert)
{
	X509_free(*cert);
}

static void key_freep(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/* The reason of OpenSSL's first complaint, and its queue is empty. */
static const char *complaint(void)
{
	const char *reason = ERR_reason_error_string(ERR_get_error());

	ERR_clear_error();
	return reason ? reason : "unknown reason";
}

static must_check struct error *open_file(const char *what, const char *path, FILE **ret)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return error_as(ERR_TLS, error_errno(errno, "cannot read the %s %s", what, path));
	*ret = f;
	return NULL;
}

/* A folder opens well, and cannot be read. */
static must_check struct error *check_read(const char *what, const char *path, FILE *f)
{
	if (!ferror(f))
		return NULL;
	ERR_clear_error();
	return error_as(ERR_TLS, error_errno(errno, "cannot read the %s %s", what, path));
}

/* Never asks on the terminal. */
static int no_passphrase(_unused_ char *buf, _unused_ int cap, _unused_ int writing, void *asked)
{
	*(bool *)asked = true;
	return -1;
}

static must_check struct error *out_of_time(const char *what, const char *path,
					    const ASN1_TIME *when)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *p = NULL;

	ASN1_TIME_print(text, when);
	int n = (int)BIO_get_mem_data(text, &p);
	struct error *err =
		error_new(ERR_TLS, "the certificate %s %s %.*s", path, what, n, p ? p : "");

	BIO_free(text);
	return err;
}

static must_check struct error *check_time(const char *path, const X509 *cert)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert), *until = X509_get0_notAfter(cert);

	if (X509_cmp_current_time(until) < 0)
		return out_of_time("expired on", path, until);
	if (X509_cmp_current_time(from) > 0)
		return out_of_time("is not valid before", path, from);
	return NULL;
}

static must_check struct error *read_cert(const char *path, X509 **ret)
{
	_cleanup_(file_closep) FILE *f = NULL;

	TRY(open_file("certificate", path, &f));
	*ret = PEM_read_X509(f, NULL, NULL, NULL);
	TRY(check_read("certificate", path, f));
	if (!*ret)
		return error_new(ERR_TLS, "%s holds no certificate in PEM form: %s", path,
				 complaint());
	return NULL;
}

static must_check struct error *read_key(const char *path, EVP_PKEY **ret)
{
	_cleanup_(file_closep) FILE *f = NULL;
	bool asked = false;

	TRY(open_file("key", path, &f));
	*ret = PEM_read_PrivateKey(f, NULL, no_passphrase, &asked);
	TRY(check_read("key", path, f));
	if (*ret)
		return NULL;

	const char *why = complaint();

	if (asked)
		return error_new(ERR_TLS, "the key %s is protected by a passphrase", path);
	return error_new(ERR_TLS, "%s holds no private key in PEM form: %s", path, why);
}

static must_check struct error *check_usage(const char *path, X509 *cert, bool server)
{
	int purpose = server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;

	if (X509_check_purpose(cert, purpose, 0) == 1)
		return NULL;
	ERR_clear_error();
	return error_new(ERR_TLS,
			 "the certificate %s is not for use by a TLS %s: its extendedKeyUsage "
			 "lacks %s",
			 path, server ? "server" : "client", server ? "serverAuth" : "clientAuth");
}

static must_check struct error *load_pair(const struct tls_files *files, bool server, SSL_CTX *ssl)
{
	_cleanup_(x509_freep) X509 *cert = NULL;
	_cleanup_(key_freep) EVP_PKEY *key = NULL;

	TRY(read_cert(files->cert, &cert));
	TRY(check_time(files->cert, cert));
	TRY(check_usage(files->cert, cert, server));
	TRY(read_key(files->key, &key));
	if (X509_check_private_key(cert, key) != 1) {
		ERR_clear_error();
		return error_new(ERR_TLS, "the key %s does not belong to the certificate %s",
				 files->key, files->cert);
	}
	/* Reads the file once more, for the chain behind the certificate. */
	if (SSL_CTX_use_certificate_chain_file(ssl, files->cert) != 1)
		return error_new(ERR_TLS, "cannot use the certificate %s: %s", files->cert,
				 complaint());
	if (SSL_CTX_use_PrivateKey(ssl, key) != 1)
		return error_new(ERR_TLS, "cannot use the key %s: %s", files->key, complaint());
	return NULL;
}

static must_check struct error *load_ca(const char *path, bool server, SSL_CTX *ssl)
{
	_cleanup_(x509_freep) X509 *first = NULL;

	TRY(read_cert(path, &first));
	TRY(check_time(path, first));
	if (SSL_CTX_load_verify_file(ssl, path) != 1)
		return error_new(ERR_TLS, "cannot use the CA certificates in %s: %s", path,
				 complaint());
	if (server)
		SSL_CTX_set_client_CA_list(ssl, SSL_load_client_CA_file(path));
	return NULL;
}

struct error *tls_files_load(const struct tls_files *files, bool server, SSL_CTX *ssl)
{
	if (files->system_ca)
		SSL_CTX_set_default_verify_paths(ssl);
	else if (files->verify && !files->ca)
		return error_new(ERR_TLS, "verifying the other side needs a CA certificate");
	if (!files->cert != !files->key || (server && !files->cert))
		return error_new(ERR_TLS, "a certificate and its key are both needed");
	if (files->ca)
		TRY(load_ca(files->ca, server, ssl));
	if (files->cert)
		TRY(load_pair(files, server, ssl));
	return NULL;
}
