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

#include "net/tls_peer.h"

static void file_closep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static void certs_freep(struct stack_st_X509 **certs)
{
	sk_X509_pop_free(*certs, X509_free);
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

/* Of several in a file it takes more than the path to find it. */
static must_check struct error *out_of_time(const char *what, const char *path, X509 *cert,
					    bool alone, const ASN1_TIME *when)
{
	char name[TLS_PEER_SHOWN];
	BIO *text = BIO_new(BIO_s_mem());
	char *p = NULL;
	struct error *err;
	int n;

	ASN1_TIME_print(text, when);
	n = (int)BIO_get_mem_data(text, &p);
	tls_peer_describe(cert, name, sizeof(name));
	if (alone)
		err = error_new(ERR_TLS, "the certificate %s %s %.*s", path, what, n, p ? p : "");
	else
		err = error_new(ERR_TLS, "a certificate in %s %s %.*s (%s)", path, what, n,
				p ? p : "", name);
	BIO_free(text);
	return err;
}

static must_check struct error *check_time(const char *path, const struct stack_st_X509 *certs,
					   int i)
{
	X509 *cert = sk_X509_value(certs, i);
	const ASN1_TIME *from = X509_get0_notBefore(cert), *until = X509_get0_notAfter(cert);
	bool alone = sk_X509_num(certs) == 1;

	if (X509_cmp_current_time(until) < 0)
		return out_of_time("expired on", path, cert, alone, until);
	if (X509_cmp_current_time(from) > 0)
		return out_of_time("is not valid before", path, cert, alone, from);
	return NULL;
}

/* All that the file holds, one at least. */
static must_check struct error *read_certs(const char *path, struct stack_st_X509 **ret)
{
	_cleanup_(file_closep) FILE *f = NULL;
	_cleanup_(certs_freep) struct stack_st_X509 *certs = sk_X509_new_null();
	X509 *cert;

	TRY(open_file("certificate", path, &f));
	while ((cert = PEM_read_X509(f, NULL, NULL, NULL)))
		sk_X509_push(certs, cert);
	TRY(check_read("certificate", path, f));
	if (sk_X509_num(certs) == 0)
		return error_new(ERR_TLS, "%s holds no certificate in PEM form: %s", path,
				 complaint());
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return error_new(ERR_TLS, "%s holds a certificate that cannot be read: %s", path,
				 complaint());
	ERR_clear_error();
	*ret = take(certs);
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

/* OpenSSL says that a certificate is not for this side, and leaves it to us to see why. */
static must_check struct error *check_usage(const char *path, X509 *cert, bool server)
{
	int purpose = server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
	uint32_t use = server ? XKU_SSL_SERVER | XKU_SGC : XKU_SSL_CLIENT;
	uint32_t sign =
		KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT | (server ? KU_KEY_ENCIPHERMENT : 0);
	const char *why = "its nsCertType is another";

	if (X509_check_purpose(cert, purpose, 0) == 1)
		return NULL;
	ERR_clear_error();
	/* Either is all ones where the certificate has none. */
	if (X509_get_extension_flags(cert) & EXFLAG_INVALID)
		why = "its extensions are malformed";
	else if (!(X509_get_extended_key_usage(cert) & use))
		why = server ? "its extendedKeyUsage lacks serverAuth"
			     : "its extendedKeyUsage lacks clientAuth";
	else if (!(X509_get_key_usage(cert) & sign))
		why = "its keyUsage lacks digitalSignature";
	return error_new(ERR_TLS, "the certificate %s is not for use by a TLS %s: %s", path,
			 server ? "server" : "client", why);
}

/* Who verifies it checks each of the chain, so each of them counts. */
static must_check struct error *load_pair(const struct tls_files *files, bool server, SSL_CTX *ssl)
{
	_cleanup_(certs_freep) struct stack_st_X509 *chain = NULL;
	_cleanup_(key_freep) EVP_PKEY *key = NULL;

	TRY(read_certs(files->cert, &chain));
	for (int i = 0; i < sk_X509_num(chain); i++)
		TRY(check_time(files->cert, chain, i));
	TRY(check_usage(files->cert, sk_X509_value(chain, 0), server));
	TRY(read_key(files->key, &key));
	if (X509_check_private_key(sk_X509_value(chain, 0), key) != 1) {
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

/* While a CA is replaced both are in the file: one that is in its time is enough. */
static must_check struct error *check_cas(const char *path, const struct stack_st_X509 *certs,
					  struct strbuf *ret_idle)
{
	_cleanup_(error_freep) struct error *first = NULL;
	size_t before = ret_idle->n;
	bool any = false;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		struct error *err = check_time(path, certs, i);

		any |= !err;
		if (err)
			strbuf_addf(ret_idle, "%s%s", ret_idle->n ? "; " : "", error_message(err));
		error_keep(&first, err);
	}
	if (any)
		return NULL;
	ret_idle->n = before;
	return take(first);
}

static must_check struct error *load_ca(const char *path, bool server, SSL_CTX *ssl,
					struct strbuf *ret_idle)
{
	_cleanup_(certs_freep) struct stack_st_X509 *certs = NULL;

	TRY(read_certs(path, &certs));
	TRY(check_cas(path, certs, ret_idle));
	if (SSL_CTX_load_verify_file(ssl, path) != 1)
		return error_new(ERR_TLS, "cannot use the CA certificates in %s: %s", path,
				 complaint());
	if (server)
		SSL_CTX_set_client_CA_list(ssl, SSL_load_client_CA_file(path));
	return NULL;
}

struct error *tls_files_load(const struct tls_files *files, bool server, SSL_CTX *ssl,
			     struct strbuf *ret_idle)
{
	if (files->system_ca)
		SSL_CTX_set_default_verify_paths(ssl);
	else if (files->verify && !files->ca)
		return error_new(ERR_TLS, "verifying the other side needs a CA certificate");
	if (!files->cert != !files->key || (server && !files->cert))
		return error_new(ERR_TLS, "a certificate and its key are both needed");
	if (files->ca)
		TRY(load_ca(files->ca, server, ssl, ret_idle));
	if (files->cert)
		TRY(load_pair(files, server, ssl));
	return NULL;
}
