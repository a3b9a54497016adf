/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates in words.
 */
#include "net/tls_peer.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/attr.h"

/* Escapes what is no plain text, as RFC 2253 has it, and what is not ASCII. */
#define NAME_FORM (XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ)

enum { NAMES_SHOWN = 8 };

static void print_names(X509 *cert, BIO *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < NAMES_SHOWN; i++) {
		BIO_puts(out, i == 0 ? ", for " : ", ");
		GENERAL_NAME_print(out, sk_GENERAL_NAME_value(names, i));
	}
	GENERAL_NAMES_free(names);
}

void tls_peer_describe(X509 *cert, char *ret, size_t cap)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p = NULL;
	size_t n;

	if (cert) {
		X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, NAME_FORM);
		BIO_puts(out, ", issued by ");
		X509_NAME_print_ex(out, X509_get_issuer_name(cert), 0, NAME_FORM);
		print_names(cert, out);
	}
	n = (size_t)MAX(BIO_get_mem_data(out, &p), 0);
	n = MIN(n, cap - 1);
	for (size_t i = 0; i < n; i++)
		ret[i] = p[i] >= ' ' && p[i] <= '~' ? p[i] : '?';
	ret[n] = '\0';
	BIO_free(out);
	ERR_clear_error();
}
